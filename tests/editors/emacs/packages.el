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

(provide 'packages)
;;; packages.el ends here
