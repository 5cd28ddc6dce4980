;;; lint.el --- Lint the client for Emacs  -*- lexical-binding: t; -*-

;;; Commentary:

;; emacs -Q --batch -l tests/editors/emacs/lint.el, from the project's root:
;; byte compiler, checkdoc and package-lint over editors/emacs, and the byte
;; compiler over the tests.  Prints what they find, and fails where they do.

;;; Code:

(load (expand-file-name "packages" (file-name-directory load-file-name)) nil t)
(packages-add "elpa-src" "package-lint")
(packages-add-lsp-mode)

(require 'bytecomp)
(require 'checkdoc)
(require 'package-lint)

;; By its own words an experiment: it takes "tests" and "offers" for verbs.
(setq checkdoc-verb-check-experimental-flag nil)

(defvar lint-findings 0 "How many there are.")

(defconst lint-excused
  (rx (or "should have a Homepage or URL header"
          (seq "You should depend on (emacs \"30.1\") if you need `eglot-")
          "Package eglot is not installable"
          "`with-eval-after-load' is for use in configurations"))
  "What package-lint says in vain.
The project has no home on the net yet.  Eglot is a package too, which
no archive is asked for here, and of which the client names the version
that it needs.  Neither Eglot nor lsp-mode is to be loaded for the other.")

(defun lint-say (format &rest args)
  "Print a finding, given as a FORMAT and its ARGS."
  (setq lint-findings (1+ lint-findings))
  (princ (concat (apply #'format format args) "\n")))

(defun lint-compile (file folder)
  "Compile FILE into FOLDER; every warning is a finding."
  (let ((byte-compile-error-on-warn t)
        (byte-compile-dest-file-function
         (lambda (source) (expand-file-name (concat (file-name-nondirectory source) "c") folder))))
    (unless (byte-compile-file file)
      (lint-say "%s: the byte compiler: see above" file))))

(defun lint-documentation (file)
  "Find faults in the documentation of FILE."
  (let ((checkdoc-create-error-function
         (lambda (text start _end &optional _unfixable)
           (lint-say "%s:%d: %s" file (if start (line-number-at-pos start) 1) text)
           nil)))
    (with-current-buffer (find-file-noselect file)
      (checkdoc-current-buffer t))))

(defun lint-package (file main)
  "Find faults in FILE as a part of the package whose main file is MAIN."
  (with-current-buffer (find-file-noselect file)
    (setq-local package-lint-main-file main)
    (pcase-dolist (`(,line ,_column ,_kind ,text) (package-lint-buffer))
      (unless (string-match-p lint-excused text)
        (lint-say "%s:%d: %s" file line text)))))

(let* ((main (expand-file-name "editors/emacs/pennyproof.el"))
       (client (directory-files "editors/emacs" t "\\`pennyproof.*\\.el\\'"))
       (tests (directory-files "tests/editors/emacs" t "\\`[^.].*\\.el\\'"))
       (folder (make-temp-file "pennyproof-lint" t))
       (load-path (append (mapcar #'expand-file-name '("editors/emacs" "tests/editors/emacs")) load-path)))
  (unwind-protect
      (progn
        (dolist (file (append client tests)) (lint-compile file folder))
        (dolist (file client)
          (lint-documentation file)
          (lint-package file main)))
    (delete-directory folder t))
  (princ (format "%d findings in %d files\n" lint-findings (length (append client tests))))
  (kill-emacs (if (zerop lint-findings) 0 1)))
;;; lint.el ends here
