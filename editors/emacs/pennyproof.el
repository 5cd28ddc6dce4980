;;; pennyproof.el --- A language server that proves its suggestions  -*- lexical-binding: t; -*-

;; Copyright (c) 2026 The Pennyproof authors
;; SPDX-License-Identifier: MIT

;; Author: The Pennyproof authors
;; Version: 0.1.0
;; Package-Requires: ((emacs "29.1") (eglot "1.17"))
;; Keywords: languages, tools

;;; Commentary:

;; Pennyproof completes, explains and debugs Python code, and checks what a
;; model suggests by running your tests before it is offered.  This is its
;; client for Eglot and for lsp-mode:
;;
;;     (require 'pennyproof)
;;     (add-hook 'python-base-mode-hook #'eglot-ensure)
;;
;; M-x pennyproof-menu (C-c ; in a buffer that Pennyproof serves) shows what
;; there is.  README.md beside this file is the whole story.

;;; Code:

(require 'transient)
(require 'pennyproof-ghost)
(require 'pennyproof-offers)
(require 'pennyproof-session)

(with-eval-after-load 'eglot (require 'pennyproof-eglot))
(with-eval-after-load 'lsp-mode (require 'pennyproof-lsp))

;;; Buffers that are served

(defvar pennyproof-mode-map
  (let ((map (make-sparse-keymap)))
    (define-key map (kbd "C-c ;") #'pennyproof-menu)
    map)
  "Keys in buffers that Pennyproof serves.")

(define-minor-mode pennyproof-mode
  "A buffer that Pennyproof serves; turned on by its session."
  :lighter (:eval (pennyproof--lighter))
  (let ((session (and pennyproof-mode (pennyproof-session-here))))
    (pennyproof-ghost-mode (if (and session pennyproof-ghost-text (pennyproof-session-completes-p session)) 1 -1))))

(defun pennyproof--lighter ()
  "The status of the buffer's session, for the mode line."
  (let* ((session (ignore-errors (pennyproof-session-here)))
         (status (and session (pennyproof-session-status session)))
         (message (plist-get status :message))
         (spent (plist-get status :spentTodayUsd)))
    (concat
     " Pennyproof"
     (pcase (plist-get status :kind)
       ("busy" (propertize (format ":%s…" message) 'face 'warning))
       ((or "warning" "error") (propertize ":!" 'face 'error 'help-echo message))
       ("inactive" (propertize ":off" 'face 'shadow 'help-echo message))
       (_ (when status
            (format "[%s%s]" (or (plist-get status :tier) (plist-get status :model) "free")
                    (if (and spent (> spent 0)) (format " $%.4f" spent) ""))))))))

;;; Commands

(defun pennyproof-run (session command argument)
  "Have SESSION run COMMAND with ARGUMENT, as a code action asks for it.
What would change files is shown first."
  (if (member command '("pennyproof.debug" "pennyproof.edit"))
      (pennyproof--look-for-offers session command argument)
    (pennyproof-session-execute session command argument)))

(defun pennyproof--look-for-offers (session command argument)
  "Have SESSION run COMMAND with ARGUMENT, and show what it offers."
  (let ((typed num-nonmacro-input-events))
    (pennyproof-session-execute
     session command (append argument '(:preview t))
     (lambda (result)
       (let* ((offers (append (plist-get result :offers) nil))
              (fitting (seq-filter (lambda (offer) (pennyproof-session-fits-p session (plist-get offer :edit)))
                                   offers)))
         (cond (fitting (pennyproof-offers-show session (plist-get result :root) fitting typed))
               (offers (message "Pennyproof: the text has changed meanwhile: what was found does not fit any more"))
               (t (message "Pennyproof: %s" (plist-get result :reason)))))))
    (message "Pennyproof is at work; %s stops it" (substitute-command-keys "\\[pennyproof-cancel]"))))

(defun pennyproof--target (session)
  "What a command of SESSION is about.
The region, the failing test that is shown in this line, or the place."
  (append (list :uri (pennyproof-session-uri session))
          (if (use-region-p)
              (list :range (pennyproof-session-range session (region-beginning) (region-end)))
            (let ((test (pennyproof-session-test-at session (line-beginning-position) (line-end-position))))
              (if test
                  (list :testId test)
                (list :range (pennyproof-session-range session (point) (point))))))))

(defun pennyproof--here (session)
  "The argument of a command of SESSION that is about the whole project."
  (list :uri (pennyproof-session-uri session)))

;;;###autoload
(defun pennyproof-debug (&optional all)
  "Look for a verified fix of the failing test at point, and show it.
With a prefix argument ALL, of every failing test of the project."
  (interactive "P")
  (let ((session (pennyproof-session)))
    (pennyproof--look-for-offers
     session "pennyproof.debug" (if all (pennyproof--here session) (pennyproof--target session)))))

;;;###autoload
(defun pennyproof-edit (instruction)
  "Have a model edit the region, or the function at point, by INSTRUCTION.
Without an instruction, the function's body is written from its docstring."
  (interactive (progn (barf-if-buffer-read-only)
                      (pennyproof-session)
                      (list (read-string "Edit how? (nothing: write the body from the docstring) "))))
  (let ((session (pennyproof-session)))
    (pennyproof--look-for-offers
     session "pennyproof.edit"
     (append (pennyproof--here session)
             (list :range (if (use-region-p)
                              (pennyproof-session-range session (region-beginning) (region-end))
                            (pennyproof-session-range session (point) (point)))
                   :instruction instruction)))))

;;;###autoload
(defun pennyproof-explain ()
  "Explain the region, the failing test at point, or the name at point."
  (interactive)
  (let ((session (pennyproof-session)))
    (pennyproof-session-execute session "pennyproof.explain" (pennyproof--target session))))

;;;###autoload
(defun pennyproof-run-tests ()
  "Run the project's tests, and show which fail."
  (interactive)
  (let ((session (pennyproof-session)))
    (pennyproof-session-execute
     session "pennyproof.runTests" (pennyproof--here session)
     (lambda (result)
       (message "Pennyproof: %d passed, %d failed in %.1f s" (plist-get result :passed)
                (length (plist-get result :failed)) (plist-get result :seconds))))))

;;;###autoload
(defun pennyproof-spend ()
  "Show what models have cost."
  (interactive)
  (let ((session (pennyproof-session)))
    (pennyproof-session-execute session "pennyproof.showSpend" (pennyproof--here session))))

;;;###autoload
(defun pennyproof-rejections ()
  "Show what the last search tried, and why that was turned away."
  (interactive)
  (let ((session (pennyproof-session)))
    (pennyproof-session-execute session "pennyproof.showLastRejections" (pennyproof--here session))))

;;;###autoload
(defun pennyproof-restart-workers ()
  "Have the next run of tests start new processes."
  (interactive)
  (let ((session (pennyproof-session)))
    (pennyproof-session-execute session "pennyproof.restartWorkers" (pennyproof--here session)
                                (lambda (_) (message "Pennyproof: the workers were ended")))))

;;;###autoload
(defun pennyproof-trust (&optional take-back)
  "Let the project's tests run from now on.
With a prefix argument TAKE-BACK, do not."
  (interactive "P")
  (let ((session (pennyproof-session)))
    (pennyproof-session-execute
     session "pennyproof.trustWorkspace"
     (list :root (pennyproof-session-root session) :trusted (if take-back :json-false t))
     (lambda (result)
       (message "Pennyproof: %s is %strusted" (plist-get result :root) (if take-back "not " ""))))))

;;;###autoload
(defun pennyproof-cancel ()
  "Stop what Pennyproof does for this buffer's session."
  (interactive)
  (when (zerop (pennyproof-session-cancel (pennyproof-session)))
    (message "Pennyproof: nothing is under way")))

;;;###autoload (autoload 'pennyproof-menu "pennyproof" nil t)
(transient-define-prefix pennyproof-menu ()
  "What Pennyproof can do here."
  [["Here"
    ("d" "Find a verified fix" pennyproof-debug)
    ("e" "Explain" pennyproof-explain)
    ("i" "Edit by an instruction" pennyproof-edit)
    ("g" "Complete" pennyproof-complete)]
   ["Project"
    ("t" "Run the tests" pennyproof-run-tests)
    ("w" "Restart the workers" pennyproof-restart-workers)
    ("T" "Trust" pennyproof-trust)]
   ["Session"
    ("s" "Spending" pennyproof-spend)
    ("r" "Rejected candidates" pennyproof-rejections)
    ("k" "Cancel" pennyproof-cancel)]])

(provide 'pennyproof)
;;; pennyproof.el ends here
