;;; odd-places.el --- Odd paths, odd files, and edits at odd times  -*- lexical-binding: t; -*-

;;; Code:

(require 'support)
(require 'eglot)
(require 'pennyproof)

(defun odd-places-debug ()
  "Look for a fix of the test that fails in tests/test_stock.py, from there."
  (switch-to-buffer (support-buffer "tests/test_stock.py"))
  (delete-other-windows)
  (pennyproof-debug))

(ert-deftest odd-places ()
  (let ((test (support-open "tests/test_stock.py"))
        (broken (support-disk "bookshop/stock.py"))
        (stock (find-file-noselect (expand-file-name "bookshop/stock.py" support-root))))
    (support-wait "the server" pennyproof-mode)
    (should (string-match-p "\r\n" broken))
    (pennyproof-run-tests)
    (support-wait-said "passed")
    (goto-char (point-min))
    (search-forward "match=\"1 of Sea of Poppies")
    (support-wait "the diagnostic"
      (flymake-start)
      (pennyproof-session-test-at (pennyproof-session) (line-beginning-position) (line-end-position)))

    ;; Text that was typed while a fix was looked for stays, and what was found for the text before is not offered.
    (odd-places-debug)
    (with-current-buffer stock
      (goto-char (point-max))
      (insert "# Typed meanwhile.\n"))
    (support-wait-said "text has changed")
    (should-not (get-buffer "*Pennyproof offers*"))
    (with-current-buffer stock
      (should (string-suffix-p "# Typed meanwhile.\n" (buffer-string)))
      (revert-buffer t t t))

    ;; An offer comes beside what is done meanwhile, and takes no keys that were meant for that.
    (odd-places-debug)
    (support-interactively (switch-to-buffer test))
    (with-current-buffer (support-offers)
      (should-not (eq (current-buffer) (window-buffer)))
      (should (get-buffer-window))

      ;; It is not made in a text that has changed since, and is once that is as it was.
      (with-current-buffer stock
        (goto-char (point-max))
        (insert "# Typed since.\n"))
      (should (string-match-p "stock.py has changed since"
                              (cadr (should-error (pennyproof-offers-accept) :type 'user-error))))
      (with-current-buffer stock
        (should (string-suffix-p "# Typed since.\n" (buffer-string)))
        (delete-region (- (point-max) (length "# Typed since.\n")) (point-max)))
      (pennyproof-offers-accept))
    (with-current-buffer stock (save-buffer))

    ;; The file keeps the ends of its lines.
    (should (equal (support-disk "bookshop/stock.py")
                   (string-replace "if copies > shelf.on_hand:" "if copies > shelf.available:" broken)))

    ;; A buffer without a file is told what it needs; one whose file is still to be written is served.
    (with-temp-buffer
      (python-mode)
      (should (string-match-p "save it under a name first" (cadr (should-error (pennyproof-debug) :type 'user-error)))))
    (with-current-buffer (support-open "bookshop/unsaved.py")
      (insert "def added(first, second):\n    return first + second\n")
      (goto-char (point-min))
      (search-forward "added")
      (should pennyproof-mode)
      (pennyproof-explain)
      (support-wait "the explanation" (string-match-p "added" (support-page "explanation")))
      (should-not (file-exists-p buffer-file-name))
      (set-buffer-modified-p nil))))

(provide 'odd-places)
;;; odd-places.el ends here
