//! Name resolution: modules, `use`, and shadowing, by Rust's rules.
//!
//! The tests show by its type which of two items a name resolves to: the other one would not fit.

mod support;

use cspec_analysis::db::lower_sources;
use support::{check, check_body};

/// Two modules with the same names, whose items have different types.
const TWO: &str = "
pub mod numbers {
    pub const FIRST: u64 = 1;
    pub fn pick() -> u64 { FIRST }
    pub struct Item { pub inside: u64 }
    impl Item {
        pub const NEW: u64 = 1;
        pub fn get(&self) -> u64 { self.inside }
        pub fn from_number(inside: u64) -> Item { Item { inside } }
    }
    pub enum Status { Ready, Done }
    fn hidden() -> u64 { 1 }
}
pub mod flags {
    pub const FIRST: bool = true;
    pub fn pick() -> bool { FIRST }
    pub struct Item { pub inside: bool }
    impl Item {
        pub const NEW: bool = true;
        pub fn get(&self) -> bool { self.inside }
    }
    pub enum Status { Done(bool), Ready(bool) }
    fn hidden() -> bool { true }
}
";

/// Checks a module beside [`TWO`].
#[track_caller]
fn check_beside(module: &str) {
    check(&format!("{TWO}{module}"));
}

/// Checks an operation in a module beside [`TWO`], below the module's `use`.
#[track_caller]
fn check_using(uses: &str, body: &str) {
    check_beside(&format!(
        "mod tested {{\nuse super::State;\n{uses}\n#[layer] impl Tested for State {{\n#[op] fn run(&mut self, me: Pid) {{\n{body}\n}}\n}}\n}}\n"
    ));
}

#[test]
fn items_of_one_name_in_two_modules_are_two_items() {
    check_using(
        "use super::{flags, numbers};",
        "
let a: u64 = numbers::pick() + numbers::FIRST + numbers::Item::NEW;
let b: bool = flags::pick() && flags::FIRST && flags::Item::NEW;
let c = numbers::Item { inside: 1 };
let d: u64 = c.get();
let e = flags::Item { inside: true };
let f: bool = e.get();
let g: u64 = flags::pick();
//           ^^^^^^^^^^^^^ CS0104 expected `u64`, found `bool`
",
    );
}

#[test]
fn names_that_use_brings_in() {
    check_using("use super::numbers::pick;", "let a: u64 = pick();");
    check_using("use super::flags::{self, pick};", "let a: bool = pick() && flags::pick();");
    check_using(
        "use crate::flags::{pick as choose_one, Item};",
        "let a: bool = choose_one() && Item { inside: true }.get();",
    );
    check_using(
        "use super::{numbers::{FIRST, Item as Number}, flags::Item};",
        "let a: u64 = Number::from_number(FIRST).get(); let b: bool = Item { inside: true }.get();",
    );
    check_using("use super::numbers as flags;", "let a: u64 = flags::pick();");
    check_using("use super::flags::*;", "let a: bool = pick() && FIRST && Item::NEW;");
    check_using(
        "",
        "let a: bool = super::flags::pick(); let b: u64 = crate::numbers::pick(); let c: bool = self::super::flags::FIRST;",
    );
}

/// A renamed import is not known by its old name, and another item of the new name is shadowed.
#[test]
fn a_new_name_hides_an_item_of_that_name_elsewhere() {
    check_beside(
        "
mod other { pub fn choose_one() -> u64 { 1 } }
mod tested {
    use super::{State, flags::pick as choose_one};
    #[layer] impl Tested for State {
        #[op] fn run(&mut self, me: Pid) -> bool { choose_one() }
        #[op] fn old(&mut self, me: Pid) -> bool { pick() }
        //                                         ^^^^^^ CS0103 unknown function `pick`
    }
}
",
    );
}

#[test]
fn names_are_passed_on_by_pub_use() {
    check_beside(
        "
mod front { pub use super::flags::pick; pub use inner::*; mod inner { pub use crate::numbers::FIRST as COUNT; } }
mod tested {
    use super::{State, front::{self, *}};
    #[layer] impl Tested for State {
        #[op] fn run(&mut self, me: Pid) -> u64 { if pick() && front::pick() { COUNT } else { front::COUNT } }
    }
}
",
    );
}

