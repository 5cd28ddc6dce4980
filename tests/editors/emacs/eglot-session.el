;;; eglot-session.el --- A whole session under Eglot  -*- lexical-binding: t; -*-

;;; Code:

(require 'support)
(require 'eglot)
(require 'pennyproof)

(defun eglot-session-diagnostics ()
  "The failing tests that are shown in the current buffer."
  (flymake-start)
  (cl-remove-if-not (lambda (diagnostic) (string-match-p "pennyproof" (flymake-diagnostic-text diagnostic)))
                    (flymake-diagnostics)))

(defun eglot-session-run ()
  "Run the tests, and return the message that tells how they did."
  (setq support-messages nil)
  (pennyproof-run-tests)
  (support-wait-said "^Pennyproof: [0-9]+ passed"))

(ert-deftest eglot-session ()
  (let ((test (support-open "tests/test_stock.py"))
        (broken (support-disk "bookshop/stock.py")))
    ;; The server is there, and says how it is.
    (support-wait "the server" pennyproof-mode)
    (should (equal (plist-get (eglot--server-info (eglot-current-server)) :name) "pennyproof"))
    (support-wait "the status" (string-match-p "Pennyproof\\[free\\]" (pennyproof--lighter)))

    ;; A failing test is a diagnostic.
    (should (string-match-p "5 failed\\|[1-9][0-9]* failed" (eglot-session-run)))
    (let ((diagnostic (car (support-wait "diagnostics" (eglot-session-diagnostics)))))
      (should (string-match-p "OutOfStock" (flymake-diagnostic-text diagnostic)))
      (goto-char (flymake-diagnostic-beg diagnostic)))

    ;; Its explanation is a page, which q quits; the window of the test stays selected.
    (pennyproof-explain)
    (support-wait "the explanation" (string-match-p "OutOfStock" (support-page "explanation")))
    (should (eq (window-buffer) test))
    (with-selected-window (get-buffer-window "*Pennyproof explanation*")
      (should buffer-read-only)
      (support-key "q"))
    (should-not (get-buffer-window "*Pennyproof explanation*"))

    ;; A fix is looked for; what is offered is a diff that is titled with its evidence, and changes nothing yet.
    (pennyproof-debug)
    (with-current-buffer (support-offers)
      (should (eq (current-buffer) (window-buffer)))
      (should (derived-mode-p 'diff-mode))
      (should (string-match-p "fixes" header-line-format))
      (should (save-excursion (search-forward "+++ b/bookshop/stock.py")))
      (should (equal (support-disk "bookshop/stock.py") broken))
      ;; Rejected, nothing is changed.
      (support-key "q"))
    (should-not (get-buffer "*Pennyproof offers*"))
    (should-not (support-buffer "bookshop/stock.py"))

    ;; The light bulb leads there as well; once found, it has the offers themselves.
    (set-buffer test)
    (let* ((actions (eglot-code-actions (point) (point)))
           (titles (mapcar (lambda (action) (plist-get action :title)) actions)))
      (should (cl-some (lambda (title) (string-match-p "fixes" title)) titles))
      (should (cl-some (lambda (title) (string-match-p "Explain the failure" title)) titles)))

    ;; Accepted, it is made in a buffer, which is saved by the user; the tests pass, and nothing else was touched.
    (pennyproof-debug)
    (with-current-buffer (support-offers)
      (let ((others (length pennyproof-offers--offers)))
        (support-key "n")
        (support-key "p")
        (should (= pennyproof-offers--at 0))
        (should (= (length pennyproof-offers--offers) others)))
      (support-key "a"))
    (should (equal (support-disk "bookshop/stock.py") broken))
    (with-current-buffer (support-buffer "bookshop/stock.py")
      (should (buffer-modified-p))
      (save-buffer))
    (should (equal (support-disk "bookshop/stock.py")
                   (string-replace "if copies > shelf.on_hand:" "if copies > shelf.available:" broken)))
    (with-current-buffer (jsonrpc-events-buffer (eglot-current-server))
      (support-wait "the accept" (goto-char (point-min)) (search-forward "pennyproof.accepted" nil t)))
    (set-buffer test)
    (support-wait "no diagnostics" (null (eglot-session-diagnostics)))

    ;; Pages.
    (pennyproof-spend)
    (support-page "spending")
    (pennyproof-rejections)
    (support-page "rejections")

    ;; Cancelled, it says so, and changes nothing.
    (setq support-messages nil)
    (pennyproof-debug t)
    (pennyproof-cancel)
    (support-wait-said "^Pennyproof: .*cancelled")
    (should-not pennyproof--running)
    (should-not (get-buffer "*Pennyproof offers*"))
    (pennyproof-cancel)
    (should (support-said "nothing is under way"))

    ;; The workers start anew.
    (pennyproof-restart-workers)
    (support-wait-said "the workers were ended")

    ;; Killed, the server comes back, with one message of ours, and works.
    (let ((first (eglot-current-server)))
      (signal-process (jsonrpc--process first) 'kill)
      (support-wait "another server"
        (and pennyproof-mode (eglot-current-server) (not (eq (eglot-current-server) first))))
      (support-wait-said "the server ended unexpectedly")
      (should (= (support-count "^Pennyproof: the server ended") 1)))
    (should (string-match-p "failed" (eglot-session-run)))))

(provide 'eglot-session)
;;; eglot-session.el ends here
