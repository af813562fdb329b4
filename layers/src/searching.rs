//! `cspec::search!`: runs `cargo cspec search` in a test of the user's crate.
//!
//! The engine is not part of this crate: building it would cost every user minutes. So the macro runs the installed command. A test passes only
//! if the command has searched this client and found nothing; a missing command, a client that it does not know, and a search that came to no
//! end are failures.

use std::{
    env,
    ffi::OsString,
    io,
    process::{Command, Output},
};

/// The environment variable with the path of the command.
const VARIABLE: &str = "CARGO_CSPEC";

/// Searches a client of the package in a folder. Prints what was searched.
///
/// # Panics
/// With the finding, if there is one; or with the reason why nothing was searched.
#[doc(hidden)]
#[track_caller]
pub fn search(folder: &str, client: &str) {
    let command = env::var_os(VARIABLE).filter(|it| !it.is_empty()).unwrap_or_else(|| OsString::from("cargo-cspec"));
    match judged(run(&command, folder, client), &command, client) {
        Ok(searched) => println!("{searched}"),
        Err(why) => panic!("{why}"),
    }
}

fn run(command: &OsString, folder: &str, client: &str) -> io::Result<Output> {
    let manifest = format!("{folder}/Cargo.toml");
    // The test has been compiled, so rustc has nothing to add.
    let arguments = ["search", client, "--manifest-path", &manifest, "--no-rustc", "--verbose", "--color", "never"];
    Command::new(command).args(arguments).current_dir(folder).output()
}

/// What was searched; or why the test fails.
fn judged(ran: io::Result<Output>, command: &OsString, client: &str) -> Result<String, String> {
    let name = command.to_string_lossy();
    let output = match ran {
        Ok(output) => output,
        Err(error) => {
            return Err(format!(
                "nothing was searched: `cspec::search!({client})` runs the command `{name}`, which cannot be started: {error}\n\
                 help: install it with `cargo install cargo-cspec`, or set {VARIABLE} to its path"
            ));
        }
    };
    let told = [String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr)].concat();
    // The command lists what it has searched. Something else may have the name of the client.
    let is_client = |it: &&str| it.contains(": end-to-end traces ") && it.contains(&format!("::{client} with "));
    let searched: Vec<&str> = told.lines().filter(is_client).map(str::trim).collect();
    match output.status.code() {
        Some(0) if !searched.is_empty() => Ok(searched.join("\n")),
        Some(0) => Err(format!(
            "nothing was searched: `{client}` is not a `#[client]` that `{name} search` finds here\n\n{told}"
        )),
        Some(1) => Err(format!("`cspec::search!({client})` found a run that goes wrong\n\n{told}")),
        Some(3) => Err(format!("`cspec::search!({client})` is undecided: the search came to no end\n\n{told}")),
        status => {
            let status = status.map_or_else(|| "a signal".to_owned(), |it| format!("status {it}"));
            Err(format!("nothing was searched: `{name} search {client}` ended with {status}\n\n{told}"))
        }
    }
}

/// Searches a `#[client]` in every order of the steps of its processes, as `cargo cspec search` does, in a `#[test]`.
///
/// ```ignore
/// #[test]
/// fn increments_are_counted() {
///     cspec::search!(increments);
/// }
/// ```
///
/// The client is named by its path. The macro runs the command `cargo-cspec`, found in `PATH`, or the one that the environment variable
/// `CARGO_CSPEC` names. It panics with the finding, which ends with a line for `cargo cspec replay`; and if the search is undecided, or if
/// nothing was searched.
#[macro_export]
macro_rules! search {
    ($first:ident $(:: $more:ident)* $(,)?) => {{
        // The compiler checks that there is such a function.
        #[allow(unused_imports)]
        use $first $(:: $more)* as _;
        $crate::searching::search(
            ::core::env!("CARGO_MANIFEST_DIR"),
            $crate::searching::last(&[::core::stringify!($first) $(, ::core::stringify!($more))*]),
        )
    }};
}

/// The last segment of a path.
#[doc(hidden)]
pub fn last<'a>(segments: &[&'a str]) -> &'a str {
    segments.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a shell script in the place of the command comes to.
    #[cfg(unix)]
    fn after(script: &str) -> Result<String, String> {
        let ran = Command::new("sh").args(["-c", script]).output();
        judged(ran, &OsString::from("cargo-cspec"), "increments")
    }

    #[cfg(unix)]
    #[test]
    fn only_a_search_of_this_client_that_finds_nothing_passes() {
        let line = "  checked    Stack: end-to-end traces Counter::increments with 2 processes";
        assert_eq!(after(&format!("echo '{line}'")), Ok(line.trim().to_owned()));
        let fails = |script: &str, why: &str| {
            let told = after(script).expect_err(script);
            assert!(told.contains(why), "{script}: {told}");
        };
        fails("echo passed", "is not a `#[client]`");
        fails(&format!("echo '{line}' | sed s/increments/others/"), "is not a `#[client]`");
        fails(&format!("echo '{line}'; exit 1"), "goes wrong");
        fails(&format!("echo '{line}'; exit 3"), "undecided");
        fails(&format!("echo '{line}'; exit 101"), "status 101");
        fails(&format!("echo '{line}'; kill -9 $$"), "a signal");
    }

    #[test]
    fn a_missing_command_is_said() {
        let command = OsString::from("/no/such/cargo-cspec");
        let told = judged(run(&command, ".", "increments"), &command, "increments").expect_err("there is none");
        assert!(told.contains("nothing was searched") && told.contains("cargo install"), "{told}");
    }
}
