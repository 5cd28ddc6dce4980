;;; lsp-session.el --- The core of a session under lsp-mode  -*- lexical-binding: t; -*-

;;; Code:

(require 'support)
(packages-add-lsp-mode)
(require 'lsp-mode)
(require 'lsp-diagnostics)
(require 'pennyproof)

;; What lsp-mode would ask on its own, or look for among packages.
(setq lsp-auto-guess-root t
      lsp-enable-snippet nil
      lsp-enable-file-watchers nil
      lsp-restart 'auto-restart
      lsp-diagnostics-provider :none)

(defun lsp-session-diagnostics ()
  "The messages of the diagnostics of the current buffer, with their lines."
  (mapcar (lambda (diagnostic)
            (let ((known (pennyproof-lsp--plist diagnostic)))
              (cons (plist-get (plist-get (plist-get known :range) :start) :line) (plist-get known :message))))
          (lsp--get-buffer-diagnostics)))

(ert-deftest lsp-session ()
  (let ((test (support-open "tests/test_stock.py"))
        (broken (support-disk "bookshop/stock.py")))
    ;; The server is there; it may run beside others.
    (lsp)
    (support-wait "the server" (and pennyproof-mode (pennyproof-lsp-session)))
    (should (lsp--client-add-on? (lsp--workspace-client (pennyproof-lsp-session))))
    (support-wait "the status" (string-match-p "Pennyproof\\[free\\]" (pennyproof--lighter)))
    ;; Ghost text is lsp-mode's own.
    (should (lsp-feature? "textDocument/inlineCompletion"))
    (should-not pennyproof-ghost-mode)

    ;; A failing test is a diagnostic.
    (pennyproof-run-tests)
    (should (string-match-p "[1-9][0-9]* failed" (support-wait-said "^Pennyproof: [0-9]+ passed")))
    (let ((diagnostic (car (support-wait "diagnostics" (lsp-session-diagnostics)))))
      (should (string-match-p "OutOfStock" (cdr diagnostic)))
      (goto-char (point-min))
      (forward-line (car diagnostic)))

    ;; Its explanation is a page, in the mode of the package markdown-mode.
    (pennyproof-explain)
    (support-wait "the explanation" (string-match-p "OutOfStock" (support-page "explanation")))
    (with-current-buffer "*Pennyproof explanation*"
      (should (derived-mode-p 'gfm-view-mode))
      (should buffer-read-only))

    ;; The light bulb looks for a fix without waiting; what is offered is shown first.
    (set-buffer test)
    (let ((action (cl-find-if (lambda (action)
                                (string-prefix-p "Find a verified fix" (plist-get (pennyproof-lsp--plist action) :title)))
                              (lsp-code-actions-at-point))))
      (should action)
      (lsp-execute-code-action action))
    (with-current-buffer (support-offers)
      (should (string-match-p "fixes" header-line-format))
      (should (equal (support-disk "bookshop/stock.py") broken))
      (support-key "a"))
    (with-current-buffer (support-buffer "bookshop/stock.py")
      (save-buffer))
    (should (equal (support-disk "bookshop/stock.py")
                   (string-replace "if copies > shelf.on_hand:" "if copies > shelf.available:" broken)))
    (set-buffer test)
    (support-wait "no diagnostics" (null (lsp-session-diagnostics)))

    ;; Cancelled, it says so.
    (pennyproof-debug t)
    (pennyproof-cancel)
    (support-wait-said "^Pennyproof: cancelled")
    (should-not pennyproof--running)))

(provide 'lsp-session)
;;; lsp-session.el ends here
