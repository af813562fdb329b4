//! What is said where a proof fails or is undecided: a search decides.

// Each test file is a crate of its own and uses only some of the functions.
#![allow(dead_code)]

mod findings;

use cspec_analysis::{
    report::Options,
    verdict::{Scope, Verdict},
};
use findings::run;

/// A procedure that sets two cells, one after the other. `reads` is what others see of them.
fn two_cells(reads: &str, inherited: &str) -> String {
    format!(
        "
        #[state]
        pub struct Two {{ pub left: bool, pub right: bool }}

        #[layer]
        impl Cells for Two {{
            #[init]
            fn init(&self) -> bool {{ !self.left && !self.right }}
            #[op]
            fn set_left(&mut self, me: Pid) {{ self.left = true; }}
            #[op]
            fn set_right(&mut self, me: Pid) {{ self.right = true; }}
            #[op]
            fn look(&mut self, me: Pid) -> (bool, bool) {{ {reads} }}
        }}

        #[layer(inherit(Cells: init{inherited}))]
        impl Whole for Two {{
            #[op]
            fn set(&mut self, me: Pid) {{ self.left = true; self.right = true; }}
        }}

        #[implement(Whole, over = Cells, by = movers, pass(look))]
        impl Both {{
            fn set(lo: &mut impl Cells) {{ lo.set_left(); lo.set_right(); }}
        }}
        "
    )
}

/// The verdicts on the obligations that do not hold, with the codes of their findings and whether a wrong run is shown.
fn failed(source: &str) -> Vec<(&'static str, Verdict, &'static str, bool)> {
    failed_with(source, &Options::default())
}

fn failed_with(source: &str, options: &Options) -> Vec<(&'static str, Verdict, &'static str, bool)> {
    let checked = run(&[("lib.rs".to_owned(), source.to_owned())], options);
    assert!(checked.lowered.diagnostics.is_empty(), "{:?}", checked.lowered.diagnostics);
    let told = checked.failed().map(|it| {
        let found = it.diagnostics.first().expect("a finding");
        (it.name.kind, it.verdict, found.code, found.wrong_run.is_some())
    });
    told.collect()
}

/// With what is known at calls, more is shown than is wanted here.
fn without_call_site_facts() -> Options {
    Options { scope: Scope { call_site_facts: false, ..Scope::default() }, ..Options::default() }
}

#[test]
fn a_run_that_is_not_allowed_above_makes_it_violated() {
    let seen = two_cells("(self.left, self.right)", ", look");
    assert_eq!(failed(&seen), [("shape", Verdict::Violated, "CS0305", true)]);
}

#[test]
fn without_a_search_it_is_not_shown() {
    let seen = two_cells("(self.left, self.right)", ", look");
    let options = Options { search_refused: false, ..Options::default() };
    assert_eq!(failed_with(&seen, &options), [("shape", Verdict::NotShown, "CS0310", false)]);
}

#[test]
fn without_such_a_run_it_is_not_shown() {
    let unseen = two_cells("(self.left && self.right, self.left && self.right)", ", look");
    assert_eq!(failed_with(&unseen, &without_call_site_facts()), [("shape", Verdict::NotShown, "CS0310", false)]);
}

/// The assertion of a client is what its author looks at. It counts unless it may fail over the layer above, too.
#[test]
fn a_client_that_fails_only_below_shows_that_it_is_wrong() {
    let with_client = |reads: &str, asserted: &str| {
        let client = format!(
            "
            #[stack]
            pub type Stack<L> = Both<L>;

            #[client(Stack, processes(2))]
            fn looks(process: u64, top: &mut impl Whole) {{
                if process == 0 {{ top.set(); return; }}
                let (left, right) = top.look();
                assert!({asserted});
            }}
            "
        );
        two_cells(reads, ", look") + &client
    };
    let source = with_client("(self.left, self.right)", "left == right");
    let checked = run(&[("lib.rs".to_owned(), source)], &Options::default());
    let told = checked.failed().flat_map(|it| &it.diagnostics).find_map(|it| it.wrong_run.as_ref()).expect("a run");
    let expected = "with 2 processes, `looks` fails in a run over `Cells`, and over `Whole` it cannot fail there";
    assert_eq!(told.message, expected);
    let unseen = with_client("(self.left && self.right, self.left && self.right)", "left && right");
    assert_eq!(failed_with(&unseen, &without_call_site_facts()), [("shape", Verdict::NotShown, "CS0310", false)]);
}

