//! The `cargo cspec` command. See [`cargo_cspec`].

fn main() -> std::process::ExitCode {
    cargo_cspec::main(std::env::args_os()).into()
}
