//! The `cspec-lsp` program: the language server on standard input and output. See [`cspec_lsp`].

/// Trees, programs and states are many small allocations: the system's allocator took a third of the time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    if std::env::args().nth(1).is_some_and(|it| it == "--version") {
        println!("cspec-lsp {}", env!("CARGO_PKG_VERSION"));
        return std::process::ExitCode::SUCCESS;
    }
    if cspec_lsp::run_stdio() { std::process::ExitCode::SUCCESS } else { std::process::ExitCode::FAILURE }
}