/// The layer above may choose any name. A name that the search has not tried is no reason to call the program wrong.
#[test]
fn what_the_layer_above_may_choose_is_no_wrong_run() {
    let source = "
        #[scalar]
        pub struct Name(u64);

        #[state]
        pub struct Turns { pub first: bool, pub second: bool }

        #[layer]
        impl Low for Turns {
            #[init]
            fn init(&self) -> bool { !self.first && !self.second }
            #[op]
            fn begin(&mut self, me: Pid) -> Name { self.first = true; any() }
            #[op]
            fn end(&mut self, me: Pid) -> Name { self.second = self.first; any() }
            #[op]
            fn both(&mut self, me: Pid) -> bool { self.first && self.second }
        }

        #[layer(inherit(Low: init, both))]
        impl High for Turns {
            #[op]
            fn pick(&mut self, me: Pid) -> Name { self.first = true; self.second = true; any() }
        }

        #[implement(High, over = Low, by = movers, pass(both))]
        impl Picks {
            fn pick(lo: &mut impl Low) -> Name {
                let dropped = lo.begin();
                lo.end()
            }
        }
        ";
    assert!(failed(source).iter().all(|it| it.1 != Verdict::Violated), "{:?}", failed(source));
}

/// What is left to the layer above beyond the numbers that are tried is no wrong run; what it rules out is one.
#[test]
fn a_run_that_may_be_matched_beyond_the_bounds_leaves_it_undecided() {
    let source = |above: &str| {
        format!(
            "
            #[state]
            pub struct Counter {{ pub number: u64 }}

            #[layer]
            impl Steps for Counter {{
                #[init]
                fn init(&self) -> bool {{ self.number == 0 }}
                #[op]
                fn put(&mut self, me: Pid) {{ self.number = 700; }}
            }}

            #[layer(inherit(Steps: init))]
            impl Whole for Counter {{
                #[op]
                fn choose(&mut self, me: Pid) {{
                    let n: u64 = any();
                    {above}
                }}
            }}

            #[implement(Whole, over = Steps, by = movers)]
            impl Chooses {{
                fn choose(lo: &mut impl Steps) {{ lo.put(); }}
            }}
            "
        )
    };
    assert_eq!(
        failed(&source("self.number = (n * 3 + 1) % 801;")),
        [("atomic-spec", Verdict::Undecided, "CS0904", false)]
    );
    assert_eq!(failed(&source("when(n < 2); self.number = n;")), [("atomic-spec", Verdict::Violated, "CS0801", true)]);
}

/// The sum of two chosen numbers is larger than the numbers that the top tries. It may be any number there, and every obligation holds.
#[test]
fn a_search_asks_the_top_with_more_numbers() {
    let source = |sum: &str, client: &str| {
        format!(
            "
            #[state]
            pub struct Dice {{ pub rolled: bool }}

            #[layer]
            impl Low for Dice {{
                #[init]
                fn init(&self) -> bool {{ !self.rolled }}
                #[op]
                fn roll(&mut self, me: Pid) -> u64 {{ let eyes: u64 = any(); eyes }}
                #[op(external)]
                fn print(&mut self, me: Pid, sum: u64) {{ external() }}
            }}

            #[layer(inherit(Low: init, print))]
            impl High for Dice {{
                #[op]
                fn sum(&mut self, me: Pid) -> u64 {{ let sum: u64 = any(); {sum} sum }}
            }}

            #[implement(High, over = Low, by = movers, pass(print))]
            impl Two {{
                fn sum(lo: &mut impl Low) -> u64 {{ let a = lo.roll(); let b = lo.roll(); a + b }}
            }}
            {client}
            "
        )
    };
    let client = "
        #[stack]
        pub type Whole<L> = Two<L>;

        #[client(Whole, processes(2))]
        fn both(process: u64, top: &mut impl High) { let sum = top.sum(); top.print(sum); }
    ";
    let search = Options { end_to_end: true, ..Options::default() };
    assert_eq!(failed(&source("", client)), []);
    for (client, kind) in [(client, "traces"), ("", "programs")] {
        let found = failed_with(&source("", client), &search);
        assert_eq!(found, [(kind, Verdict::Undecided, "CS0904", false)]);
        let found = failed_with(&source("when(sum < 2);", client), &search);
        assert_eq!(found, [(kind, Verdict::Violated, "CS0801", false)]);
    }
}

