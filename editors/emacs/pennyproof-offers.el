;;; pennyproof-offers.el --- Look at offers before one is accepted  -*- lexical-binding: t; -*-

;; Copyright (c) 2026 The Pennyproof authors
;; SPDX-License-Identifier: MIT

;;; Commentary:

;; What `pennyproof.debug' and `pennyproof.edit' found, one diff at a time,
;; titled with its evidence.  Nothing is changed before one is accepted.

;;; Code:

(require 'diff-mode)
(require 'pennyproof-session)

(defvar-local pennyproof-offers--session nil "Whose offers they are.")
(defvar-local pennyproof-offers--offers nil "All of them, best first.")
(defvar-local pennyproof-offers--texts nil "File → its text when the offers came.")
(defvar-local pennyproof-offers--at 0 "Which one is shown.")

(defvar pennyproof-offers-mode-map
  (let ((map (make-sparse-keymap)))
    (define-key map "a" #'pennyproof-offers-accept)
    (define-key map (kbd "C-c C-c") #'pennyproof-offers-accept)
    (define-key map "q" #'pennyproof-offers-reject)
    (define-key map "n" #'pennyproof-offers-next)
    (define-key map "p" #'pennyproof-offers-previous)
    map)
  "Keys in the list of offers.")

(define-derived-mode pennyproof-offers-mode diff-mode "Offers"
  "Diffs that Pennyproof offers, one at a time.")

(defun pennyproof-offers-show (session root offers typed)
  "Show OFFERS of SESSION for the project in the folder ROOT.
Their window is selected where no key was typed since TYPED, a value of
`num-nonmacro-input-events': else keys that were meant for another window
would accept or reject something."
  (with-current-buffer (get-buffer-create "*Pennyproof offers*")
    (pennyproof-offers-mode)
    (setq default-directory (file-name-as-directory root)
          pennyproof-offers--session session
          pennyproof-offers--offers offers
          pennyproof-offers--texts (pennyproof-offers--texts-of session offers))
    (pennyproof-offers--display 0)
    (if (= typed num-nonmacro-input-events)
        (pop-to-buffer (current-buffer))
      (display-buffer (current-buffer))
      (message "Pennyproof: there is an offer in the other window"))))

(defun pennyproof-offers--display (at)
  "Show the offer AT this place in the list."
  (let* ((offer (nth at pennyproof-offers--offers))
         (count (length pennyproof-offers--offers))
         (inhibit-read-only t))
    (setq pennyproof-offers--at at)
    (erase-buffer)
    (insert (plist-get offer :diff))
    (goto-char (point-min))
    (setq buffer-read-only t
          header-line-format
          (format " %s%s" (if (> count 1) (format "%d of %d: " (1+ at) count) "")
                  ;; A header line is a mode line's format, in which % has a meaning.
                  (string-replace "%" "%%" (pennyproof-offers--title offer)))
          mode-line-format
          (substitute-command-keys
           (concat " \\[pennyproof-offers-accept] accepts, \\[pennyproof-offers-reject] rejects"
                   (when (> count 1)
                     ", \\[pennyproof-offers-next] and \\[pennyproof-offers-previous] show the others"))))
    (set-buffer-modified-p nil)
    (font-lock-ensure)))

(defun pennyproof-offers--title (offer)
  "What OFFER does, and its evidence."
  (or (plist-get offer :title)
      (format "%s: %s" (plist-get offer :summary) (plist-get (plist-get offer :verdict) :level))))

(defun pennyproof-offers--texts-of (session offers)
  "The files that OFFERS of SESSION change, and their texts now."
  (let (found)
    (dolist (offer offers found)
      (seq-doseq (change (plist-get (plist-get offer :edit) :documentChanges))
        (let* ((uri (or (plist-get change :uri) (plist-get (plist-get change :textDocument) :uri)))
               (path (pennyproof-session-path session uri)))
          (unless (assoc path found)
            (push (cons path (pennyproof-offers--text path)) found)))))))

(defun pennyproof-offers--text (path)
  "The text of the file PATH as Emacs has it now, or nil."
  (let ((buffer (find-buffer-visiting path)))
    (cond (buffer (with-current-buffer buffer
                    (save-restriction
                      (widen)
                      (buffer-substring-no-properties (point-min) (point-max)))))
          ((file-readable-p path) (with-temp-buffer
                                    (insert-file-contents path)
                                    (buffer-string))))))

(defun pennyproof-offers--changed ()
  "The files whose text is another than when the offers came."
  (cl-loop for (path . text) in pennyproof-offers--texts
           unless (equal text (pennyproof-offers--text path)) collect path))

(defun pennyproof-offers--unversioned (edit)
  "EDIT without versions: they change when something is typed and undone."
  (list :documentChanges
        (vconcat (mapcar (lambda (change)
                           (let ((document (plist-get change :textDocument)))
                             (if (not document)
                                 change
                               (plist-put (copy-sequence change) :textDocument
                                          (plist-put (copy-sequence document) :version nil)))))
                         (plist-get edit :documentChanges)))))

(defun pennyproof-offers-accept ()
  "Make the edit that is shown, in buffers that are left to be saved."
  (interactive nil pennyproof-offers-mode)
  (let ((session pennyproof-offers--session)
        (offer (nth pennyproof-offers--at pennyproof-offers--offers))
        (stale (pennyproof-offers--changed)))
    (when stale
      (user-error "%s has changed since, so this was not proved for it: ask again" (abbreviate-file-name (car stale))))
    (pennyproof-session-apply session (pennyproof-offers--unversioned (plist-get offer :edit)))
    (pennyproof-session-execute session "pennyproof.accepted" (list :offerId (plist-get offer :id)))
    (let ((edited (pennyproof-offers--changed)))
      (quit-window t)
      (display-buffer (find-file-noselect (car edited)))
      (message "Pennyproof: edited %s, not saved yet"
               (string-join (mapcar #'file-name-nondirectory edited) ", ")))))

(defun pennyproof-offers-reject ()
  "Change nothing."
  (interactive nil pennyproof-offers-mode)
  (quit-window t)
  (message "Pennyproof: nothing was changed"))

(defun pennyproof-offers-next (&optional count)
  "Show the next offer, or the one COUNT further."
  (interactive "p" pennyproof-offers-mode)
  (pennyproof-offers--display (mod (+ pennyproof-offers--at (or count 1)) (length pennyproof-offers--offers))))

(defun pennyproof-offers-previous (&optional count)
  "Show the previous offer, or the one COUNT back."
  (interactive "p" pennyproof-offers-mode)
  (pennyproof-offers-next (- (or count 1))))

(provide 'pennyproof-offers)
;;; pennyproof-offers.el ends here
