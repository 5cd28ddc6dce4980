;;; packages.el --- Packages that the tests need beside Emacs itself  -*- lexical-binding: t; -*-

;;; Commentary:

;; Debian keeps them beside Emacs: sources in elpa-src, and compiled in elpa.

;;; Code:

(require 'seq)

;; Both would start the program again in a way that is not the wrapper's.
(setq native-comp-jit-compilation nil
      native-comp-enable-subr-trampolines nil)

(defun packages-add (folder &rest names)
  "Add the packages NAMES of FOLDER, elpa or elpa-src, to `load-path'."
  (dolist (name names)
    (let ((found (file-expand-wildcards (expand-file-name (format "../../site-lisp/%s/%s-[0-9]*" folder name)
                                                          data-directory))))
      (unless found (error "The package %s is not there; `make editors' gets it" name))
      (add-to-list 'load-path (car found)))))

(defun packages-add-lsp-mode ()
  "Add lsp-mode and what it needs, as `package-initialize' would."
  (packages-add "elpa-src" "lsp-mode")
  (packages-add "elpa" "dash" "f" "ht" "lv" "markdown-mode" "s" "spinner" "lsp-mode")
  (load "lsp-mode-autoloads" nil t))

(provide 'packages)
;;; packages.el ends here
