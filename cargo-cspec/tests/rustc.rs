//! If rustc rejects a package, the check fails, whatever the verdicts are.

mod support;

use support::{Folder, depends_on_cspec, package, status, stderr, stdout, with_rustc};

/// Every obligation holds, but rustc rejects the package: `key` is moved twice.
const MOVED: &str = "
use cspec::prelude::*;

#[scalar]
pub struct Key(pub String);

#[state]
pub struct Keys {
    pub first: Set<Key>,
    pub second: Set<Key>,
}

#[layer]
impl Both for Keys {
    #[op]
    fn add(&mut self, me: Pid, key: Key) {
        self.first.insert(key);
        self.second.insert(key);
    }
}
";

fn run(folder: &Folder, arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = with_rustc(folder, arguments).output().expect("the command starts");
    (status(&output), stdout(&output).to_owned(), stderr(&output).to_owned())
}

#[test]
fn a_value_that_is_moved_twice_does_not_pass() {
    let folder = package("moved", &depends_on_cspec("cspec"), MOVED);
    let (status, told, _) = run(&folder, &["check", "--message-format", "short"]);
    let expected = "src/lib.rs:18:28: error[CS0004]: rustc refuses the program: use of moved value: `key` [E0382]\nfailed: 1 error of rustc, 1 proved\n";
    assert_eq!((status, told.as_str()), (Some(1), expected));
    let (status, told, _) = run(&folder, &["check"]);
    assert!(status == Some(1) && told.contains("value moved here") && told.contains("moved: 1 obligation"), "{told}");
    for format in ["json", "sarif", "github", "junit"] {
        let (status, told, _) = run(&folder, &["check", "--message-format", format]);
        assert!(status == Some(1) && told.contains("use of moved value"), "{format}: {told}");
    }
    let (status, told, _) = run(&folder, &["check", "-q", "--no-rustc"]);
    assert_eq!((status, told.as_str()), (Some(0), ""));
}

/// The code that the attributes generate does not clash with the names of a layer.
#[test]
fn a_parameter_may_have_the_name_of_an_operation() {
    let text = MOVED
        .replace("key: Key", "first: Key, add: Key")
        .replace("(key)", "(first)")
        .replace("second.insert(first)", "second.insert(add)");
    let folder = package("names", &depends_on_cspec("cspec"), text);
    assert_eq!(run(&folder, &["check", "-q"]), (Some(0), String::new(), String::new()));
}

#[test]
fn the_crate_may_have_another_name() {
    let folder = package("renamed", &depends_on_cspec("vocabulary"), RENAMED);
    assert_eq!(run(&folder, &["check", "-q"]), (Some(0), String::new(), String::new()));
}

/// One of each attribute that generates code.
const RENAMED: &str = "
use vocabulary::prelude::*;

#[state]
pub struct State {
    pub value: u64,
    pub owner: Option<Pid>,
}

#[layer]
impl Raw for State {
    #[op]
    fn acquire(&mut self, me: Pid) {
        when(self.owner.is_none());
        self.owner = Some(me);
    }

    #[op]
    fn release(&mut self, me: Pid) {
        self.owner = None;
    }

    #[op]
    fn set(&mut self, me: Pid, value: u64) -> u64 {
        let old = self.value;
        self.value = value;
        old
    }
}

#[layer(protocol = Raw, nilpotent)]
impl Owned for State {
    #[allowed(release, set)]
    fn by_owner(&self, me: Pid) -> bool {
        self.owner == Some(me)
    }
}

#[layer]
impl Top for State {
    #[op]
    fn swap(&mut self, me: Pid, value: u64) -> u64 {
        when(self.owner.is_none());
        let old = self.value;
        self.value = value;
        old
    }
}

#[implement(Top, over = Owned, by = movers)]
impl Section {
    fn swap(lo: &mut impl Owned, value: u64) -> u64 {
        lo.acquire();
        let old = lo.set(value);
        lo.release();
        old
    }
}

pub struct Machine(std::sync::Mutex<u64>);

#[bottom]
impl Raw for Machine {
    fn acquire(&mut self) {}

    fn release(&mut self) {}

    fn set(&mut self, value: u64) -> u64 {
        std::mem::replace(&mut *self.0.lock().unwrap(), value)
    }
}

#[stack]
pub type Stack<Bottom> = Section<Bottom>;
";

#[test]
fn what_cargo_cannot_do_is_an_error() {
    let text = MOVED.replace("first.insert(key)", "first.insert(key.clone())");
    let folder = package("missing", &depends_on_cspec("cspec"), text);
    let mut command = with_rustc(&folder, &["check", "--no-cache"]);
    // A file in place of the folder that cargo would create.
    command.env("CARGO_TARGET_DIR", folder.join("Cargo.toml"));
    let output = command.output().expect("the command starts");
    let (told, error) = (stdout(&output), stderr(&output));
    assert!(status(&output) == Some(2) && error.contains("`cargo check` failed"), "{told}{error}");
    assert!(told.contains("not checked: rustc could not be run, 1 proved"), "{told}");
}
