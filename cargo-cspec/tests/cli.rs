//! Runs the built command as a user does, and checks exit statuses and the output on each stream.

mod support;

use std::path::Path;

use support::{Folder, TAKES_PART, cspec, package, status, stderr, stdout};

#[test]
fn help_is_a_success_however_the_command_is_called() {
    let here = Path::new(".");
    for arguments in [&["--help"][..], &["cspec", "--help"], &["help"], &["check", "--help"], &["cspec", "check", "-h"]]
    {
        let output = cspec(here, arguments);
        assert_eq!(status(&output), Some(0), "{arguments:?}");
        assert!(stdout(&output).contains("Usage: cargo cspec"), "{arguments:?}: {}", stdout(&output));
        assert!(stderr(&output).is_empty());
    }
    assert!(stdout(&cspec(here, &["--help"])).contains("Exit status:"));
    assert_eq!(status(&cspec(here, &["--version"])), Some(0));
}

#[test]
fn wrong_usage_is_status_2() {
    let here = Path::new(".");
    let wrong: [&[&str]; 9] = [
        &[],
        &["chekc"],
        &["check", "--no-such-flag"],
        &["check", "--message-format", "xml"],
        &["check", "--scope", "pids=3"],
        &["check", "-j", "0"],
        &["check", "-q", "-v"],
        &["check", "--color", "sometimes"],
        &["check", "-p", "tso", "--workspace"],
    ];
    for arguments in wrong {
        let output = cspec(here, arguments);
        assert_eq!(status(&output), Some(2), "{arguments:?}: {}", stderr(&output));
        assert!(stdout(&output).is_empty(), "{arguments:?}");
        assert!(stderr(&output).contains("error:") || arguments.is_empty(), "{arguments:?}: {}", stderr(&output));
    }
}

#[test]
fn without_a_command_the_commands_are_listed() {
    let output = cspec(Path::new("."), &[]);
    assert_eq!(status(&output), Some(2));
    assert!(stderr(&output).contains("  check        Check every obligation"), "{}", stderr(&output));
}

#[test]
fn a_full_or_read_only_target_directory_is_a_warning() {
    let counter = package("counter", TAKES_PART, include_str!("counter/lib.rs"));
    for (name, options) in [("full", "size=16k"), ("read-only", "size=16k,ro")] {
        std::fs::create_dir(counter.join(name)).expect("a folder can be made");
        let mount = std::process::Command::new("mount")
            .args(["-t", "tmpfs", "-o", options, "tmpfs", name])
            .current_dir(&*counter)
            .output();
        if !mount.is_ok_and(|it| it.status.success()) {
            support::skipped("this user may not mount a small file system");
            return;
        }
        let checked = cspec(&counter, &["check", "-q", "--target-dir", name]);
        let reported = cspec(&counter, &["report", "-q", "--target-dir", name]);
        let saved = format!("{name}/found");
        let mistaken = include_str!("counter/lib.rs").replacen("#[op]\n    fn write", "#[op(right)]\n    fn write", 1);
        counter.write("src/lib.rs", mistaken);
        let unsaved = cspec(&counter, &["check", "-q", "--no-cache", "--save-counterexamples", &saved]);
        counter.write("src/lib.rs", include_str!("counter/lib.rs"));
        let unmount = std::process::Command::new("umount").arg(name).current_dir(&*counter).status();
        assert!(unmount.is_ok_and(|it| it.success()));

        assert_eq!((status(&checked), stdout(&checked)), (Some(0), ""), "{name}: {}", stderr(&checked));
        assert!(stderr(&checked).starts_with("warning: the cache in "), "{name}: {}", stderr(&checked));
        assert_eq!(stderr(&checked).lines().count(), 1, "{name}: it is said once");
        assert_eq!(status(&reported), Some(2), "{name}");
        assert!(stderr(&reported).contains("error: cannot write "), "{name}: {}", stderr(&reported));
        assert_eq!(status(&unsaved), Some(1), "{name}: the status of a violation wins");
        assert!(stderr(&unsaved).contains("cannot be written"), "{name}: {}", stderr(&unsaved));
    }
}

#[test]
fn results_that_cannot_be_written_are_no_success() {
    let counter = package("counter", TAKES_PART, include_str!("counter/lib.rs"));
    let Ok(full) = std::fs::OpenOptions::new().write(true).open("/dev/full") else {
        support::skipped("there is no /dev/full here");
        return;
    };
    let output = support::command(&counter, &["check"]).stdout(full).output().expect("the command starts");
    assert_eq!(status(&output), Some(2));
    assert!(stderr(&output).contains("error: cannot write the results: "), "{}", stderr(&output));
}