/// A slot is taken with a number, and given back only with the same number. Nothing is wrong before the second call of a process.
const SLOT: &str = "
    #[state]
    pub struct Slot { pub number: u64, pub is_taken: bool, pub others: Set<u64> }

    #[layer]
    impl Low for Slot {
        #[init]
        fn init(&self) -> bool { !self.is_taken && self.number == 0 }
        #[op]
        fn load(&mut self, me: Pid) -> (u64, bool) { (self.number, self.is_taken) }
        #[op]
        fn swap(&mut self, me: Pid, old: (u64, bool), new: (u64, bool)) -> bool {
            if (self.number, self.is_taken) != old { return false; }
            (self.number, self.is_taken) = new;
            true
        }
    }

    #[layer(inherit(Low: init))]
    impl High for Slot {
        #[op]
        fn take(&mut self, me: Pid) -> Option<u64> {
            if self.is_taken { return None; }
            self.is_taken = true;
            Some(self.number)
        }
        #[op]
        fn give(&mut self, me: Pid, number: u64) -> bool {
            if !self.is_taken || self.number != number { return false; }
            (self.number, self.is_taken) = (self.number + 1, false);
            true
        }
    }

    #[implement(High, over = Low, by = movers)]
    impl Code {
        fn take(lo: &mut impl Low) -> Option<u64> {
            loop {
                let (number, is_taken) = lo.load();
                if is_taken { return None; }
                if lo.swap((number, false), (number, true)) { return Some(number); }
            }
        }
        fn give(lo: &mut impl Low, number: u64) -> bool {
            loop {
                let (now, is_taken) = lo.load();
                if !is_taken || CHECK { return false; }
                if lo.swap((now, true), (now + 1, false)) { return true; }
            }
        }
    }
";

/// A set of numbers that nobody names makes no difference: the layer above starts with the same.
#[test]
fn a_procedure_that_is_wrong_alone_is_violated() {
    assert_eq!(failed(&SLOT.replace("CHECK", "now != number")), []);
    let checked = run(&[("lib.rs".to_owned(), SLOT.replace("CHECK", "false"))], &Options::default());
    let told = checked.failed().flat_map(|it| &it.diagnostics).find_map(|it| it.wrong_run.as_ref()).expect("a run");
    assert_eq!(told.notes.first().map(|it| &**it), Some("the program is  p0: take(); give(1)"));
    assert!(checked.failed().all(|it| it.verdict == Verdict::Violated));
}

