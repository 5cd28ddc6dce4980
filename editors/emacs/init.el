;; Emacs 29 or newer, into init.el. The client is the folder editors/emacs of Pennyproof's source: a checkout of it,
(add-to-list 'load-path "~/pennyproof/editors/emacs")
;; or, in place of that line, a package which Emacs keeps up to date, by the URL of the source:
;; (package-vc-install '(pennyproof :url "URL" :lisp-dir "editors/emacs"))
(require 'pennyproof)

;; Eglot starts the server in Python buffers; with lsp-mode it is lsp-deferred in place of eglot-ensure.
(add-hook 'python-base-mode-hook #'eglot-ensure)

;; Settings of the server, if any are to be others than the defaults:
;; (setq pennyproof-settings '(:budget (:dailyUsd 0.2) :tests (:onSave "all")))
