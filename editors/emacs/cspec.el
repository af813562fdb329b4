;;; cspec.el --- cspec with eglot  -*- lexical-binding: t; -*-

;; Put this into your init file.  Eglot runs one server in a buffer.  `rass' (pip install rassumfrassum) combines several servers into
;; one: if it is on the path, cspec runs beside rust-analyzer; without it, cspec runs alone.

(require 'eglot)

(defun cspec-eglot-contact (&optional _interactive)
  "The server for Rust buffers: rust-analyzer and cspec, or cspec alone."
  (if (executable-find "rass")
      '("rass" "--" "rust-analyzer" "--" "cargo-cspec" "lsp")
    '("cargo-cspec" "lsp")))

(add-to-list 'eglot-server-programs '((rust-mode rust-ts-mode) . cspec-eglot-contact))

(defun cspec-check ()
  "Explore again, in the scope of the settings."
  (interactive)
  (eglot-execute-command (eglot--current-server-or-lose) "cspec.check" []))

;;; cspec.el ends here
