;;; pennyproof-page.el --- Pages of Pennyproof, such as explanations  -*- lexical-binding: t; -*-

;; Copyright (c) 2026 The Pennyproof authors
;; SPDX-License-Identifier: MIT

;;; Commentary:

;; The server keeps its pages as markdown files, and goes on writing while
;; they are shown.  They are displayed by the face of their text; by
;; `gfm-view-mode' where the package markdown-mode is there.

;;; Code:

(require 'autorevert)

(defvar pennyproof-page-font-lock
  '(("^```\\(?:.\\|\n\\)*?\n```$" . 'fixed-pitch)
    ("^#+ .*$" . 'bold)
    ("`[^`\n]+`" . 'font-lock-constant-face)
    ("\\*\\*[^*\n]+\\*\\*" . 'bold)
    ("^ *[-*] " . 'font-lock-keyword-face)
    ("^> .*$" . 'font-lock-doc-face))
  "What is seen of markdown without the package `markdown-mode'.")

(defvar pennyproof-page-keys
  (let ((map (make-sparse-keymap)))
    (define-key map "q" #'quit-window)
    map)
  "Keys on a page.")

(define-derived-mode pennyproof-page-plain-mode special-mode "Page"
  "Markdown, to be read."
  (setq-local font-lock-defaults '(pennyproof-page-font-lock t)
              font-lock-multiline t))

(define-minor-mode pennyproof-page-mode
  "A page that Pennyproof wrote, and may still be writing."
  :keymap pennyproof-page-keys
  (setq-local auto-revert-verbose nil)
  (setq buffer-read-only t)
  (add-hook 'after-revert-hook #'font-lock-ensure nil t)
  (auto-revert-mode (if pennyproof-page-mode 1 -1)))

(defun pennyproof-page-show (path)
  "Show the page that is the file PATH, and do not select its window."
  (let* ((known (find-buffer-visiting path))
         ;; No mode of the user's for markdown files, which may start servers and checkers.
         (buffer (or known (let ((auto-mode-alist nil) (magic-mode-alist nil) (enable-local-variables nil))
                             (find-file-noselect path t)))))
    (with-current-buffer buffer
      (if known
          (revert-buffer t t t)
        (if (fboundp 'gfm-view-mode) (gfm-view-mode) (pennyproof-page-plain-mode))
        (visual-line-mode 1)
        (pennyproof-page-mode 1)
        (rename-buffer (format "*Pennyproof %s*" (replace-regexp-in-string "[-.].*" "" (file-name-nondirectory path)))
                       t)))
    (display-buffer buffer)
    buffer))

(provide 'pennyproof-page)
;;; pennyproof-page.el ends here
