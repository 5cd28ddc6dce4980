;; Emacs 29 or newer: in init.el; then M-x eglot in a Python buffer.
;; Settings follow the command, as in ("pennyproof" "serve" :initializationOptions (:budget (:dailyUsd 0.2))).
(with-eval-after-load 'eglot
  (add-to-list 'eglot-server-programs
               '((python-mode python-ts-mode) . ("pennyproof" "serve")))
  ;; A fix takes as long as the tests that prove it; Eglot would give up after ten seconds.
  (cl-defmethod eglot-execute :around (_server _action)
    (let ((jsonrpc-default-request-timeout 120))
      (cl-call-next-method))))

(defun pennyproof-command (name)
  "Have the server do NAME, such as runTests, debug or showSpend."
  (interactive
   (list (completing-read "Pennyproof: " '("runTests" "debug" "explain" "showSpend" "showLastRejections"))))
  (jsonrpc-async-request
   (eglot-current-server) :workspace/executeCommand
   (list :command (concat "pennyproof." name)
         :arguments (vector (list :uri (eglot-path-to-uri buffer-file-name)
                                  :range (list :start (eglot--pos-to-lsp-position)
                                               :end (eglot--pos-to-lsp-position)))))
   :timeout 120
   :success-fn #'ignore
   :error-fn (jsonrpc-lambda (&key message &allow-other-keys) (message "Pennyproof: %s" message))))
