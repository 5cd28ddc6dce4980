;;; pennyproof-session.el --- What Pennyproof asks of an LSP client  -*- lexical-binding: t; -*-

;; Copyright (c) 2026 The Pennyproof authors
;; SPDX-License-Identifier: MIT

;;; Commentary:

;; A session is one running server as the LSP client of a buffer knows it:
;; Eglot's server object or lsp-mode's workspace.  The other files speak to
;; sessions only; pennyproof-eglot.el and pennyproof-lsp.el say what that
;; means for each client.  JSON objects are property lists here, arrays are
;; vectors, and positions are in the units that server and client agreed on.

;;; Code:

(require 'cl-lib)

(defgroup pennyproof nil
  "A language server that proves a suggestion against your tests."
  :group 'tools
  :prefix "pennyproof-")

(defcustom pennyproof-command '("pennyproof" "serve")
  "The server's program and its arguments."
  :type '(repeat string)
  :risky t)

(defcustom pennyproof-settings nil
  "Settings for the server, a nested property list.
For example (:budget (:dailyUsd 0.2) :tests (:onSave \"all\"))."
  :type 'plist
  :risky t)

(defcustom pennyproof-ghost-text t
  "Whether completions are shown as ghost text.
Otherwise they are an item of the completion menu.  It counts from the
next start of the server on."
  :type 'boolean)

(defcustom pennyproof-patience 600
  "Seconds after which a command that got no answer is given up."
  :type 'number)

(defconst pennyproof-oldest-server "0.1.0"
  "The oldest version of the server that these files can work with.")

(defvar pennyproof-session-functions nil
  "Functions that return the session of the current buffer, or nil.")

;;; What each client has to do

(cl-defgeneric pennyproof-session-request (session method params done failed)
  "Send SESSION the request METHOD, a string, with PARAMS; return at once.
DONE is called with the result, or FAILED with one line that says why
there is none.  The value is a function that cancels the request.")

(cl-defgeneric pennyproof-session-notify (session method params)
  "Send SESSION the notification METHOD, a string, with PARAMS.")

(cl-defgeneric pennyproof-session-uri (session)
  "The URI by which SESSION knows the current buffer.")

(cl-defgeneric pennyproof-session-path (session uri)
  "The file that SESSION means by URI.")

(cl-defgeneric pennyproof-session-root (session)
  "The folder that SESSION serves.")

(cl-defgeneric pennyproof-session-position (session position)
  "What SESSION calls the buffer's POSITION.")

(cl-defgeneric pennyproof-session-test-at (session begin end)
  "The failing test that SESSION shows between BEGIN and END, or nil.")

(cl-defgeneric pennyproof-session-completes-p (session)
  "Whether SESSION has inline completions.")

(cl-defgeneric pennyproof-session-fits-p (_session _edit)
  "Whether the workspace EDIT of SESSION is for the texts of now."
  t)

(cl-defgeneric pennyproof-session-apply (session edit)
  "Make the workspace EDIT that came from SESSION.
Signal an error, and change nothing, where the text is another by now.")

;;; What they have in common

(defun pennyproof-session-here ()
  "The session of the current buffer, or nil."
  (run-hook-with-args-until-success 'pennyproof-session-functions))

(defun pennyproof-session ()
  "The session of the current buffer; an error that says what to do without one."
  (or (pennyproof-session-here)
      (user-error
       (if (buffer-file-name (buffer-base-buffer))
           "Pennyproof does not serve this buffer: M-x eglot (or M-x lsp) starts it"
         "Pennyproof serves files, and this buffer has none: save it under a name first"))))

(defun pennyproof-session-range (session begin end)
  "What SESSION calls the text between BEGIN and END."
  (list :start (pennyproof-session-position session begin)
        :end (pennyproof-session-position session end)))

(defun pennyproof-session-missing-p ()
  "What to tell the user where the server's program is not there, or nil."
  (unless (executable-find (car pennyproof-command) t)
    (format "Pennyproof: there is no program `%s' in `exec-path': install the server, or set `pennyproof-command'"
            (car pennyproof-command))))

(defun pennyproof-session-old-p (version)
  "What to tell the user where a server of VERSION is too old, or nil."
  (unless (and version (ignore-errors (version<= pennyproof-oldest-server version)))
    (format "Pennyproof: the server %s is too old for this client, which needs %s: %s"
            (or version "of unknown version") pennyproof-oldest-server
            "install the newer one, then M-x eglot-reconnect")))

(defun pennyproof-session-ask (question actions)
  "Ask the user QUESTION; the one of ACTIONS that was chosen, or nil.
Nothing is agreed to by RET alone, which may have been meant for a buffer."
  (let* ((titles (mapcar (lambda (action) (plist-get action :title)) actions))
         (answer (condition-case nil
                     (completing-read (format "%s (%s) " question (string-join titles ", ")) titles nil t)
                   (quit ""))))
    (unless (string-empty-p answer) (list :title answer))))

(defvar pennyproof--running nil
  "Commands under way, as (SESSION . CANCEL).")

(defun pennyproof-session-execute (session command argument &optional done)
  "Have SESSION run COMMAND with ARGUMENT, and return at once.
DONE is called with the result.  What goes wrong is said in the echo area."
  (let* ((work (list session))
         (ended (lambda () (setq pennyproof--running (delq work pennyproof--running)))))
    (setcdr work
            (pennyproof-session-request
             session "workspace/executeCommand"
             (list :command command :arguments (vector argument))
             (lambda (result)
               (funcall ended)
               (when done (funcall done result)))
             (lambda (reason)
               (funcall ended)
               (message "Pennyproof: %s" reason))))
    (push work pennyproof--running)))

(defun pennyproof-session-cancel (session)
  "Cancel the commands that SESSION runs; how many there were."
  (let ((found (cl-remove session pennyproof--running :key #'car :test-not #'eq)))
    (dolist (work found (length found))
      (funcall (cdr work)))))

(defvar pennyproof--statuses (make-hash-table :test #'eq :weakness 'key)
  "Session → its last `pennyproof/status'.")

(defun pennyproof-session-status (session)
  "The last `pennyproof/status' of SESSION."
  (gethash session pennyproof--statuses))

(defun pennyproof-session-take-status (session status)
  "Remember the STATUS that SESSION sent, and show it."
  (puthash session status pennyproof--statuses)
  (force-mode-line-update t))

(provide 'pennyproof-session)
;;; pennyproof-session.el ends here
