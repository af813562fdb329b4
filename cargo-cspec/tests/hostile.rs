//! Changes files that the command wrote (counterexamples and the cache) at random. A changed file is refused or harmless: it never causes a
//! panic, and never makes an obligation hold.

mod support;
mod survives;

use std::{fs, path::PathBuf};

use fastrand::Rng;
use support::{Folder, TAKES_PART, command, cspec, package, status, stderr, stdout};
use survives::survives;

const COUNTER: &str = include_str!("counter/lib.rs");

/// The bytes with a few of them changed, removed or repeated, or with the end cut off.
fn changed(bytes: &[u8], random: &mut Rng) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..=random.usize(..3) {
        // An entry may have been emptied before: one that no run has needed since is not rewritten.
        if bytes.is_empty() {
            break;
        }
        let at = random.usize(..bytes.len());
        let end = (at + 1 + random.usize(..12)).min(bytes.len());
        match random.usize(..5) {
            0 => bytes[at] ^= 1 << random.usize(..8),
            1 => drop(bytes.drain(at..end)),
            2 => {
                let doubled = bytes[at..end].to_vec();
                bytes.splice(at..at, doubled);
            }
            3 => drop(bytes.splice(at..end, *b"99999999999999999999")),
            _ => bytes.truncate(at),
        }
    }
    bytes
}

fn wrong() -> Folder {
    let (right, wrong) =
        ("lo.acquire();\n        let seen = lo.read();", "let seen = lo.read();\n        lo.acquire();");
    assert_eq!(COUNTER.matches(right).count(), 1, "the counter has other lines");
    package("counter", TAKES_PART, COUNTER.replacen(right, wrong, 1))
}

#[test]
fn changed_counterexamples_are_refused_or_checked_again() {
    let folder = wrong();
    cspec(&folder, &["check", "-q", "--save-counterexamples", "found"]);
    let file = fs::read_dir(folder.join("found")).expect("the folder").flatten().next().expect("a file").path();
    let bytes = fs::read(&file).expect("it can be read");
    let mut random = Rng::with_seed(1);
    (0..20_000).for_each(|_| survives(&changed(&bytes, &mut random)));
    for number in 0..60 {
        let changed = changed(&bytes, &mut random);
        fs::write(&file, &changed).expect("it can be written");
        let replayed = cspec(&folder, &["replay", &file.to_string_lossy()]);
        let answer = format!("{number}: {}\n{}", stdout(&replayed), stderr(&replayed));
        // The verdict is this run's. The name may have been changed to that of another obligation.
        assert!(matches!(status(&replayed), Some(0..=3)), "{:?}, {answer}", status(&replayed));
        assert!(status(&replayed) != Some(0) || !stdout(&replayed).contains("violated"), "{answer}");
    }
}

#[test]
fn a_changed_cache_makes_nothing_hold() {
    let folder = wrong();
    let said = |more: &[&str]| {
        let output = cspec(&folder, &[&["check", "--message-format", "short", "--color", "never"], more].concat());
        (status(&output), stdout(&output).to_owned(), stderr(&output).to_owned())
    };
    let fresh = said(&["--no-cache"]);
    assert_eq!(fresh.0, Some(1));
    let entries = || -> Vec<PathBuf> {
        let inside = |folder: PathBuf| fs::read_dir(folder).into_iter().flatten().flatten().map(|it| it.path());
        inside(folder.join("target/cspec/cache")).flat_map(inside).collect()
    };
    let mut random = Rng::with_seed(2);
    for _ in 0..12 {
        assert_eq!(said(&[]), fresh);
        let mut entries = entries();
        entries.sort();
        assert!(!entries.is_empty(), "something is kept");
        for pair in entries.chunks(2) {
            let bytes = fs::read(&pair[0]).expect("it can be read");
            // One entry in place of another, or one that is no longer an entry.
            match (random.usize(..4), pair) {
                (0, [_, other]) => drop(fs::copy(&pair[0], other).expect("it can be copied")),
                _ => fs::write(&pair[0], changed(&bytes, &mut random)).expect("it can be written"),
            }
        }
    }
    assert_eq!(said(&[]), fresh);
}

/// Without limits, these programs would exhaust the memory of the machine.
#[test]
#[cfg(unix)]
fn hostile_packages_end_within_two_gigabytes() {
    let lines = |count: usize, line: &dyn Fn(usize) -> String| (0..count).map(line).collect::<String>();
    let inserts = lines(64, &|it| format!("        if maybe() {{ self.a.insert({it}); }}\n"));
    let doubled = lines(60, &|_| "        let text = format!(\"{text}{text}\");\n".to_owned());
    let operations = lines(2_000, &|it| format!("    #[op]\n    fn f{it}(&mut self, me: Pid) {{ self.n = {it}; }}\n"));
    let ranges = "        for a in 0..60_000 { self.s.push(a); for b in 0..60_000 { self.s.push(b); } }\n";
    let grows = "        while maybe() { self.m.insert(any(), any()); self.a.insert(any()); }\n";
    let op = |name: &str, body: &str| format!("    #[op]\n    fn {name}(&mut self, me: Pid) {{\n{body}    }}\n");
    let layer = |operations: &str| {
        let fields = "pub n: u64, pub a: Set<u64>, pub s: Seq<u64>, pub m: Map<u64, u64>, pub t: String";
        format!(
            "use cspec::prelude::*;\n#[state]\npub struct S {{ {fields} }}\n#[layer]\nimpl L for S {{\n{operations}}}\n"
        )
    };
    let text = format!("        let text = \"x\".to_string();\n{doubled}        self.t = text;\n");
    let all = [op("inserts", &inserts), op("doubles", &text), op("ranges", ranges), op("grows", grows)].concat();
    let large = format!("{}{}", "// Nothing to be seen here.\n".repeat(380_000), layer(&operations));
    assert!(large.len() > 10_000_000, "{} bytes", large.len());
    for (what, text, expected) in [("operations that explode", layer(&all), 3), ("ten megabytes", large, 0)] {
        let folder = package("hostile", TAKES_PART, text);
        let check = command(&folder, &["check", "-q", "--no-cache", "-j", "2", "--scope", "budget=20000000"]);
        // The limit is on address space, of which a thread reserves more than it uses.
        let limited = std::process::Command::new("sh")
            .args(["-c", "ulimit -v 2000000 && exec \"$0\" \"$@\""])
            .arg(check.get_program())
            .args(check.get_args())
            .current_dir(&*folder)
            .output()
            .expect("there is a shell");
        assert_eq!(status(&limited), Some(expected), "{what}: {}{}", stdout(&limited), stderr(&limited));
    }
}