/// A store goes wrong only in a state that three calls lead to, and then only against several calls of another process.
#[test]
fn a_program_may_begin_in_a_state_that_some_calls_lead_to() {
    let source = "
        #[state]
        #[derive(Copy)]
        pub enum Phase { Open(u64), Closed, Trying }

        #[state]
        pub struct Gate { pub phase: Phase }

        #[layer]
        impl Low for Gate {
            #[init]
            fn init(&self) -> bool { self.phase == Phase::Open(0) }
            #[op]
            fn load(&mut self, me: Pid) -> Phase { self.phase }
            #[op]
            fn swap(&mut self, me: Pid, old: Phase, new: Phase) -> bool {
                if self.phase != old { return false; }
                self.phase = new;
                true
            }
            #[op]
            fn store(&mut self, me: Pid, new: Phase) { self.phase = new; }
        }

        #[layer(inherit(Low: init))]
        impl High for Gate {
            #[op]
            fn enter(&mut self, me: Pid) -> bool {
                if self.phase == Phase::Closed { self.phase = Phase::Trying; return true; }
                self.phase != Phase::Trying
            }
            #[op]
            fn fail(&mut self, me: Pid) {
                self.phase = match self.phase {
                    Phase::Open(n) if n < 2 => Phase::Open(n + 1),
                    _ => Phase::Closed,
                };
            }
            #[op]
            fn succeed(&mut self, me: Pid) { if self.phase != Phase::Closed { self.phase = Phase::Open(0); } }
        }

        #[implement(High, over = Low, by = movers)]
        impl Code {
            fn enter(lo: &mut impl Low) -> bool {
                let phase = lo.load();
                if phase == Phase::Closed { lo.store(Phase::Trying); return true; }
                phase != Phase::Trying
            }
            fn fail(lo: &mut impl Low) {
                loop {
                    let phase = lo.load();
                    let next = match phase {
                        Phase::Open(n) if n < 2 => Phase::Open(n + 1),
                        _ => Phase::Closed,
                    };
                    if lo.swap(phase, next) { return; }
                }
            }
            fn succeed(lo: &mut impl Low) {
                loop {
                    let phase = lo.load();
                    if phase == Phase::Closed || lo.swap(phase, Phase::Open(0)) { return; }
                }
            }
        }
    ";
    assert_eq!(failed(source), [("shape", Verdict::Violated, "CS0307", true)]);
}

/// Where a procedure starts, its process is at rest: that has to be found.
const AT_REST: &str = include_str!("corpus/movers/what_holds_between_procedures_is_found/right.rs");

#[test]
fn what_holds_where_a_procedure_starts_is_found_unless_it_is_switched_off() {
    assert_eq!(failed(AT_REST), []);
    let scope = Scope { find_idle: false, ..Scope::default() };
    let told = failed_with(AT_REST, &Options { scope, ..Options::default() });
    let expected =
        [("follows", Verdict::Violated, "CS0401", false), ("atomic-spec", Verdict::NotShown, "CS0310", false)];
    assert_eq!(told, expected);
}

#[test]
fn the_rules_beyond_the_usual_facts_and_movers_can_be_switched_off() {
    let past_decisive = include_str!("corpus/movers/a_left_mover_moves_past_decisive_steps/right.rs");
    let guarded = include_str!("corpus/movers/facts_may_hold_under_a_guard/right.rs");
    let may_fail = include_str!("corpus/movers/an_operation_may_fail_at_any_time/right.rs");
    let mistaken = include_str!("corpus/movers/a_result_may_be_mistaken_for_another/right.rs");
    let given = include_str!("corpus/movers/others_give_what_their_calls_say/right.rs");
    let where_made = include_str!("corpus/movers/others_make_their_calls_where_they_may/right.rs");
    let minted = include_str!("corpus/movers/a_name_that_is_not_in_use_is_minted/right.rs");
    let usual = Scope::default;
    let without = Scope { decisive_steps: false, spurious_failures: false, ..usual() };
    let not_shown = ("shape", Verdict::NotShown, "CS0310", false);
    let absorbed = include_str!("corpus/movers/a_turn_makes_up_for_those_before_it/right.rs");
    let scopes = [
        (absorbed, Scope { absorbed_turns: false, ..usual() }, vec![("shape", Verdict::Undecided, "CS0907", false)]),
        (past_decisive, without, vec![not_shown]),
        (guarded, Scope { guards: false, ..usual() }, vec![("shape", Verdict::Undecided, "CS0907", false)]),
        (may_fail, Scope { spurious_failures: false, ..usual() }, vec![not_shown, not_shown]),
        (mistaken, Scope { mistaken_results: false, ..usual() }, vec![not_shown]),
        (given, Scope { given_arguments: false, call_site_facts: false, ..usual() }, vec![not_shown]),
        (where_made, Scope { call_site_facts: false, ..usual() }, vec![not_shown]),
        (minted, Scope { call_site_facts: false, ..usual() }, vec![not_shown]),
    ];
    for (source, scope, expected) in scopes {
        assert_eq!(failed(source), []);
        assert_eq!(failed_with(source, &Options { scope, ..Options::default() }), expected);
    }
    // Each is enough.
    let scope = Scope { decisive_steps: false, ..usual() };
    assert_eq!(failed_with(past_decisive, &Options { scope, ..Options::default() }), []);
}

