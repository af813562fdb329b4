//! Subtle ways to get the obligations wrong: each test compares a layer on one side of such a boundary with one on the other. Nearly all
//! are pairs that differ in a few words.

mod findings;

use cspec_analysis::{
    report::Options,
    verdict::{Scope, Verdict},
};
use findings::{check, check_with, holds, mended, pair, run};

/// Where an operation is not allowed, a restricted layer has no step, and a nilpotent one has a step with any result that does nothing.
#[test]
fn nilpotent_operations_return_anything() {
    let source = "
        #[state]
        pub struct Guarded { pub owner: Option<Pid>, pub value: bool }

        #[layer]
        impl Raw for Guarded {
            #[op]
            fn read(&mut self, me: Pid) -> bool { self.value }
        }

        #[layer(protocol = Raw, nilpotent)]
        impl Ruled for Guarded {
            #[allowed(read)]
            fn by_owner(&self, me: Pid) -> bool { self.owner == Some(me) }
        }

        #[layer]
        impl Whole for Guarded {
            #[op]
            fn look(&mut self, me: Pid) -> bool { self.value }
        }

        #[implement(Whole, over = Ruled, by = movers)]
        impl Careless {
            fn look(lo: &mut impl Ruled) -> bool {
            // ^^^^ CS0307 atomic-spec
                lo.read()
            //  ^^^^^^^^^ CS0401 follows
            }
        }
        ";
    check(source);
    let restricted = mended(
        source,
        &[(", nilpotent", ""), ("lo.read()\n", "lo.read()\n            //  ^^^^^^^^^ CS0401 follows\n")],
    );
    check(&restricted);
}

/// Three steps of other processes are too many to be followed exactly. Then the engine claims neither that the obligation holds nor that it
/// fails.
#[test]
fn a_suspicion_that_cannot_be_confirmed_is_no_verdict() {
    let source = include_str!("corpus/undecided/a_suspicion_that_is_not_confirmed/wrong.rs");
    let checked = check(source);
    assert_eq!(checked.verdicts("shape").first(), Some(&("start", &Verdict::Undecided)));
    // Two steps are followed exactly.
    let shorter = source.replace("-> bool { self.d }", "-> bool { self.b }").replace("CS0907", "CS0307");
    assert_eq!(check(&shorter).verdicts("shape").first(), Some(&("start", &Verdict::Violated)));
}

/// An obligation that meets no bound is proved for all sizes; otherwise the outcome names the bounds that it met. Other bounds do not
/// change a proof.
#[test]
fn only_what_meets_a_bound_depends_on_it() {
    let source = "
        #[scalar]
        pub struct Name(u64);

        #[state]
        pub struct Folder { pub names: Set<Name> }

        #[layer]
        impl Files for Folder {
            #[op]
            fn create(&mut self, me: Pid, name: Name) { self.names.insert(name); }
            #[op]
            fn count(&mut self, me: Pid) -> u64 { let mut n: u64 = 0; for name in self.names.iter() { n = n + 1; } n }
        }
        ";
    for entries in 1..4 {
        let options = Options { scope: Scope { entries, ..Scope::default() }, ..Default::default() };
        let checked = check_with(source, &options);
        assert_eq!(checked.verdicts("no-panic"), [("create", &Verdict::Proved), ("count", &Verdict::Checked)]);
        let bounds: Vec<&[String]> = checked.outcomes.iter().map(|it| it.bounds_met.as_slice()).collect();
        assert!(bounds[0].is_empty() && !bounds[1].is_empty(), "{bounds:?}");
    }
}

// Code that cannot distinguish unknown values is not run on them, so nothing follows from it.

/// A process that the code names would have to be tried as the caller, too: `Pid(0)` may be the mover or the other process.
#[test]
fn no_process_is_special() {
    let checked = run(
        &[(
            "lib.rs".to_owned(),
            "
            #[state]
            pub struct Flag { pub up: bool }

            #[layer]
            impl Special for Flag {
                #[op(right)]
                fn lower(&mut self, me: Pid) { if me == Pid(0) { self.up = false; } }
                #[op]
                fn look(&mut self, me: Pid) -> bool { self.up }
            }
            "
            .to_owned(),
        )],
        &Options::default(),
    );
    assert!(checked.verdicts("right-mover").iter().all(|(_, verdict)| **verdict == Verdict::Undecided));
}