#[test]
fn what_is_written_by_name_hides_what_a_glob_brings_in() {
    check_using("use super::{flags::*, numbers::pick};", "let a: u64 = pick(); let b: bool = FIRST;");
    check_using("use super::flags::*; fn pick() -> u64 { 1 }", "let a: u64 = pick();");
    check_using(
        "use super::{flags::*, numbers::*};",
        "
let a = pick();
//      ^^^^^^ CS0203 `pick` is ambiguous here
let b = numbers();
//      ^^^^^^^^^ CS0103 unknown function `numbers`
",
    );
    // The same item, imported in two ways.
    check_using(
        "use super::{flags::*, tested::again::*}; pub mod again { pub use crate::flags::pick; }",
        "let a: bool = pick();",
    );
}

#[test]
fn globs_do_not_bring_in_what_is_private() {
    check_beside(
        "
mod tested {
    use super::{State, flags::*, open::*};
    #[layer] impl Tested for State {
        #[op] fn run(&mut self, me: Pid) -> u64 { hidden() }
    }
}
mod open { pub fn hidden() -> u64 { 1 } }
",
    );
    check_using(
        "use super::flags::*;",
        "
let a = hidden();
//      ^^^^^^^^ CS0103 unknown function `hidden`
",
    );
}

/// Twenty modules with globs of each other, most of which do not exist: each unknown path is searched for through all globs.
#[test]
fn globs_that_lead_nowhere_are_given_up_in_time() {
    let globs: String = (0..20).map(|it| format!("use super::missing{it}::*; use super::present{it}::*; ")).collect();
    let present: String = (0..20).map(|it| format!("pub mod present{it} {{ {globs} }}\n")).collect();
    let source = format!("{TWO}{globs}use numbers::*;\n{present}");
    check(&format!(
        "{source}#[layer] impl Tested for State {{ #[op] fn run(&mut self, me: Pid) -> u64 {{ pick() }} }}"
    ));
}

/// The path of a glob may begin with a name that another glob imports.
#[test]
fn globs_come_through_globs() {
    check_beside(
        "
mod outer { pub mod inner { pub fn deep() -> bool { true } } }
mod tested {
    use super::{State, outer::*};
    use inner::*;
    #[layer] impl Tested for State {
        #[op] fn run(&mut self, me: Pid) -> u64 { deep() }
        //                                        ^^^^^^ CS0104 expected `u64`, found `bool`
    }
}
",
    );
}

#[test]
fn items_of_blocks_and_local_variables_hide_each_other() {
    check_using(
        "use super::numbers::*;",
        "
let a: u64 = pick();
{
    use super::flags::pick;
    let b: bool = pick();
    fn inner() -> bool { pick() }
    let c: bool = inner();
}
let d: u64 = pick();
let FIRST_OF_ALL = true;
{
    const FIRST_OF_ALL: u64 = 1;
    let e: u64 = FIRST_OF_ALL;
}
let f: bool = FIRST_OF_ALL;
let g = inner();
//      ^^^^^^^ CS0103 unknown function `inner`
",
    );
}

#[test]
fn variants_are_known_where_use_brings_them_in() {
    check_using(
        "use super::{flags, numbers::Status::{self, Done as Finished, *}};",
        "
let a = Finished;
let b: u64 = match a { Ready => 1, Finished => 2 };
let c = flags::Status::Ready(true);
let d: bool = match c { flags::Status::Done(it) | flags::Status::Ready(it) => it };
let e: u64 = match Status::Done { Status::Ready => 1, Done => 2 };
",
    );
}

#[test]
fn aliases_lead_to_what_they_stand_for() {
    check_using(
        "use super::flags; type Item = flags::Item; type Status = flags::Status; type Small = u8;",
        "
let a: bool = Item { inside: true }.get() && Item::NEW;
let b: bool = match Status::Ready(true) { Status::Ready(it) | Status::Done(it) => it };
let c: u8 = Small::MAX;
",
    );
}

