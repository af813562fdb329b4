//! The `cargo cspec` command. See [`cargo_cspec`].

/// Trees, programs and states are many small allocations: the system's allocator took a third of the time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    cargo_cspec::main(std::env::args_os()).into()
}