/// A loop may perform one operation many times. Each turn after the first is after a commit point.
#[test]
fn a_loop_performs_its_operation_more_than_once() {
    let source = "
        #[state]
        pub struct Lamp { pub up: bool }

        #[layer]
        impl Single for Lamp {
            #[op]
            fn set(&mut self, me: Pid, up: bool) { self.up = up; }
            #[op]
            fn look(&mut self, me: Pid) -> bool { self.up }
        }

        #[layer(inherit(Single: look))]
        impl Many for Lamp {
            #[op]
            fn set_all(&mut self, me: Pid, ups: Seq<bool>) { for up in ups.iter() { self.up = *up; } }
        }

        #[implement(Many, over = Single, by = movers, pass(look))]
        impl OneByOne {
            fn set_all(lo: &mut impl Single, ups: Seq<bool>) { for up in ups.iter() { lo.set(*up); } }
        }
    ";
    let checked = run(&[("lib.rs".to_owned(), source.to_owned())], &Options::default());
    assert_eq!(checked.failed().map(|it| it.name.kind).collect::<Vec<_>>(), ["shape"]);
}

/// A procedure that returns this, where the operation above gets `chosen` from `any()` and requires `condition`.
fn returns(ty: &str, condition: &str, returned: &str) -> String {
    format!(
        "
        #[state]
        pub struct Pair {{ pub left: bool, pub right: bool }}
        #[state]
        pub struct Table {{ pub have: Map<u64, bool> }}
        #[layer]
        impl Low for Table {{
            #[op]
            fn get(&mut self, me: Pid) -> {ty} {{ {returned} }}
        }}
        #[layer]
        impl High for Table {{
            #[op]
            fn get(&mut self, me: Pid) -> {ty} {{ let chosen: {ty} = any(); when({condition}); chosen }}
        }}
        #[implement(High, over = Low, by = movers, pass(get))]
        impl Same {{}}
        "
    )
}

/// Knowledge about a part of a choice constrains the whole: it cannot be chosen again.
#[test]
fn what_is_known_of_a_part_of_a_choice_is_kept() {
    for (ty, condition, wrong, right) in [
        ("Set<u64>", "chosen.contains(&7)", "Set::new()", "Set::from([7])"),
        ("Set<u64>", "self.have.keys().iter().all(|it| chosen.contains(it))", "Set::new()", "self.have.keys()"),
        (
            "Map<u64, bool>",
            "chosen.get(&7) == Some(&true)",
            "self.have.clone()",
            "{ let mut all = Map::new(); all.insert(7, true); all }",
        ),
        ("Pair", "chosen.left", "Pair { left: false, right: true }", "Pair { left: true, right: any() }"),
        (
            "(bool, Pair)",
            "chosen.1.right",
            "(true, Pair { left: true, right: false })",
            "(true, Pair { left: any(), right: true })",
        ),
        ("Option<Pair>", "chosen.is_none()", "Some(Pair { left: false, right: true })", "None"),
        ("Seq<bool>", "chosen.len() == 1", "Seq::new()", "Seq::from([any()])"),
    ] {
        let checked = run(&[("lib.rs".to_owned(), returns(ty, condition, wrong))], &Options::default());
        assert!(checked.lowered.diagnostics.is_empty(), "{}", checked.in_words());
        let failed: Vec<_> = checked.failed().map(|it| (it.name.kind, &it.verdict)).collect();
        // The lengths of sequences are tried one by one: there might be a longer one.
        let verdict = if ty.starts_with("Seq") { Verdict::Undecided } else { Verdict::Violated };
        assert_eq!(failed, [("atomic-spec", &verdict)], "{condition}: {}", checked.in_words());
        holds(&returns(ty, condition, right));
    }
}

