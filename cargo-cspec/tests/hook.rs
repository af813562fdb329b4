//! Tests of the git hook, run by git and by the pre-commit framework: it reads only the index.

mod support;

use std::{
    env, fs,
    path::Path,
    process::{Command, Output},
};

use support::{Folder, TAKES_PART, cspec, package, status, stderr, stdout};

const COUNTER: &str = include_str!("counter/lib.rs");

/// The counter with a mistake: `read` before `acquire`.
fn mistaken() -> String {
    let right = "        lo.acquire();\n        let seen = lo.read();\n";
    assert!(COUNTER.contains(right));
    COUNTER.replacen(right, "        let seen = lo.read();\n        lo.acquire();\n", 1)
}

/// Runs a program in a folder, with the built command in `PATH`, and without the git settings of this machine.
fn run(folder: &Path, program: &str, arguments: &[&str]) -> Output {
    let built = Path::new(env!("CARGO_BIN_EXE_cargo-cspec")).parent().expect("it is in a folder").to_owned();
    let path = env::split_paths(&env::var_os("PATH").unwrap_or_default()).collect::<Vec<_>>();
    let path = env::join_paths([built].into_iter().chain(path)).expect("the path is a path");
    let mut command = Command::new(program);
    for (name, _) in env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("GIT_")) {
        command.env_remove(name);
    }
    command.args(arguments).current_dir(folder).env("PATH", path).env("GIT_CONFIG_GLOBAL", "/dev/null");
    command.env("GIT_CONFIG_NOSYSTEM", "1");
    command.env("PRE_COMMIT_HOME", folder.join(".git/frameworks")).env("PREK_HOME", folder.join(".git/frameworks"));
    command.output().unwrap_or_else(|error| panic!("{program}: {error}"))
}

fn git(folder: &Path, arguments: &[&str]) -> Output {
    run(folder, "git", arguments)
}

#[track_caller]
fn git_succeeds(folder: &Path, arguments: &[&str]) {
    let output = git(folder, arguments);
    assert_eq!(status(&output), Some(0), "git {arguments:?}: {}{}", stdout(&output), stderr(&output));
}

/// A repository with the counter committed and the hook installed.
fn repository() -> Folder {
    let counter = package("counter", TAKES_PART, COUNTER);
    counter.write(".gitignore", "target\nCargo.lock\n.cache\n");
    for arguments in [
        &["init", "-q", "-b", "main"][..],
        &["config", "user.name", "somebody"],
        &["config", "user.email", "somebody@example.org"],
        &["add", "-A"],
        &["commit", "-q", "-m", "a counter"],
    ] {
        git_succeeds(&counter, arguments);
    }
    let installed = cspec(&counter, &["hook", "install"]);
    assert_eq!(status(&installed), Some(0), "{}", stderr(&installed));
    counter
}

/// The output of a commit, and whether it was made.
fn commit(folder: &Path, more: &[&str]) -> (bool, String) {
    let output = git(folder, &[&["commit", "-q", "-m", "a change"], more].concat());
    (status(&output) == Some(0), format!("{}{}", stdout(&output), stderr(&output)))
}

#[test]
fn a_mistake_is_stopped_at_the_door() {
    let counter = repository();
    counter.write("src/lib.rs", mistaken());
    git_succeeds(&counter, &["add", "-A"]);
    let (made, said) = commit(&counter, &[]);
    assert!(!made, "{said}");
    assert!(said.contains("error[CS0401]"), "{said}");
    assert!(said.lines().count() <= 24, "it fits on a screen:\n{said}");
}

#[test]
fn what_is_right_is_committed_without_a_word() {
    let counter = repository();
    counter.write("src/lib.rs", COUNTER.replace("seen + 1", "1 + seen"));
    git_succeeds(&counter, &["add", "-A"]);
    assert_eq!(commit(&counter, &[]), (true, String::new()));
}