#[test]
fn the_words_of_cargo_for_json_are_known() {
    let mistaken = include_str!("counter/lib.rs").replacen("#[op]\n    fn write", "#[op(right)]\n    fn write", 1);
    let counter = package("counter", TAKES_PART, mistaken);
    let rendered = |format: &str| {
        let output = cspec(&counter, &["check", "--message-format", format]);
        stdout(&output).contains("\\u001b[")
    };
    assert!(!rendered("json"));
    assert!(rendered("json-diagnostic-rendered-ansi"));
}

#[test]
fn colour_in_help_is_for_those_who_ask() {
    let here = Path::new(".");
    assert!(stdout(&cspec(here, &["--help", "--color", "always"])).contains('\x1b'));
    assert!(!stdout(&cspec(here, &["--help"])).contains('\x1b'));
}

#[test]
fn explain_prints_the_page() {
    let here = Path::new(".");
    for code in ["CS0301", "cs0301", "301"] {
        let output = cspec(here, &["explain", code]);
        assert_eq!(status(&output), Some(0));
        assert!(stdout(&output).starts_with("# CS0301: not a right mover\n"));
    }
}

#[test]
fn explain_without_a_code_lists_all() {
    let output = cspec(Path::new("."), &["explain"]);
    assert_eq!(status(&output), Some(0));
    assert!(stdout(&output).contains("\nCS0901  undecided: the budget ran out\n"));
}

#[test]
fn explain_of_an_unknown_code_suggests_others() {
    let output = cspec(Path::new("."), &["explain", "CS0391"]);
    assert_eq!(status(&output), Some(2));
    assert!(stdout(&output).is_empty());
    assert!(stderr(&output).contains("CS0301  not a right mover"), "{}", stderr(&output));
}

#[test]
fn no_workspace_is_status_2() {
    let empty = Folder::new();
    for command in ["check", "list"] {
        let output = cspec(&empty, &[command]);
        assert_eq!(status(&output), Some(2), "{command}: {}", stderr(&output));
        assert!(stderr(&output).contains("Cargo.toml"), "{command}: {}", stderr(&output));
        assert!(stdout(&output).is_empty(), "{command}: {}", stdout(&output));
    }
}

#[test]
fn a_package_without_layers_is_status_2() {
    let plain = package("plain", "", "");
    for arguments in [&["check"][..], &["check", "-p", "plain"], &["check", "--workspace"], &["list"]] {
        let output = cspec(&plain, arguments);
        assert_eq!(status(&output), Some(2), "{arguments:?}");
        assert!(stderr(&output).contains("[package.metadata.cspec]"), "{arguments:?}: {}", stderr(&output));
    }
}

#[test]
fn an_unknown_package_is_status_2_and_the_known_ones_are_named() {
    let plain = package("plain", TAKES_PART, "");
    let output = cspec(&plain, &["check", "-p", "other"]);
    assert_eq!(status(&output), Some(2));
    assert!(stderr(&output).contains("no package `other`; it has plain"), "{}", stderr(&output));
}

#[test]
fn json_always_ends_with_the_same_object() {
    let output = cspec(&Folder::new(), &["check", "--message-format", "json"]);
    assert_eq!(status(&output), Some(2));
    let last = stdout(&output).lines().last().expect("a line");
    assert!(last.starts_with(r#"{"reason":"cspec-finished","success":false,"proved":0,"#), "{last}");
}

#[test]
fn completions_and_manual_pages_are_made_from_the_command_line() {
    let folder = Folder::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let output = cspec(&folder, &["completions", shell]);
        assert_eq!(status(&output), Some(0), "{shell}: {}", stderr(&output));
        assert!(stdout(&output).contains("message-format"), "{shell}");
    }
    let output = cspec(&folder, &["man", "pages"]);
    assert_eq!(status(&output), Some(0), "{}", stderr(&output));
    let page = std::fs::read_to_string(folder.join("pages/cargo-cspec-check.1")).expect("the page is written");
    assert!(page.contains("end\\-to\\-end"), "{page}");
}

#[test]
fn an_unknown_setting_is_status_2_with_a_suggestion() {
    let misspelt = package("plain", "[package.metadata.cspec]\nbugdet = \"1m\"\n", "");
    let output = cspec(&misspelt, &["check"]);
    assert_eq!(status(&output), Some(2));
    assert!(stderr(&output).contains("there is no key `bugdet`\nhelp: did you mean `budget`?"), "{}", stderr(&output));
    assert!(stderr(&output).contains("[package.metadata.cspec]"), "{}", stderr(&output));
}

#[test]
fn a_broken_manifest_is_status_2() {
    let broken = Folder::new();
    broken.write("Cargo.toml", "[package\n");
    let output = cspec(&broken, &["check"]);
    assert_eq!(status(&output), Some(2));
    assert!(stderr(&output).contains("cannot read the workspace"), "{}", stderr(&output));
}