/// A name from another crate does not refer to an item of the same name in the package.
#[test]
fn names_of_other_crates_are_not_those_of_the_package() {
    check_beside(
        "
mod elsewhere { pub fn helper() -> u64 { 1 } pub struct Handle { pub inside: u64 } }
mod tested {
    use super::State;
    use other::{helper, Handle, deep::Handle as Map};
    use std::collections::HashMap as Set;
    #[layer] impl Tested for State {
        #[op] fn run(&mut self, me: Pid) -> u64 { helper() }
        //                                        ^^^^^^^^ CS0103 unknown function `helper`
        #[op] fn of(&mut self, me: Pid, handle: Handle) {}
        //                                      ^^^^^^ CS0103 unknown type `Handle`
        #[op] fn map(&mut self, me: Pid, map: Map<u64, u64>) {}
        //                                    ^^^^^^^^^^^^^ CS0103 unknown type `Map`
        #[op] fn set(&mut self, me: Pid, set: Set<u64>) {}
        //                                    ^^^^^^^^ CS0102 the type `HashMap` is not supported
        #[op] fn seen(&mut self, me: Pid) -> u64 { other::helper() }
        //                                         ^^^^^^^^^^^^^^^ CS0103 unknown function `other::helper`
    }
}
",
    );
}

/// The names of cspec may be renamed, and the package may use them for its own items.
#[test]
fn the_vocabulary_is_a_crate() {
    check_beside(
        "
mod renamed {
    use super::State;
    use cspec::{maybe as perhaps, Map as Table, Pid as Process};
    #[layer] impl Renamed for State {
        #[op] fn run(&mut self, me: Process, table: Table<u64, u64>) -> bool { perhaps() && cspec::maybe() }
        #[op] fn new(&mut self, me: cspec::Pid) -> Table<u64, u64> { Table::new() }
        #[op] fn text(&mut self, me: Process) -> std::option::Option<std::string::String> { core::option::Option::None }
    }
}
mod own {
    use super::State;
    fn maybe() -> u64 { 1 }
    #[layer] impl Own for State {
        #[op] fn run(&mut self, me: Pid) -> u64 { maybe() }
    }
}
",
    );
}

#[test]
fn a_name_that_is_not_in_scope_is_unknown() {
    check_body(
        "
let a = pick();
//      ^^^^^^ CS0103 unknown function `pick`
let b = numbers::pick();
//      ^^^^^^^^^^^^^^^ CS0103 unknown function `numbers::pick`
",
    );
    let text = format!(
        "{}{TWO}#[layer] impl Tested for State {{ #[op] fn run(&mut self, me: Pid) {{ pick(); }} #[op] fn two(&mut self, me: Pid, it: Item) {{}} }}",
        support::HEADER
    );
    let lowered = lower_sources(&[("src/lib.rs", &text)]);
    let help: Vec<&str> = lowered.diagnostics.iter().filter_map(|it| it.help.as_deref()).collect();
    assert_eq!(help, ["did you mean `crate::numbers::pick`?", "did you mean `crate::numbers::Item`?",]);
}

/// A name that `use` imports and that does not exist may be generated by a macro. It does not refer to an item that a glob imports.
#[test]
fn what_a_use_does_not_find_is_unknown() {
    check_using(
        "use super::{flags::*, numbers::made}; pub use super::numbers::pick_all as pick;",
        "
let a = pick();
//      ^^^^^^ CS0103 unknown function `pick`
",
    );
}

#[test]
fn a_function_of_a_trait_is_not_a_free_one() {
    check_using(
        "use super::numbers::pick;",
        "
let a = <State as Default>::pick();
//      ^^^^^^^^^^^^^^^^^^^^^^^^^^ CS0102 calling this
",
    );
}

/// The functions of a trait are not in scope by their names alone, and a trait shadows items that a glob imports.
#[test]
fn traits_have_names_too() {
    check_using(
        "use super::flags::*; trait Picks { fn pick() -> u64 { 1 } fn twice() -> u64 { 2 } } trait Status {}",
        "
let a: bool = pick();
let b = twice();
//      ^^^^^^^ CS0103 unknown function `twice`
let c = Status::Ready(true);
//      ^^^^^^^^^^^^^^^^^^^ CS0103 unknown function `Status::Ready`
",
    );
}