/// After the commit point there is a call that is never enabled again. No run of the procedure ends, and yet other processes see that it
/// has begun.
#[test]
fn a_call_after_the_commit_point_that_blocks_for_ever() {
    check(
        "
        #[state]
        pub struct Room { pub owner: Option<Pid> }

        #[layer]
        impl Doors for Room {
            #[op]
            fn enter(&mut self, me: Pid) { when(self.owner.is_none()); self.owner = Some(me); }
            #[op]
            fn is_free(&mut self, me: Pid) -> bool { self.owner.is_none() }
        }

        #[layer(inherit(Doors: enter, is_free))]
        impl Halls for Room {
            #[op]
            fn enter_twice(&mut self, me: Pid) {
                when(self.owner.is_none());
                self.owner = Some(me);
                when(self.owner.is_none());
            }
        }

        #[implement(Halls, over = Doors, by = movers, pass(enter, is_free))]
        impl Twice {
            fn enter_twice(lo: &mut impl Doors) {
                lo.enter();
                lo.enter();
            //  ^^^^^^^^^^ CS0306 shape
            }
        }
        ",
    );
}

/// The links of an unknown list may form a cycle. A step that walks around it for ever is no step: before the commit point a procedure may
/// wait there, and after it others see what it has begun.
#[test]
fn a_walk_after_the_commit_point_that_never_ends() {
    pair(
        "
        #[scalar]
        pub struct Node(u64);

        #[state]
        pub struct Heap { pub flag: bool, pub next: Map<Node, Node> }

        #[layer]
        impl Parts for Heap {
            #[op]
            fn read(&mut self, me: Pid) -> bool { self.flag }
            #[op]
            fn set(&mut self, me: Pid) { self.flag = true; }
            #[op]
            fn walk(&mut self, me: Pid, from: Node) {
                let mut at = from;
                while let Some(next) = self.next.get(&at).cloned() { at = next; }
            }
        }

        #[layer]
        impl Whole for Heap {
            #[op]
            fn read(&mut self, me: Pid) -> bool { self.flag }
            #[op]
            fn walk_and_set(&mut self, me: Pid, from: Node) {
                let mut at = from;
                while let Some(next) = self.next.get(&at).cloned() { at = next; }
                self.flag = true;
            }
        }

        #[implement(Whole, over = Parts, by = movers, pass(read))]
        impl Code {
            fn walk_and_set(lo: &mut impl Parts, from: Node) {
                lo.set();
                lo.walk(from);
            //  ^^^^^^^^^^^^^ CS0306 shape
            }
        }
        ",
        &[("lo.set();\n                lo.walk(from);", "lo.walk(from);\n                lo.set();")],
    );
}

/// As in Rust, `map[&key] = value` needs an existing entry, and `insert` does not.
#[test]
fn assigning_to_an_entry_that_is_not_there_panics() {
    pair(
        "
        #[scalar]
        pub struct User(u64);

        #[state]
        pub struct Doors { pub open: Map<User, bool> }

        #[layer]
        impl House for Doors {
            #[op]
            fn enter(&mut self, me: Pid, user: User) { self.open[&user] = true; }
            //                                         ^^^^^^^^^^^^^^^^^^^^^^^ CS0702 no-panic
        }
        ",
        &[("{ self.open[&user] = true; }", "{ self.open.insert(user, true); }")],
    );
}

/// The two views of failure differ: after `inc` a check may fail that did not fail before. So if only runs that do not fail have to agree,
/// `inc` may move to an earlier position, but not to a later one.
#[test]
fn a_mover_modulo_failure_is_said_to_be_one() {
    let source = "
        #[state]
        pub struct Limited { pub count: u64 }

        #[layer]
        impl Counter for Limited {
            #[op(both)]
            fn inc(&mut self, me: Pid) { self.count = self.count.saturating_add(1); }
            #[op]
            fn check(&mut self, me: Pid) { assert!(self.count < 2); }
        }
        ";
    let checked = run(&[("layers.rs".to_owned(), source.to_owned())], &Options::default());
    let explained = |kind: &str| {
        let outcome = checked.failed().find(|it| it.name.kind == kind && it.name.against == "check");
        let diagnostics = &outcome.expect("it is no mover in the strict view").diagnostics;
        diagnostics.iter().flat_map(|it| &it.notes).any(|it| it.starts_with("modulo failure"))
    };
    assert!(explained("left-mover"), "{}", checked.in_words());
    assert!(!explained("right-mover"), "{}", checked.in_words());
}

