;;; support.el --- What the scenarios in Emacs share  -*- lexical-binding: t; -*-

;;; Code:

(require 'cl-lib)
(require 'ert)

(load (expand-file-name "packages" (file-name-directory (or load-file-name buffer-file-name))) nil t)

(defvar auto-revert-use-notify)
(defvar eglot-autoreconnect)
(defvar eglot-sync-connect)
(defvar jsonrpc-inhibit-debug-on-error)

;; Nobody is there to go on working meanwhile, and a server that a test kills may be young.  Where nobody reads keys,
;; Emacs does not take in that a file has changed, and meanwhile not that a process has ended either.
(setq eglot-sync-connect 120
      eglot-autoreconnect t
      auto-revert-use-notify nil
      jsonrpc-inhibit-debug-on-error t)

(defconst support-patience 120
  "Seconds to wait for anything: machines are slow, and nothing is measured.")

(defconst support-root default-directory "Where Emacs was started: the project.")

(defvar support-messages nil "What was said in the echo area, last first.")

(advice-add 'message :before
            (lambda (format &rest args)
              (let ((said (if format (apply #'format-message format args) "")))
                ;; Eglot's go into the buffer of warnings, unless there is no screen.
                (unless (string-prefix-p "Warning (eglot)" said)
                  (push said support-messages)))))

(defun support-said (regexp)
  "The last message that REGEXP matches."
  (cl-find-if (lambda (said) (string-match-p regexp said)) support-messages))

(defun support-count (regexp)
  "How many messages REGEXP matches."
  (cl-count-if (lambda (said) (string-match-p regexp said)) support-messages))

(defun support-fail (what)
  "Fail, since WHAT did not come."
  (error "Gave up waiting for %s; the last messages: %S" what (take 8 support-messages)))

(defmacro support-wait (what &rest body)
  "Wait for WHAT, which is there when BODY is not nil; return that."
  (declare (indent 1))
  `(with-timeout (support-patience (support-fail ,what))
     (let (found)
       (while (not (setq found (progn ,@body)))
         (accept-process-output nil 0.02))
       found)))

(defun support-wait-said (regexp)
  "Wait for a message that REGEXP matches, and return it."
  (support-wait regexp (support-said regexp)))

(defmacro support-interactively (&rest body)
  "Do BODY as by a user who typed a key after what was typed before."
  `(progn (cl-incf num-nonmacro-input-events) ,@body))

(defun support-open (file)
  "Visit FILE, and run what follows a command."
  (switch-to-buffer (find-file-noselect (expand-file-name file support-root)))
  (run-hooks 'post-command-hook)
  (current-buffer))

(defun support-key (key)
  "Do what KEY does in the current buffer."
  (let ((command (key-binding (kbd key))))
    (should (commandp command))
    (setq this-command command)
    (call-interactively command)
    (run-hooks 'post-command-hook)))

(defun support-disk (file)
  "What is on disk in FILE, byte by byte."
  (with-temp-buffer
    (set-buffer-multibyte nil)
    (insert-file-contents-literally (expand-file-name file support-root))
    (buffer-string)))

(defun support-buffer (file)
  "The buffer that visits FILE, or nil."
  (find-buffer-visiting (expand-file-name file support-root)))

(defun support-offers ()
  "Wait for offers, and return their buffer."
  (support-wait "an offer" (get-buffer "*Pennyproof offers*")))

(defun support-page (name)
  "Wait for the page NAME, and return its text."
  (support-wait (concat "the page " name)
    (let ((buffer (get-buffer (format "*Pennyproof %s*" name))))
      (and buffer (get-buffer-window buffer) (with-current-buffer buffer (buffer-string))))))

(provide 'support)
;;; support.el ends here