/// An obligation that is asked again has one finding, and a search decides its words, too.
#[test]
fn what_does_not_hold_with_what_is_found_is_told_once() {
    let source = "
        #[state]
        pub struct Count { pub n: u64, pub inside: Set<Pid> }

        #[layer]
        impl Low for Count {
            #[init]
            fn init(&self) -> bool { self.inside.is_empty() }
            #[op]
            fn is_inside(&mut self, me: Pid) -> bool { self.inside.contains(&me) }
            #[op]
            fn set(&mut self, me: Pid, n: u64) { self.n = n; }
            #[op]
            fn get(&mut self, me: Pid) -> u64 { READ }
        }

        #[layer(inherit(Low: init, get))]
        impl High for Count {
            #[op]
            fn put(&mut self, me: Pid) -> bool { self.n = 2; false }
        }

        #[implement(High, over = Low, by = movers, pass(get))]
        impl Puts {
            fn put(lo: &mut impl Low) -> bool {
                lo.set(1);
                lo.set(2);
                lo.is_inside()
            }
        }
    ";
    let told = |read| failed(&source.replace("READ", read));
    assert_eq!(told("self.n"), [("shape", Verdict::Violated, "CS0305", true)]);
    assert_eq!(told("0"), [("shape", Verdict::NotShown, "CS0310", false)]);
}

/// One procedure is shown past decisive steps, on which another has to agree that is checked to scope: so the first is no more than that.
#[test]
fn what_others_agree_on_within_bounds_is_shown_within_bounds() {
    let source = "
        #[state]
        #[derive(Copy)]
        pub enum Phase { New, Running(Pid), Done }

        #[state]
        pub struct Cell { pub phase: Phase, pub names: Set<String> }

        #[layer]
        impl Steps for Cell {
            #[op]
            fn is_done(&mut self, me: Pid) -> bool { self.phase == Phase::Done }
            #[op]
            fn start(&mut self, me: Pid) -> bool {
                if self.phase != Phase::New { return false; }
                self.phase = Phase::Running(me);
                true
            }
            #[op]
            fn finish(&mut self, me: Pid) { when(self.phase == Phase::Running(me)); self.phase = Phase::Done; }
            #[op]
            fn names(&mut self, me: Pid) -> Set<String> { self.names.clone() }
        }

        #[layer]
        impl Whole for Cell {
            #[op]
            fn once(&mut self, me: Pid) {
                if self.phase == Phase::Done { return; }
                when(self.phase == Phase::New);
                self.phase = Phase::Done;
            }
            #[op]
            fn count(&mut self, me: Pid) -> usize { when(self.phase == Phase::Done); self.names.len() }
        }

        #[implement(Whole, over = Steps, by = movers)]
        impl Code {
            fn once(lo: &mut impl Steps) {
                loop {
                    if lo.is_done() { return; }
                    if lo.start() {
                        lo.finish();
                        return;
                    }
                }
            }
            fn count(lo: &mut impl Steps) -> usize {
                loop {
                    if lo.is_done() { return lo.names().len(); }
                }
            }
        }
    ";
    let checked = run(&[("lib.rs".to_owned(), source.to_owned())], &Options::default());
    let shapes = checked.outcomes.iter().filter(|it| it.name.kind == "shape");
    let told: Vec<_> = shapes.map(|it| (it.name.operation.as_str(), it.verdict, it.past_decisive)).collect();
    assert_eq!(told, [("once", Verdict::Checked, true), ("count", Verdict::Checked, false)]);
}

