;;; pennyproof-ghost.el --- Completions as ghost text  -*- lexical-binding: t; -*-

;; Copyright (c) 2026 The Pennyproof authors
;; SPDX-License-Identifier: MIT

;;; Commentary:

;; Eglot has no inline completions; this minor mode asks for them when Emacs
;; is idle after an edit, and shows the answer behind the cursor.  An answer
;; for a text or a place that is not current any more is dropped.

;;; Code:

(require 'pennyproof-session)

(defcustom pennyproof-ghost-delay 0.1
  "Seconds without a key after which a completion is asked for."
  :type 'number
  :group 'pennyproof)

(defface pennyproof-ghost '((t :inherit shadow))
  "Ghost text."
  :group 'pennyproof)

(defvar pennyproof-ghost-map
  (let ((map (make-sparse-keymap)))
    (dolist (key '("TAB" "<tab>")) (define-key map (kbd key) #'pennyproof-ghost-accept))
    (dolist (key '("M-<right>" "M-f")) (define-key map (kbd key) #'pennyproof-ghost-accept-word))
    (define-key map (kbd "C-g") #'pennyproof-ghost-dismiss)
    map)
  "Keys while ghost text is shown.")

(defvar-local pennyproof-ghost--overlay nil "What shows the ghost text, while it is shown.")
(defvar-local pennyproof-ghost--item nil "The completion that is shown, as the server sent it.")
(defvar-local pennyproof-ghost--text nil "The part of it that is not in the buffer yet.")
(defvar-local pennyproof-ghost--place nil "Point, and the size of the text after it, when that was shown.")
(defvar-local pennyproof-ghost--tick nil "The state of the text at the last look.")
(defvar-local pennyproof-ghost--timer nil "What will ask.")
(defvar-local pennyproof-ghost--cancel nil "Cancels the request that is under way.")

;; Before the maps of other minor modes, as TAB has a meaning in many of them.
(defvar pennyproof-ghost--maps `((pennyproof-ghost--overlay . ,pennyproof-ghost-map)))
(add-to-list 'emulation-mode-map-alists 'pennyproof-ghost--maps)

;;;###autoload
(define-minor-mode pennyproof-ghost-mode
  "Show completions as ghost text.
\\<pennyproof-ghost-map>\\[pennyproof-ghost-accept] takes what is shown, \
\\[pennyproof-ghost-accept-word] its first word,
\\[pennyproof-ghost-dismiss] or any other move hides it, and typing goes through it."
  :group 'pennyproof
  (pennyproof-ghost--forget)
  (if pennyproof-ghost-mode
      (progn (setq pennyproof-ghost--tick (buffer-chars-modified-tick))
             (add-hook 'post-command-hook #'pennyproof-ghost--after-command nil t))
    (remove-hook 'post-command-hook #'pennyproof-ghost--after-command t)))

(defun pennyproof-ghost--after-command ()
  "Keep up with what the last command did."
  (let ((edited (/= pennyproof-ghost--tick (buffer-chars-modified-tick))))
    (setq pennyproof-ghost--tick (buffer-chars-modified-tick))
    (when pennyproof-ghost--overlay
      (unless (pennyproof-ghost--keep edited) (pennyproof-ghost--hide)))
    (when (and edited (not pennyproof-ghost--overlay))
      (pennyproof-ghost--ask-soon))))

(defun pennyproof-ghost--keep (edited)
  "Whether what is shown still fits, where the text was EDITED or not.
Of what is typed through, the rest stays."
  (pcase-let* ((`(,place . ,after) pennyproof-ghost--place)
               (typed (and edited (> (point) place) (= after (- (point-max) (point)))
                           (buffer-substring-no-properties place (point)))))
    (cond ((and typed (string-prefix-p typed pennyproof-ghost--text)
                (< (length typed) (length pennyproof-ghost--text)))
           (pennyproof-ghost--display (substring pennyproof-ghost--text (length typed)))
           t)
          (t (and (not edited) (= (point) place))))))

(defun pennyproof-ghost--ask-soon ()
  "Ask for a completion once Emacs is idle."
  (when (timerp pennyproof-ghost--timer) (cancel-timer pennyproof-ghost--timer))
  (setq pennyproof-ghost--timer
        (run-with-idle-timer pennyproof-ghost-delay nil
                             (lambda (buffer)
                               (when (eq buffer (window-buffer))
                                 (with-current-buffer buffer
                                   (pennyproof-ghost--ask nil))))
                             (current-buffer))))

(defun pennyproof-ghost--ask (invoked)
  "Ask for a completion here; INVOKED by hand or not."
  (pennyproof-ghost--forget)
  (let ((session (pennyproof-session-here))
        (asked (list (buffer-chars-modified-tick) (point))))
    (when (and session (pennyproof-session-completes-p session)
               (not (or buffer-read-only completion-in-region-mode (use-region-p))))
      (setq pennyproof-ghost--cancel
            (pennyproof-session-request
             session "textDocument/inlineCompletion"
             (list :textDocument (list :uri (pennyproof-session-uri session))
                   :position (pennyproof-session-position session (point))
                   :context (list :triggerKind (if invoked 1 2)))
             (lambda (answer)
               (setq pennyproof-ghost--cancel nil)
               (let ((items (if (listp answer) (plist-get answer :items) answer)))
                 (cond ((not (equal asked (list (buffer-chars-modified-tick) (point)))))
                       ((> (length items) 0) (pennyproof-ghost--show session (elt items 0)))
                       (invoked (pennyproof-ghost--say-none session)))))
             (lambda (reason)
               (setq pennyproof-ghost--cancel nil)
               ;; Nobody asked for it by hand, so the status tells, and nothing else does.
               (when invoked (message "Pennyproof: %s" reason))))))))

(defun pennyproof-ghost--say-none (session)
  "Tell that SESSION has no completion here, and why, where it said so."
  (let ((status (pennyproof-session-status session)))
    (message "Pennyproof: no completion%s"
             (if (equal (plist-get status :kind) "warning") (concat ": " (plist-get status :message)) " here"))))

(defun pennyproof-ghost--show (session item)
  "Show ITEM, a completion of SESSION's."
  (setq pennyproof-ghost--item item)
  (pennyproof-ghost--display (plist-get item :insertText))
  (pennyproof-session-notify session "textDocument/didShowCompletion" (list :item item)))

(defun pennyproof-ghost--display (text)
  "Show TEXT behind the cursor."
  (let ((shown (propertize text 'face 'pennyproof-ghost)))
    ;; Else the cursor would stand behind it.
    (put-text-property 0 1 'cursor t shown)
    (unless pennyproof-ghost--overlay
      (setq pennyproof-ghost--overlay (make-overlay (point) (point) nil t nil)))
    (move-overlay pennyproof-ghost--overlay (point) (point))
    (overlay-put pennyproof-ghost--overlay 'after-string shown)
    (setq pennyproof-ghost--text text
          pennyproof-ghost--place (cons (point) (- (point-max) (point))))))

(defun pennyproof-ghost--hide ()
  "Show nothing."
  (when pennyproof-ghost--overlay (delete-overlay pennyproof-ghost--overlay))
  (setq pennyproof-ghost--overlay nil))

(defun pennyproof-ghost--forget ()
  "Show nothing, and wait for nothing."
  (pennyproof-ghost--hide)
  (when (timerp pennyproof-ghost--timer) (cancel-timer pennyproof-ghost--timer))
  (when pennyproof-ghost--cancel (funcall pennyproof-ghost--cancel))
  (setq pennyproof-ghost--timer nil
        pennyproof-ghost--cancel nil))

;;;###autoload
(defun pennyproof-complete ()
  "Ask for a completion at point now."
  (interactive)
  (pennyproof-session)
  (unless pennyproof-ghost-mode (pennyproof-ghost-mode 1))
  (pennyproof-ghost--ask t))

(defun pennyproof-ghost-accept ()
  "Insert the ghost text."
  (interactive)
  (let ((text pennyproof-ghost--text)
        (session (pennyproof-session-here))
        (command (plist-get pennyproof-ghost--item :command)))
    (pennyproof-ghost--hide)
    (insert text)
    (when (and session command)
      (pennyproof-session-execute session (plist-get command :command) (elt (plist-get command :arguments) 0)))))

(defun pennyproof-ghost-accept-word ()
  "Insert the first word of the ghost text; the rest stays."
  (interactive)
  (let* ((text pennyproof-ghost--text)
         (end (progn (string-match "\\`[[:space:]]*\\(?:[[:alnum:]_]+\\|[^[:alnum:]_[:space:]]+\\)?" text)
                     (match-end 0)))
         (whole (plist-get pennyproof-ghost--item :insertText))
         (session (pennyproof-session-here)))
    (if (= end (length text))
        (pennyproof-ghost-accept)
      (insert (substring text 0 end))
      (when session
        (pennyproof-session-notify session "textDocument/didPartiallyAcceptCompletion"
                                   (list :item pennyproof-ghost--item
                                         :acceptedLength (- (length whole) (- (length text) end))))))))

(defun pennyproof-ghost-dismiss ()
  "Hide the ghost text."
  (interactive)
  (pennyproof-ghost--forget))

(provide 'pennyproof-ghost)
;;; pennyproof-ghost.el ends here
