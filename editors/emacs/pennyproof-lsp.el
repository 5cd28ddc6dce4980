;;; pennyproof-lsp.el --- Pennyproof for lsp-mode  -*- lexical-binding: t; -*-

;; Copyright (c) 2026 The Pennyproof authors
;; SPDX-License-Identifier: MIT

;;; Commentary:

;; Loaded once lsp-mode is, which need not be installed.  The server runs
;; beside others; ghost text is lsp-mode's own.

;;; Code:

(require 'pennyproof-page)
(require 'pennyproof-session)

(defvar lsp--cur-workspace)
(defvar lsp-managed-mode-hook)
(defvar lsp-use-plists)

(declare-function lsp "ext:lsp-mode")
(declare-function lsp--apply-workspace-edit "ext:lsp-mode")
(declare-function lsp--buffer-uri "ext:lsp-mode")
(declare-function lsp--client-server-id "ext:lsp-mode")
(declare-function lsp--get-buffer-diagnostics "ext:lsp-mode")
(declare-function lsp--point-to-position "ext:lsp-mode")
(declare-function lsp--uri-to-path "ext:lsp-mode")
(declare-function lsp--workspace-client "ext:lsp-mode")
(declare-function lsp--workspace-root "ext:lsp-mode")
(declare-function lsp-cancel-request-by-token "ext:lsp-mode")
(declare-function lsp-notify "ext:lsp-mode")
(declare-function lsp-register-client "ext:lsp-mode")
(declare-function lsp-request-async "ext:lsp-mode")
(declare-function lsp-stdio-connection "ext:lsp-mode")
(declare-function lsp-workspaces "ext:lsp-mode")
(declare-function make-lsp-client "ext:lsp-mode")
(declare-function pennyproof-mode "pennyproof")
(declare-function pennyproof-run "pennyproof")

(defun pennyproof-lsp--plist (object)
  "OBJECT as it came from `lsp-mode', with property lists for its tables."
  (cond ((hash-table-p object)
         (let (found)
           (maphash (lambda (key value)
                      (push (intern (concat ":" key)) found)
                      (push (pennyproof-lsp--plist value) found))
                    object)
           (nreverse found)))
        ((vectorp object) (vconcat (mapcar #'pennyproof-lsp--plist object)))
        (t object)))

(defun pennyproof-lsp--object (plist)
  "PLIST as `lsp-mode' would have read it."
  (json-parse-string (json-serialize plist :null-object nil :false-object :json-false)
                     :object-type (if (bound-and-true-p lsp-use-plists) 'plist 'hash-table)
                     :null-object nil
                     :false-object nil))

(defun pennyproof-lsp-session ()
  "The session of the current buffer, where `lsp-mode' has one."
  (when (bound-and-true-p lsp-mode)
    (cl-find 'pennyproof (lsp-workspaces)
             :key (lambda (workspace) (lsp--client-server-id (lsp--workspace-client workspace))))))

(add-hook 'pennyproof-session-functions #'pennyproof-lsp-session)

;;; The client

(defun pennyproof-lsp--capabilities (capabilities)
  "CAPABILITIES of a client, with what `lsp-mode' can do and does not say.
Its word for inline completions is null, and it has none for questions."
  (if (not (alist-get 'pennyproof (alist-get 'experimental capabilities)))
      capabilities
    (let ((known (copy-tree capabilities)))
      (setf (alist-get 'showMessage (alist-get 'window known))
            '((messageActionItem . ((additionalPropertiesSupport . :json-false)))))
      (when pennyproof-ghost-text
        (setf (alist-get 'inlineCompletion (alist-get 'textDocument known))
              '((dynamicRegistration . :json-false))))
      known)))

(defun pennyproof-lsp--tables (&rest pairs)
  "A table of PAIRS, a method and its handler in turn."
  (let ((table (make-hash-table :test #'equal)))
    (cl-loop for (method handler) on pairs by #'cddr do (puthash method handler table))
    table))

(defun pennyproof-lsp--execute (command)
  "Have the server run COMMAND of a code action or completion."
  (let ((known (pennyproof-lsp--plist command)))
    (pennyproof-run (pennyproof-session) (plist-get known :command) (seq-first (plist-get known :arguments)))))

(defun pennyproof-lsp--ask (_workspace params)
  "Ask the user what PARAMS of `window/showMessageRequest' say."
  (let ((known (pennyproof-lsp--plist params)))
    (pennyproof-session-ask (plist-get known :message) (plist-get known :actions))))

(defun pennyproof-lsp--open (_workspace params)
  "Show the page that PARAMS of `window/showDocument' name."
  (let ((path (lsp--uri-to-path (plist-get (pennyproof-lsp--plist params) :uri))))
    (run-with-timer 0 nil #'pennyproof-page-show path)
    (list :success (if (file-readable-p path) t :json-false))))

(advice-add 'lsp--client-capabilities :filter-return #'pennyproof-lsp--capabilities)

(lsp-register-client
 (make-lsp-client
  :server-id 'pennyproof
  :new-connection (lsp-stdio-connection (lambda () pennyproof-command))
  :major-modes '(python-mode python-ts-mode)
  :add-on? t
  :multi-root nil
  :initialization-options (lambda () pennyproof-settings)
  :custom-capabilities '((experimental . ((pennyproof . t))))
  :notification-handlers
  (pennyproof-lsp--tables
   "pennyproof/status" (lambda (workspace params)
                         (pennyproof-session-take-status workspace (pennyproof-lsp--plist params))))
  :request-handlers
  (pennyproof-lsp--tables
   "window/showDocument" #'pennyproof-lsp--open
   "window/showMessageRequest" #'pennyproof-lsp--ask)
  :action-handlers
  ;; lsp-mode itself would wait, and give up long before a fix is found.
  (apply #'pennyproof-lsp--tables
         (mapcan (lambda (command) (list (concat "pennyproof." command) #'pennyproof-lsp--execute))
                 '("accepted" "debug" "edit" "explain" "runTests")))))

(defun pennyproof-lsp--managed ()
  "Turn `pennyproof-mode' on in buffers of ours."
  (pennyproof-mode (if (pennyproof-lsp-session) 1 -1)))

(add-hook 'lsp-managed-mode-hook #'pennyproof-lsp--managed)
(add-hook 'lsp-after-open-hook #'pennyproof-lsp--managed)

;;; What sessions are asked

(cl-defmethod pennyproof-session-request ((workspace lsp--workspace) method params done failed)
  "Send WORKSPACE the request METHOD with PARAMS; DONE and FAILED follow."
  (let* ((lsp--cur-workspace workspace)
         (token (gensym "pennyproof-"))
         (timer nil)
         (cancel (lambda (reason)
                   (when timer (cancel-timer timer))
                   (let ((lsp--cur-workspace workspace))
                     (lsp-cancel-request-by-token token))
                   (funcall failed reason))))
    (setq timer (run-with-timer pennyproof-patience nil cancel "the server has not answered, and was told to stop"))
    (lsp-request-async method params
                       (lambda (result)
                         (cancel-timer timer)
                         (funcall done (pennyproof-lsp--plist result)))
                       :mode 'detached
                       :error-handler (lambda (failure)
                                        (cancel-timer timer)
                                        (funcall failed (plist-get (pennyproof-lsp--plist failure) :message)))
                       :cancel-token token)
    (lambda () (funcall cancel "cancelled"))))

(cl-defmethod pennyproof-session-notify ((workspace lsp--workspace) method params)
  "Send WORKSPACE the notification METHOD with PARAMS."
  (let ((lsp--cur-workspace workspace))
    (lsp-notify method params)))

(cl-defmethod pennyproof-session-uri ((_workspace lsp--workspace))
  "The URI of the current buffer."
  (lsp--buffer-uri))

(cl-defmethod pennyproof-session-path ((workspace lsp--workspace) uri)
  "The file that WORKSPACE means by URI."
  (let ((lsp--cur-workspace workspace))
    (lsp--uri-to-path uri)))

(cl-defmethod pennyproof-session-root ((workspace lsp--workspace))
  "The folder of WORKSPACE."
  (lsp--workspace-root workspace))

(cl-defmethod pennyproof-session-position ((_workspace lsp--workspace) position)
  "The buffer's POSITION in the units that were agreed on."
  (lsp--point-to-position position))

(cl-defmethod pennyproof-session-test-at ((workspace lsp--workspace) begin end)
  "The failing test between BEGIN and END, by WORKSPACE's diagnostics."
  (let ((lsp--cur-workspace workspace)
        (first (1- (line-number-at-pos begin t)))
        (last (1- (line-number-at-pos end t))))
    (cl-some (lambda (diagnostic)
               (let* ((known (pennyproof-lsp--plist diagnostic))
                      (line (plist-get (plist-get (plist-get known :range) :start) :line)))
                 (and (<= first line last) (plist-get (plist-get known :data) :testId))))
             (lsp--get-buffer-diagnostics))))

(cl-defmethod pennyproof-session-completes-p ((_workspace lsp--workspace))
  "Never: `lsp-mode' shows inline completions itself."
  nil)

(cl-defmethod pennyproof-session-apply ((workspace lsp--workspace) edit)
  "Make the EDIT that came from WORKSPACE, unless the text is another."
  ;; A buffer that lsp-mode does not serve yet would count positions in other units.
  (seq-doseq (change (plist-get edit :documentChanges))
    (let ((uri (plist-get (plist-get change :textDocument) :uri)))
      (when uri
        (with-current-buffer (find-file-noselect (pennyproof-session-path workspace uri))
          (unless (bound-and-true-p lsp-managed-mode) (lsp))))))
  (let ((lsp--cur-workspace workspace))
    (lsp--apply-workspace-edit (pennyproof-lsp--object edit) 'code-action)))

(provide 'pennyproof-lsp)
;;; pennyproof-lsp.el ends here