#[test]
fn the_index_counts_and_not_the_disk() {
    let counter = repository();
    // The mistake is staged, and corrected only on disk.
    counter.write("src/lib.rs", mistaken());
    git_succeeds(&counter, &["add", "-A"]);
    counter.write("src/lib.rs", COUNTER);
    let (made, said) = commit(&counter, &[]);
    assert!(!made, "{said}");
    // The mistake is on disk only.
    counter.write("src/lib.rs", format!("// A comment.\n{COUNTER}"));
    git_succeeds(&counter, &["add", "-A"]);
    counter.write("src/lib.rs", mistaken());
    assert_eq!(commit(&counter, &[]), (true, String::new()));
    assert_eq!(
        fs::read_to_string(counter.join("src/lib.rs")).expect("the file"),
        mistaken(),
        "the disk is not touched"
    );
}

#[test]
fn commit_with_paths_has_an_index_of_its_own() {
    let counter = repository();
    counter.write("src/lib.rs", mistaken());
    let (made, said) = commit(&counter, &["src/lib.rs"]);
    assert!(!made, "{said}");
    let (made, said) = commit(&counter, &["-a"]);
    assert!(!made, "{said}");
}

#[test]
fn a_module_that_was_not_added_is_absent() {
    let counter = repository();
    counter.write("src/lib.rs", format!("mod more;\n{COUNTER}"));
    counter.write("src/more.rs", "");
    git_succeeds(&counter, &["add", "src/lib.rs"]);
    let (made, said) = commit(&counter, &[]);
    assert!(!made, "{said}");
    assert!(said.contains("the file of module `more` does not exist"), "{said}");
    git_succeeds(&counter, &["add", "-A"]);
    let (made, said) = commit(&counter, &[]);
    assert!(made, "{said}");
}

#[test]
fn only_what_the_change_affects_is_checked() {
    let counter = repository();
    counter.write("src/lib.rs", mistaken());
    git_succeeds(&counter, &["commit", "-q", "--no-verify", "-a", "-m", "a mistake, in haste"]);
    // The mistake is not in this commit.
    counter.write("src/lib.rs", format!("// A comment.\n{}", mistaken()));
    git_succeeds(&counter, &["add", "-A"]);
    assert_eq!(commit(&counter, &[]), (true, String::new()));
    // Other kinds of files are not checked.
    counter.write("README.md", "A counter.\n");
    git_succeeds(&counter, &["add", "-A"]);
    assert_eq!(commit(&counter, &[]), (true, String::new()));
}

#[test]
fn what_is_undecided_is_stopped_unless_the_settings_allow_it() {
    let counter = repository();
    let endless = "
#[state]
pub struct Log {
    pub bits: Seq<bool>,
}

#[layer]
impl Noise for Log {
    #[op]
    fn record(&mut self, me: Pid) {
        for _ in 0..60 {
            self.bits.push(maybe());
        }
    }
}
";
    counter.write("src/lib.rs", format!("{COUNTER}{endless}"));
    let settings = |allow: bool| {
        format!(
            "[package]\nname = \"counter\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[workspace]\n\
             [package.metadata.cspec]\nscope.budget = 1_000_000_000_000\nhook = {{ budget = \"500ms\", allow-undecided = {allow} }}\n"
        )
    };
    counter.write("Cargo.toml", settings(false));
    git_succeeds(&counter, &["add", "-A"]);
    let (made, said) = commit(&counter, &[]);
    assert!(!made && said.contains("not checked within 500ms"), "{said}");
    counter.write("Cargo.toml", settings(true));
    git_succeeds(&counter, &["add", "-A"]);
    let (made, said) = commit(&counter, &[]);
    assert!(made && said.contains("not checked within 500ms"), "{said}");
}

#[test]
fn check_can_look_at_the_index_too() {
    let counter = repository();
    counter.write("src/lib.rs", mistaken());
    assert_eq!(status(&cspec(&counter, &["check", "-q", "--staged"])), Some(0));
    git_succeeds(&counter, &["add", "-A"]);
    assert_eq!(status(&cspec(&counter, &["check", "-q", "--staged"])), Some(1));
}