/// The helper is not inlined, since code follows its loop. Its turns have no end, and each call of a turn adds to what is known.
#[test]
fn a_loop_of_calls_in_a_helper_is_given_up_after_some_turns() {
    let source = "
        #[state]
        pub struct Board { pub shown: u64, pub notes: Map<Pid, u64> }

        #[layer]
        impl Steps for Board {
            #[op]
            fn look(&mut self, me: Pid) -> u64 { self.shown }
            #[op]
            fn note(&mut self, me: Pid, to: u64) { self.notes.insert(me, to); }
        }

        #[layer]
        impl Whole for Board {
            #[op]
            fn watch(&mut self, me: Pid, first: bool) -> u64 {
                self.notes.insert(me, 1);
                let mut seen = 0;
                loop {
                    seen = self.shown;
                    if first { return 1; }
                    self.notes.insert(me, seen);
                }
                seen
            }
        }

        #[implement(Whole, over = Steps, by = movers)]
        impl Watching {
            fn watch(lo: &mut impl Steps, first: bool) -> u64 {
                let it = Self::watched(lo, first);
                it
            }
            fn watched(lo: &mut impl Steps, first: bool) -> u64 {
                lo.note(1);
                let mut seen = 0;
                loop {
                    seen = lo.look();
                    if first { return 1; }
                    lo.note(seen);
                }
                lo.note(0);
                seen
            }
        }
    ";
    let failed = failed(source);
    assert!(failed.contains(&("shape", Verdict::Undecided, "CS0903", false)), "{failed:?}");
}

/// The operation above allows for one turn that fails. All turns but the last must have the effect of the last: here each counts.
#[test]
fn turns_that_add_up_are_not_taken_for_their_last() {
    let source = "
        #[state]
        pub struct Cells { pub free: bool, pub tries: Map<Pid, u8> }

        impl Cells {
            fn tries_of(&self, me: Pid) -> u8 { self.tries.get(&me).copied().unwrap_or(0) }
            fn one_more(&mut self, me: Pid) {
                let tries = self.tries_of(me);
                if tries < 3 { self.tries.insert(me, tries + 1); }
            }
        }

        #[layer]
        impl Steps for Cells {
            #[op]
            fn count(&mut self, me: Pid) { self.one_more(me); }
            #[op]
            fn counted(&mut self, me: Pid) -> u8 { self.tries_of(me) }
            #[op]
            fn take(&mut self, me: Pid) -> bool { let free = self.free; self.free = false; free }
            #[op]
            fn give(&mut self, me: Pid) { self.free = true; }
        }

        #[layer(inherit(Steps: counted, give))]
        impl Whole for Cells {
            #[op]
            fn get(&mut self, me: Pid) {
                when(self.free);
                if maybe() { self.one_more(me); }
                self.one_more(me);
                self.free = false;
            }
        }

        #[implement(Whole, over = Steps, by = movers, pass(counted, give))]
        impl Code {
            fn get(lo: &mut impl Steps) {
                loop {
                    lo.count();
                    if lo.take() { return; }
                }
            }
        }
    ";
    let refused = failed(source);
    assert!(refused.iter().any(|it| it.0 == "shape"), "{refused:?}");
    // Each turn that fails overwrites what the one before has counted.
    let overwritten =
        source.replace("{ self.one_more(me); }\n            #[op]", "{ self.tries.insert(me, 1); }\n            #[op]");
    let overwritten = overwritten
        .replace("if maybe() { self.one_more(me); }\n                self.one_more(me);", "self.tries.insert(me, 1);");
    assert_ne!(overwritten, source);
    assert_eq!(failed(&overwritten), []);
}