#[test]
fn layers_implementations_and_stacks_of_one_name() {
    let text = "
pub mod one {
    #[state] pub struct Memory { pub value: u64 }
    #[layer] impl Store for Memory { #[op] fn load(&mut self, me: Pid) -> u64 { self.value } }
    #[layer(inherit(Store: load))] impl Above for Memory {}
    #[implement(Above, over = Store, by = movers, pass(load))] impl Loads {}
    #[layer(inherit(Above: load))] impl Top for Memory {}
    #[implement(Top, over = Above, by = movers, pass(load))] impl Passes {}
    #[stack] pub type Whole<Below> = Passes<Loads<Below>>;
}
pub mod two {
    #[state] pub struct Memory { pub value: bool }
    #[layer] impl Store for Memory { #[op] fn load(&mut self, me: Pid) -> bool { self.value } }
    #[layer(inherit(super::one::Store: load))] impl Wrong for Memory {}
    #[layer(inherit(self::Store: load))] impl Above for Memory {}
    #[implement(Above, over = Store, by = movers, pass(load))] impl Loads {}
    #[implement(Above, over = Store, by = movers)] impl Written { fn load(lo: &mut impl Store) -> bool { lo.load() } }
}
mod three {
    use crate::{one::{Store as Lower, Memory}, two};
    #[layer(inherit(Lower: load))] impl Other for Memory {}
    #[layer(inherit(two::Above: load))] impl Flag for two::Memory {}
    #[layer(inherit(Store: load))] impl Unknown for Memory {}
    use two::Loads;
    #[stack] type Broken<Below> = Loads<Passes<Below>>;
}
";
    let lowered = lower_sources(&[("src/lib.rs", text)]);
    let found: Vec<String> = lowered
        .diagnostics
        .iter()
        .map(|it| format!("{} {}; {}", it.code, it.message, it.help.as_deref().unwrap_or_default()))
        .collect();
    assert_eq!(
        found,
        [
            "CS0204 `load` of layer `one::Store` acts on `Memory`, but here the state is `Memory`; only operations that do not read \
             the state can be inherited over any state; for a component, write `inherit(Layer in field: op)`",
            "CS0202 unknown layer `Store`; did you mean `crate::one::Store`?",
            "CS0202 unknown implementation `Passes`; did you mean `crate::one::Passes`?",
        ]
    );
    let program = &lowered.program;
    let layers: Vec<&str> = program.layers.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(
        layers,
        ["one::Store", "one::Above", "Top", "two::Store", "Wrong", "two::Above", "Other", "Flag", "Unknown"]
    );
    let types: Vec<&str> = program.types.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(types, ["one::Memory", "two::Memory"]);
    let implementations: Vec<(&str, &str)> = program
        .implementations
        .iter()
        .map(|it| (it.name.as_str(), program.layers[it.lower.0 as usize].name.as_str()))
        .collect();
    assert_eq!(
        implementations,
        [
            ("one::Loads", "one::Store"),
            ("Passes", "one::Above"),
            ("two::Loads", "two::Store"),
            ("Written", "two::Store")
        ]
    );
    assert_eq!(program.stacks.len(), 1);
}

#[test]
fn a_name_twice_in_one_module() {
    check(
        "
mod inner {
    use super::State;
    #[layer] impl Store for State { #[op] fn load(&mut self, me: Pid) {} }
    #[layer] impl Store for State { #[op] fn other(&mut self, me: Pid) {} }
    //            ^^^^^ CS0203 layer `Store` is declared twice
    fn size() -> u64 { 1 }
    fn size() -> bool { true }
    #[layer] impl Tested for State {
        #[op] fn run(&mut self, me: Pid) { size(); }
        //                                 ^^^^^^ CS0203 `size` is ambiguous here
    }
}
",
    );
}

/// Files become modules where `mod` declares them.
#[test]
fn names_in_several_files() {
    let root = "
mod flags;
mod layers;
pub mod numbers { pub mod deep; }
";
    let layers = "
use crate::flags::{pick, State};
use super::numbers::deep as numbers;

#[layer] impl Tested for State {
    #[op] fn run(&mut self, me: Pid) -> u64 { if pick() { numbers::pick() } else { self.count } }
}
";
    let files = [
        ("src/lib.rs", root),
        ("src/flags.rs", "#[state] pub struct State { pub count: u64 } pub fn pick() -> bool { true }"),
        ("src/layers/mod.rs", layers),
        ("src/numbers/deep.rs", "pub fn pick() -> u64 { 1 } pub struct State { pub other: bool }"),
    ];
    let lowered = lower_sources(&files);
    assert_eq!(lowered.diagnostics, []);
    assert_eq!(lowered.program.layers.len(), 1);
    let types: Vec<&str> = lowered.program.types.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(types, ["State"]);
}
