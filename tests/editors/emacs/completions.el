;;; completions.el --- Ghost text under Eglot, without a terminal  -*- lexical-binding: t; -*-

;;; Code:

(require 'support)
(require 'eglot)
(require 'pennyproof)

(defun completions-ask ()
  "Ask for a completion at point, and return the ghost text."
  (call-interactively #'pennyproof-complete)
  (support-wait "ghost text" (and pennyproof-ghost--overlay (overlay-get pennyproof-ghost--overlay 'after-string))))

(defun completions-type (text)
  "Type TEXT, as far as a script can."
  (setq this-command #'self-insert-command)
  (insert text)
  (run-hooks 'post-command-hook))

(ert-deftest completions ()
  (support-open "bookshop/money.py")
  (support-wait "the server" pennyproof-mode)
  (should pennyproof-ghost-mode)
  (goto-char (point-max))

  ;; Positions are counted in characters, whatever stands before the cursor.
  (insert "\n\ndef label(cents: int) -> str:\n    return \"中文 😀𝒻\" + ")
  (should (equal (completions-ask) "show(cents)"))
  (should (eq (get-text-property 0 'face pennyproof-ghost--text) nil))
  (support-key "TAB")
  (should (string-suffix-p "    return \"中文 😀𝒻\" + show(cents)" (buffer-string)))
  (should-not pennyproof-ghost--overlay)
  (with-current-buffer (jsonrpc-events-buffer (eglot-current-server))
    (support-wait "the accept" (goto-char (point-min)) (search-forward "pennyproof.accepted" nil t)))

  ;; What is typed through stays, anything else hides it.
  (insert "\n\n\ndef double(cents: int) -> int:\n    return ")
  (completions-ask)
  (completions-type "ce")
  (should (equal pennyproof-ghost--text "nts * 2"))
  (support-key "M-f")
  (should (string-suffix-p "return cents" (buffer-string)))
  (support-wait "the partial accept"
    (with-current-buffer (jsonrpc-events-buffer (eglot-current-server))
      (goto-char (point-min))
      (search-forward "didPartiallyAcceptCompletion" nil t)))
  (should (equal pennyproof-ghost--text " * 2"))
  (completions-type "x")
  (should-not pennyproof-ghost--overlay)
  (delete-char (- (length "centsx")))

  ;; C-g hides it, and leaves the text as it was.
  (completions-ask)
  (let ((before (buffer-string)))
    (support-key "C-g")
    (should-not pennyproof-ghost--overlay)
    (should (equal (buffer-string) before)))

  ;; An answer for another place is dropped.
  (pennyproof-complete)
  (insert "0 + ")
  (support-wait "the answer" (null pennyproof-ghost--cancel))
  (should-not pennyproof-ghost--overlay)

  ;; A new request cancels the one before.
  (pennyproof-complete)
  (pennyproof-complete)
  (with-current-buffer (jsonrpc-events-buffer (eglot-current-server))
    (support-wait "a cancel" (goto-char (point-min)) (search-forward "$/cancelRequest" nil t))))

(provide 'completions)
;;; completions.el ends here