/// All integers of a small type may be in use, so the assumption of an unused one is no proof. A large type always has an unused one.
#[test]
fn a_small_integer_that_is_not_in_use_is_a_bound() {
    let source = |ty: &str| {
        format!(
            "
            #[state]
            pub struct Slots {{ pub used: Map<{ty}, Pid>, pub done: Set<Pid> }}

            #[layer]
            impl Steps for Slots {{
                #[op]
                fn finish(&mut self, me: Pid) {{ self.done.insert(me); }}
                #[op]
                fn is_done(&mut self, me: Pid, other: Pid) -> bool {{ self.done.contains(&other) }}
                #[op]
                fn find(&mut self, me: Pid) {{ let slot: {ty} = any(); when(!self.used.contains(&slot)); }}
            }}

            #[layer(inherit(Steps: is_done))]
            impl Whole for Slots {{
                #[op]
                fn run(&mut self, me: Pid) {{
                    let slot: {ty} = any();
                    when(!self.used.contains(&slot));
                    self.done.insert(me);
                }}
            }}

            #[implement(Whole, over = Steps, by = movers, pass(is_done))]
            impl Run {{
                fn run(lo: &mut impl Steps) {{
                    lo.finish();
                    lo.find();
                }}
            }}
            "
        )
    };
    let shape = |ty: &str| {
        let checked = holds(&source(ty));
        let outcome = checked.outcomes.iter().find(|it| it.name.kind == "shape" && it.name.operation == "run");
        outcome.map(|it| (it.verdict, it.bounds_met.clone()))
    };
    assert_eq!(shape("u8"), Some((Verdict::Checked, vec!["not every u8 in use".to_owned()])));
    assert_eq!(shape("i16"), Some((Verdict::Checked, vec!["not every i16 in use".to_owned()])));
    assert_eq!(shape("u64"), Some((Verdict::Proved, vec![])));
}

/// The state above is searched for among states as large as the state below, which has one entry more than the scope.
#[test]
fn what_is_searched_for_may_be_as_large_as_what_is_given() {
    holds(
        "
        #[scalar]
        pub struct Name(u64);
        pub const ROOT: Name = Name(1);

        #[state]
        pub struct Names { pub all: Map<Name, u64> }

        #[layer]
        impl Low for Names {
            #[init]
            fn rooted(&self) -> bool { self.all.is_empty() || self.all.keys().contains(&ROOT) }
            #[op]
            fn root(&mut self, me: Pid) -> bool { self.all.contains(&ROOT) }
        }

        #[layer(ops = Low)]
        impl High for Names {
            #[op]
            fn root(&mut self, me: Pid) -> bool { self.all.contains(&ROOT) }
        }

        #[implement(High, over = Low, by = abstraction)]
        impl Same {
            #[abstraction]
            fn same(lo: &Names, hi: &Names) -> bool { hi.all == lo.all && (lo.all.is_empty() || lo.all.keys().contains(&ROOT)) }
        }
        ",
    );
}

/// If code calculates, the integers are those of the scope and the neighbours of its literals, where its results change.
#[test]
fn code_changes_beside_its_literals() {
    let source = "
        #[state]
        pub struct Meter { pub level: u64 }

        #[layer]
        impl Raw for Meter {
            #[op]
            fn is_over(&mut self, me: Pid) -> bool { self.level > 100 }
        }

        #[layer]
        impl Meant for Meter {
            #[op]
            fn is_over(&mut self, me: Pid) -> bool { false }
        }

        #[implement(Meant, over = Raw, by = movers)]
        impl Reading {
            fn is_over(lo: &mut impl Raw) -> bool { lo.is_over() }
            // ^^^^^^^ CS0307 atomic-spec
        }
        ";
    pair(source, &[("-> bool { false }", "-> bool { 101 <= self.level }")]);
}
