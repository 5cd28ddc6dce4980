;;; bad-servers.el --- Servers that are not there, or are not the right ones  -*- lexical-binding: t; -*-

;;; Code:

(require 'support)
(require 'eglot)
(require 'pennyproof)

(defun bad-servers-open (command)
  "Visit a file anew, with COMMAND for a server."
  (let ((old (support-buffer "bookshop/stock.py")))
    (when old (kill-buffer old)))
  (setq support-messages nil
        pennyproof-command command)
  (support-open "bookshop/stock.py"))

(ert-deftest bad-servers ()
  ;; Not installed.
  (bad-servers-open '("pennyproof-that-is-not-there" "serve"))
  (should (support-said "there is no program `pennyproof-that-is-not-there'.*install the server"))
  (should (= (support-count "there is no program") 1))
  (should (string-match-p "M-x eglot" (cadr (should-error (pennyproof-debug) :type 'user-error))))

  ;; Ends at its start: its own last words are told, once.
  (bad-servers-open '("pennyproof" "serve" "--no-such-option"))
  (support-wait-said "the server ended at its start (status 2): .*--no-such-option.*pennyproof doctor")
  (should (= (support-count "the server ended") 1))
  (should-not pennyproof-mode)

  ;; Too old.
  (bad-servers-open '("python" "-c" "import sys, pennyproof; pennyproof.__version__ = '0.0.9'
from pennyproof.cli import main; sys.exit(main(['serve']))"))
  (support-wait-said "the server 0.0.9 is too old")
  (should (= (support-count "too old") 1))
  (eglot-shutdown (eglot-current-server))

  ;; Another server, which Eglot was told to start in Python buffers: there is one for each buffer.
  (let ((eglot-server-programs '((python-mode "ruff" "server"))))
    (bad-servers-open '("pennyproof" "serve"))
    (support-wait "ruff" (eglot-managed-p))
    (should-not pennyproof-mode)
    (should (string-match-p "served by ruff" (cadr (should-error (pennyproof-debug) :type 'user-error))))
    (eglot-shutdown (eglot-current-server)))

  ;; The right one; without a key there is no completion, which is told to who asked by hand only.
  (bad-servers-open '("pennyproof" "serve"))
  (support-wait "the server" pennyproof-mode)
  (setq support-messages nil)
  (goto-char (point-max))
  (insert "\nlater = ")
  (with-current-buffer (current-buffer) (pennyproof-ghost--ask nil))
  (support-wait "the answer" (null pennyproof-ghost--cancel))
  (should-not (support-said "Pennyproof"))
  (pennyproof-complete)
  (support-wait-said "^Pennyproof: no completion.*key")
  (set-buffer-modified-p nil)

  ;; One file without a project: its folder is one.
  (let ((alone (expand-file-name "../alone/test_alone.py" support-root)))
    (make-directory (file-name-directory alone))
    (write-region "def test_alone():\n    assert 1 + 1 == 3\n" nil alone nil 'silent)
    (support-open alone)
    (support-wait "the server" pennyproof-mode)
    (setq support-messages nil)
    (pennyproof-run-tests)
    (support-wait-said "0 passed, 1 failed")
    (support-wait "the diagnostic"
      (flymake-start)
      (flymake-diagnostics))))

(ert-deftest wrong-key ()
  (support-open "bookshop/stock.py")
  (support-wait "the server" pennyproof-mode)
  (goto-char (point-max))
  (insert "\nlater = ")
  (setq support-messages nil)
  (pennyproof-ghost--ask nil)
  (support-wait "the status" (string-match-p ":!" (pennyproof--lighter)))
  (should-not (support-said "Pennyproof"))
  (pennyproof-complete)
  (support-wait-said "^Pennyproof: no completion: .*key")
  (set-buffer-modified-p nil))

(provide 'bad-servers)
;;; bad-servers.el ends here
