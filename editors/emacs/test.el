;;; test.el --- uses Emacs as a user does, without a screen  -*- lexical-binding: t; -*-

;; Opens a file, sees no findings, makes a mistake, sees it underlined at the right place, applies the quick fix, and sees the finding
;; disappear.  Run by `cargo test -p cspec-lsp --test emacs', which sets the file, and the operation that gets a false claim to move left.

(require 'rust-mode)
(load (getenv "CSPEC_PLUGIN") nil t)
(require 'flymake)

(setq eglot-sync-connect 60 eglot-connect-timeout 60 eglot-autoshutdown t
      eglot-confirm-server-initiated-edits nil
      flymake-no-changes-timeout 0.1)

;; The answer to a request for quick fixes tries each of them, which takes longer than ten seconds on a loaded machine.
(defvar jsonrpc-default-request-timeout)
(setq jsonrpc-default-request-timeout 60)

(defconst patience 60 "Longer than anything should take, in seconds.")

(defun wait-for (what condition)
  "Wait until CONDITION holds; WHAT is said then."
  (let ((end (time-add nil patience)) found)
    (while (not (or (setq found (funcall condition)) (time-less-p end nil)))
      (accept-process-output nil 0.05)
      (flymake-start))
    (unless found
      (message "FAILED: %s never came; findings: %S" what (mapcar #'flymake-diagnostic-text (flymake-diagnostics)))
      (kill-emacs 1))
    (message "ok: %s" what)
    found))

(find-file (getenv "CSPEC_FILE"))
(rust-mode)
(apply #'eglot (eglot--guess-contact))
(message "ok: a server for the buffer")

(defun settled ()
  "Whether nothing is being explored."
  (let ((packages (jsonrpc-request (eglot-current-server) :cspec/layers nil)))
    (and (> (length packages) 0)
         (seq-every-p (lambda (it) (equal (plist-get (plist-get it :status) :phase) "settled")) packages))))

(wait-for "all verdicts" #'settled)
(wait-for "no findings before there is a mistake" (lambda () (null (flymake-diagnostics))))

;; The mistake: the operation is claimed to move left.
(goto-char (point-min))
(search-forward (concat "fn " (getenv "CSPEC_OPERATION") "(&mut self"))
(search-backward "#[op]")
(forward-char (length "#[op"))
(insert "(left)")
(backward-char (length "left)"))
(defvar claim (point))
(eglot--signal-textDocument/didChange)
(wait-for "a mistake underlined under the claim"
          (lambda () (seq-find (lambda (it) (= (flymake-diagnostic-beg it) claim)) (flymake-diagnostics))))

;; The quick fix.
(defun fix ()
  "The fix that corrects the claim."
  (seq-find (lambda (it) (string-prefix-p "Correct the claim" (plist-get it :title)))
            (eglot-code-actions claim claim)))
(defvar found (wait-for "a quick fix that corrects the claim" #'fix))
(eglot--apply-workspace-edit (plist-get found :edit))
(eglot--signal-textDocument/didChange)
(wait-for "the end of the finding" (lambda () (null (flymake-diagnostics))))
(goto-char claim)
(message "fixed: %s" (string-trim (thing-at-point 'line t)))
(set-buffer-modified-p nil)
(eglot-shutdown (eglot-current-server))
(message "ok: the end of the server")
(kill-emacs 0)

;;; test.el ends here
