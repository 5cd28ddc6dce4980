;; A session in Emacs: open a file, run the tests, see the diagnostics, ask for code actions, take a verified fix.
(require 'eglot)
(require 'cl-lib)

(defun wait-for (what condition)
  (with-timeout (120 (message "gave up waiting for %s" what) (kill-emacs 1))
    (let (found)
      (while (not (setq found (funcall condition)))
        (accept-process-output nil 0.02))
      found)))

(setq eglot-sync-connect 60
      eglot-confirm-server-edits nil)
(find-file "tests/test_stock.py")
(apply #'eglot--connect (eglot--guess-contact))
(wait-for "the server" #'eglot-managed-p)

(pennyproof-command "runTests")
(wait-for "diagnostics" (lambda () (flymake-start) (flymake-diagnostics)))

(let* ((diagnostic (car (flymake-diagnostics)))
       (actions (eglot-code-actions (flymake-diagnostic-beg diagnostic) (flymake-diagnostic-end diagnostic))))
  (eglot-execute (eglot-current-server) (elt actions 0))
  (let ((edited (wait-for "an edit"
                          (lambda ()
                            (cl-find-if (lambda (buffer) (and (buffer-file-name buffer) (buffer-modified-p buffer)))
                                        (buffer-list))))))
    (princ (json-serialize
            (list :source "pennyproof"
                  :message (substring-no-properties (flymake-diagnostic-text diagnostic))
                  :titles (vconcat (mapcar (lambda (action) (plist-get action :title)) actions))
                  :edited (file-relative-name (buffer-file-name edited) (project-root (project-current))))))))
(set-buffer-modified-p nil)
(kill-emacs 0)