#[test]
fn install_and_uninstall_leave_other_hooks_alone() {
    let counter = repository();
    assert_eq!(status(&cspec(&counter, &["hook", "install"])), Some(0), "a second time is no harm");
    assert_eq!(status(&cspec(&counter, &["hook", "uninstall"])), Some(0));
    let hook = counter.join(".git/hooks/pre-commit");
    assert!(!hook.exists());
    fs::write(&hook, "#!/bin/sh\nexit 0\n").expect("a hook can be written");
    for command in ["install", "uninstall"] {
        let output = cspec(&counter, &["hook", command]);
        assert_eq!(status(&output), Some(2), "{command}");
        assert!(hook.exists(), "{command}");
    }
    let refused = cspec(&counter, &["hook", "install"]);
    assert!(stderr(&refused).contains("add this line to it: cargo cspec hook run"), "{}", stderr(&refused));
}

#[test]
fn a_workspace_in_a_folder_is_found_again() {
    let folder = Folder::new();
    git_succeeds(&folder, &["init", "-q"]);
    folder.add_package("deep", COUNTER);
    assert_eq!(status(&cspec(&folder.join("deep"), &["hook", "install"])), Some(0));
    let hook = fs::read_to_string(folder.join(".git/hooks/pre-commit")).expect("the hook");
    assert!(hook.contains("hook run --manifest-path 'deep/Cargo.toml'"), "{hook}");
}

#[test]
fn outside_git_there_is_nothing_to_hook_into() {
    let counter = package("counter", TAKES_PART, COUNTER);
    for arguments in [&["hook", "install"][..], &["hook", "uninstall"], &["hook", "run"], &["check", "--staged"]] {
        let output = cspec(&counter, arguments);
        assert_eq!(status(&output), Some(2), "{arguments:?}");
        assert!(stderr(&output).contains("git repository"), "{arguments:?}: {}", stderr(&output));
        assert_eq!(stdout(&output), "");
    }
}

/// Runs a framework with the `.pre-commit-hooks.yaml` of this repository.
fn with_framework(framework: &str) {
    if Command::new(framework).arg("--version").output().is_err() {
        support::skipped(&format!("`{framework}` is not installed (pip install {framework})"));
        return;
    }
    let hooks = Folder::new();
    hooks.write(".pre-commit-hooks.yaml", include_str!("../../.pre-commit-hooks.yaml"));
    let counter = repository();
    git_succeeds(&counter, &["init", "-q", &hooks.to_string_lossy()]);
    for arguments in [&["config", "user.name", "x"][..], &["config", "user.email", "x"], &["add", "-A"]] {
        git_succeeds(&hooks, arguments);
    }
    git_succeeds(&hooks, &["commit", "-q", "-m", "hooks"]);
    git_succeeds(&hooks, &["tag", "v0.1.0"]);
    assert_eq!(status(&cspec(&counter, &["hook", "uninstall"])), Some(0));
    let config = format!("repos:\n- repo: file://{}\n  rev: v0.1.0\n  hooks:\n  - id: cspec\n", hooks.display());
    counter.write(".pre-commit-config.yaml", config);
    git_succeeds(&counter, &["add", "-A"]);
    let installed = run(&counter, framework, &["install"]);
    assert_eq!(status(&installed), Some(0), "{}", stderr(&installed));
    counter.write("src/lib.rs", mistaken());
    git_succeeds(&counter, &["add", "src/lib.rs"]);
    counter.write("src/lib.rs", COUNTER);
    let (made, said) = commit(&counter, &[]);
    assert!(!made && said.contains("error[CS0401]"), "{said}");
    counter.write("src/lib.rs", format!("// A comment.\n{COUNTER}"));
    git_succeeds(&counter, &["add", "src/lib.rs"]);
    let (made, said) = commit(&counter, &[]);
    assert!(made && said.contains("Passed"), "{said}");
}

#[test]
fn the_pre_commit_framework_runs_it() {
    with_framework("pre-commit");
}

#[test]
fn prek_runs_it() {
    with_framework("prek");
}
