;;; pennyproof-eglot.el --- Pennyproof for Eglot  -*- lexical-binding: t; -*-

;; Copyright (c) 2026 The Pennyproof authors
;; SPDX-License-Identifier: MIT

;;; Commentary:

;; A class of servers of its own, for what Eglot leaves to the server's
;; users: inline completions, long requests, questions and pages.

;;; Code:

(require 'eglot)
(require 'flymake)
(require 'pennyproof-page)
(require 'pennyproof-session)

(declare-function pennyproof-mode "pennyproof")
(declare-function pennyproof-run "pennyproof")

(defclass pennyproof-eglot-server (eglot-lsp-server)
  ((asked :initform nil :documentation "The id of the last request that was sent."))
  :documentation "A session with `pennyproof serve'.")

(defun pennyproof-eglot-contact (&rest _)
  "The command for Eglot; an error that says what to do without a program."
  (let ((missing (pennyproof-session-missing-p)))
    (when missing (user-error "%s" missing)))
  `(pennyproof-eglot-server ,@pennyproof-command
                            ,@(and pennyproof-settings (list :initializationOptions pennyproof-settings))))

(add-to-list 'eglot-server-programs '((python-mode python-ts-mode) . pennyproof-eglot-contact))

(defun pennyproof-eglot-session ()
  "The session of the current buffer, where Eglot has one."
  (let ((server (and (eglot-managed-p) (eglot-current-server))))
    (cond ((cl-typep server 'pennyproof-eglot-server) server)
          (server (user-error "This buffer is served by %s: M-x eglot-shutdown, then M-x eglot starts Pennyproof"
                              (or (plist-get (eglot--server-info server) :name) (jsonrpc-name server)))))))

(defun pennyproof-eglot--managed ()
  "Turn `pennyproof-mode' on in buffers of ours, and off in others."
  (pennyproof-mode (if (and (eglot-managed-p) (cl-typep (eglot-current-server) 'pennyproof-eglot-server)) 1 -1)))

(add-hook 'pennyproof-session-functions #'pennyproof-eglot-session)
(add-hook 'eglot-managed-mode-hook #'pennyproof-eglot--managed)

;;; The session's start and end

(cl-defmethod eglot-client-capabilities ((_server pennyproof-eglot-server))
  "What Eglot can do, and what these files add to that."
  (let ((capabilities (copy-tree (cl-call-next-method))))
    (when pennyproof-ghost-text
      (setf (plist-get (plist-get capabilities :textDocument) :inlineCompletion)
            '(:dynamicRegistration :json-false)))
    (setf (plist-get (plist-get capabilities :window) :showMessage)
          '(:messageActionItem (:additionalPropertiesSupport :json-false)))
    capabilities))

(defun pennyproof-eglot--connected (server)
  "Tell where SERVER is ours, and too old."
  (when (cl-typep server 'pennyproof-eglot-server)
    (let ((old (pennyproof-session-old-p (plist-get (eglot--server-info server) :version))))
      (when old (display-warning 'pennyproof old :warning)))))

(defun pennyproof-eglot--begun (server)
  "Watch SERVER's process, where it is ours, to say plainly why it ends."
  (when (cl-typep server 'pennyproof-eglot-server)
    (add-function :before (process-sentinel (jsonrpc--process server))
                  (lambda (process _event)
                    (unless (or (process-live-p process) (eglot--shutdown-requested server))
                      ;; Eglot's own words about it come first, and would hide these.
                      (run-with-timer 0 nil #'message "%s" (pennyproof-eglot--obituary server process)))))))

(defun pennyproof-eglot--obituary (server process)
  "Why SERVER, whose PROCESS is gone, ended."
  (let ((stderr (jsonrpc-stderr-buffer server)))
    (format "Pennyproof: the server ended %s (status %d)%s; `pennyproof doctor' on a terminal says what is wrong here"
            (if (eglot--capabilities server) "unexpectedly" "at its start")
            (process-exit-status process)
            (if (buffer-live-p stderr)
                (with-current-buffer stderr
                  (save-excursion
                    (goto-char (point-max))
                    (skip-chars-backward " \t\n")
                    (let ((line (buffer-substring-no-properties (line-beginning-position) (point))))
                      (if (string-empty-p line) "" (concat ": " line)))))
              ""))))

(add-hook 'eglot-server-initialized-hook #'pennyproof-eglot--begun)
(add-hook 'eglot-connect-hook #'pennyproof-eglot--connected)

;;; What sessions are asked

(defun pennyproof-eglot--readable (uri)
  "URI with letters for what are letters beyond ASCII.
`eglot-uri-to-path' of Emacs 30 leaves them as bytes, so that no buffer is
found for a file under such a path."
  (replace-regexp-in-string "\\(?:%[89a-fA-F][0-9a-fA-F]\\)+"
                            (lambda (bytes)
                              (save-match-data (decode-coding-string (url-unhex-string bytes) 'utf-8 t)))
                            uri t t))

(cl-defmethod jsonrpc-connection-send :before ((server pennyproof-eglot-server) &key id method &allow-other-keys)
  "Remember the ID of a request to SERVER, which is known by its METHOD."
  (when (and id method) (oset server asked id)))

(cl-defmethod pennyproof-session-request ((server pennyproof-eglot-server) method params done failed)
  "Send SERVER the request METHOD with PARAMS; DONE and FAILED follow."
  (pennyproof-eglot--flush server)
  (let* ((buffer (current-buffer))
         (here (lambda (then)
                 (lambda (&rest arguments)
                   (with-current-buffer (if (buffer-live-p buffer) buffer (current-buffer))
                     (apply then arguments)))))
         id)
    (jsonrpc-async-request
     server (intern (concat ":" method)) params
     :timeout pennyproof-patience
     :success-fn (funcall here done)
     :error-fn (funcall here (lambda (failure) (funcall failed (plist-get failure :message))))
     :timeout-fn (lambda ()
                   (jsonrpc-notify server :$/cancelRequest (list :id id))
                   (funcall (funcall here failed) "the server has not answered, and was told to stop")))
    (setq id (oref server asked))
    (lambda ()
      (when (jsonrpc-running-p server)
        (jsonrpc-notify server :$/cancelRequest (list :id id))))))

(cl-defmethod pennyproof-session-notify ((server pennyproof-eglot-server) method params)
  "Send SERVER the notification METHOD with PARAMS."
  (jsonrpc-notify server (intern (concat ":" method)) params))

(cl-defmethod pennyproof-session-uri ((_server pennyproof-eglot-server))
  "The URI of the current buffer."
  (plist-get (eglot--TextDocumentIdentifier) :uri))

(cl-defmethod pennyproof-session-path ((_server pennyproof-eglot-server) uri)
  "The file that URI means."
  (eglot-uri-to-path (pennyproof-eglot--readable uri)))

(cl-defmethod pennyproof-session-root ((server pennyproof-eglot-server))
  "The folder of SERVER's project."
  (expand-file-name (project-root (eglot--project server))))

(cl-defmethod pennyproof-session-position ((_server pennyproof-eglot-server) position)
  "The buffer's POSITION in the units that were agreed on."
  (eglot--pos-to-lsp-position position))

(cl-defmethod pennyproof-session-test-at ((_server pennyproof-eglot-server) begin end)
  "The failing test between BEGIN and END, by Flymake's diagnostics."
  (cl-some (lambda (diagnostic)
             (let ((sent (cdr (assq 'eglot-lsp-diag (flymake-diagnostic-data diagnostic)))))
               (plist-get (plist-get sent :data) :testId)))
           (flymake-diagnostics begin end)))

(cl-defmethod pennyproof-session-completes-p ((server pennyproof-eglot-server))
  "Whether SERVER has inline completions."
  (plist-member (eglot--capabilities server) :inlineCompletionProvider))

(cl-defmethod pennyproof-session-fits-p ((server pennyproof-eglot-server) edit)
  "Whether EDIT of SERVER's is for the texts that the buffers have now."
  (pennyproof-eglot--flush server)
  (seq-every-p
   (lambda (change)
     (let* ((document (plist-get change :textDocument))
            (version (plist-get document :version))
            (buffer (find-buffer-visiting (pennyproof-session-path server (plist-get document :uri)))))
       (or (null version)
           (and buffer (eq version (buffer-local-value 'eglot--versioned-identifier buffer))))))
   (plist-get edit :documentChanges)))

(cl-defmethod pennyproof-session-apply ((server pennyproof-eglot-server) edit)
  "Make the EDIT that came from SERVER, unless the text is another by now."
  (unless (seq-every-p (lambda (change) (plist-get change :textDocument)) (plist-get edit :documentChanges))
    (user-error "Eglot cannot make or delete files, as this edit does"))
  (unless (pennyproof-session-fits-p server edit)
    (user-error "The text has changed since"))
  (let ((readable (lambda (change)
                    (let ((document (copy-sequence (plist-get change :textDocument))))
                      (plist-put document :uri (pennyproof-eglot--readable (plist-get document :uri)))
                      (plist-put (copy-sequence change) :textDocument document))))
        (eglot-confirm-server-edits nil))
    (eglot--apply-workspace-edit
     (list :documentChanges (vconcat (mapcar readable (plist-get edit :documentChanges))))
     this-command)))

(defun pennyproof-eglot--flush (server)
  "Send SERVER the last edits, which Eglot would do when Emacs is idle."
  (dolist (buffer (eglot--managed-buffers server))
    (when (buffer-live-p buffer)
      (with-current-buffer buffer
        (eglot--signal-textDocument/didChange)))))

;;; What the server says and asks

(cl-defmethod eglot-execute ((server pennyproof-eglot-server) action)
  "Do ACTION of SERVER's, and do not wait for it.
A fix takes as long as the tests that prove it."
  (let ((edit (plist-get action :edit))
        (command (plist-get action :command)))
    (when edit (pennyproof-session-apply server edit))
    (cond ((stringp command) (pennyproof-run server command (seq-first (plist-get action :arguments))))
          (command (pennyproof-run server (plist-get command :command) (seq-first (plist-get command :arguments)))))))

(cl-defmethod eglot-handle-notification ((server pennyproof-eglot-server) (_method (eql 'pennyproof/status))
                                         &rest status)
  "Take the STATUS of SERVER."
  (pennyproof-session-take-status server status))

(cl-defmethod eglot-handle-notification ((server pennyproof-eglot-server)
                                         (method (eql 'textDocument/publishDiagnostics))
                                         &rest params)
  "Show the diagnostics of SERVER in PARAMS of METHOD, whatever the path is."
  (apply #'cl-call-next-method server method
         (plist-put (copy-sequence params) :uri (pennyproof-eglot--readable (plist-get params :uri)))))

(cl-defmethod eglot-handle-notification ((_server pennyproof-eglot-server) (_method (eql 'window/showMessage))
                                         &key message &allow-other-keys)
  "Show MESSAGE in the echo area."
  (message "Pennyproof: %s" message))

(cl-defmethod eglot-handle-request ((server pennyproof-eglot-server) (_method (eql 'workspace/applyEdit))
                                    &key edit &allow-other-keys)
  "Make EDIT, and tell SERVER truly whether it was made."
  (condition-case failure
      (progn (pennyproof-session-apply server edit)
             '(:applied t))
    (error (list :applied :json-false :failureReason (error-message-string failure)))))

(cl-defmethod eglot-handle-request ((_server pennyproof-eglot-server) (_method (eql 'window/showMessageRequest))
                                    &key message actions &allow-other-keys)
  "Ask the user MESSAGE, with one of ACTIONS for an answer."
  (pennyproof-session-ask message actions))

(cl-defmethod eglot-handle-request ((_server pennyproof-eglot-server) (_method (eql 'window/showDocument))
                                    &key uri &allow-other-keys)
  "Show the page at URI."
  (let ((path (eglot-uri-to-path (pennyproof-eglot--readable uri))))
    ;; Later, since what opening a file runs may ask the server in turn.
    (run-with-timer 0 nil #'pennyproof-page-show path)
    (list :success (if (file-readable-p path) t :json-false))))

(provide 'pennyproof-eglot)
;;; pennyproof-eglot.el ends here
