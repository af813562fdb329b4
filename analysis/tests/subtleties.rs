//! Ways to get the obligations wrong that are easy to fall into: each test holds a layer on one side of such a line beside one on the
//! other. Nearly all are pairs that differ in a few words.

mod findings;

use cspec_analysis::{
    report::Options,
    verdict::{Scope, Verdict},
};
use findings::{check, check_with, holds, mended, pair, run, witness};

// What is quantified over.

/// Statements are about all states of the type, not only those that some run reaches: nothing sets `broken`.
#[test]
fn states_that_are_not_reachable_count() {
    witness(
        "
        #[state]
        pub struct Machine { pub broken: bool, pub moved: bool }

        #[layer]
        impl Arm for Machine {
            #[init]
            fn init(&self) -> bool { !self.broken && !self.moved }
            #[op(right)]
            //   ^^^^^ CS0301 right-mover / look
            fn turn(&mut self, me: Pid) { if self.broken { self.moved = true; } }
            #[op]
            fn look(&mut self, me: Pid) -> bool { self.moved }
        }
        ",
        &[("if self.broken { self.moved = true; }", "")],
    );
}

/// The events of the other operation must be the same in both orders.
#[test]
fn the_events_of_the_other_operation_are_kept() {
    witness(
        "
        #[state]
        pub struct Light { pub on: bool }

        #[layer]
        impl Switch for Light {
            #[op(right)]
            //   ^^^^^ CS0301 right-mover / report
            fn on(&mut self, me: Pid) { self.on = true; }
            #[op]
            fn report(&mut self, me: Pid) { emit(self.on); }
        }
        ",
        &[("emit(self.on)", "emit(true)")],
    );
}

/// An interaction with the outside is an operation of others like any other: here the machine writes back around it, too.
#[test]
fn external_operations_of_others_count() {
    pair(
        "
        #[state]
        pub struct Buffered { pub value: bool, pub pending: bool }

        #[layer]
        impl Memory for Buffered {
            #[invariant]
            fn written_back(&self) -> bool { self.value || !self.pending }
            #[op(left)]
            //   ^^^^ CS0304 stably-enabled / print
            //   ^^^^ CS0304 stably-enabled / wait
            fn wait(&mut self, me: Pid) { when(!self.value); }
            #[op(external)]
            fn print(&mut self, me: Pid) { external() }
            #[background]
            fn write_back(&mut self) { if maybe() { self.value = true; } }
        }
        ",
        &[("when(!self.value);", "")],
    );
}

/// The two operations are of different processes: what is kept for each process is out of reach of the others.
#[test]
fn the_two_processes_differ() {
    pair(
        "
        #[state]
        pub struct Desks { pub papers: Map<Pid, u64> }

        #[layer]
        impl Office for Desks {
            #[op(both)]
            //   ^^^^ CS0301 right-mover / put
            //   ^^^^ CS0302 left-mover / put
            fn put(&mut self, me: Pid, desk: Pid, paper: u64) { self.papers.insert(desk, paper); }
        }
        ",
        &[("self.papers.insert(desk, paper)", "self.papers.insert(me, paper)")],
    );
}

/// A path that no run takes is no path: `never` returns nothing but `false`.
#[test]
fn results_that_do_not_occur_are_not_followed() {
    witness(
        "
        #[state]
        pub struct Light { pub on: bool }

        #[layer]
        impl Steps for Light {
            #[op]
            fn set(&mut self, me: Pid, on: bool) { self.on = on; }
            #[op]
            fn again(&mut self, me: Pid) -> bool { maybe() }
        }

        #[layer]
        impl Whole for Light {
            #[op]
            fn set(&mut self, me: Pid) { self.on = false; }
        }

        #[implement(Whole, over = Steps, by = movers)]
        impl Once {
            fn set(lo: &mut impl Steps) {
                let again = lo.again();
                lo.set(false);
                if again {
                    lo.set(false);
            //      ^^^^^^^^^^^^^ CS0305 shape
                }
            }
        }
        ",
        &[("-> bool { maybe() }", "-> bool { false }")],
    );
}

// What the clauses say.

/// What a procedure knows is about the state before the step of the other: a delivery of the file that is about to be read would have to
/// come before the listing.
#[test]
fn what_is_known_holds_before_the_step_of_the_other() {
    witness(
        "
        #[scalar]
        pub struct Name(u64);
        #[scalar]
        pub struct Text(String);

        #[state]
        pub struct Folder { pub files: Map<Name, Text>, pub picked: Option<Name> }

        #[layer]
        impl Steps for Folder {
            #[op]
            fn pick(&mut self, me: Pid) -> Name {
                let name: Name = any();
                when(self.files.contains(&name));
                self.picked = Some(name);
                name
            }
            #[op]
            fn read(&mut self, me: Pid, name: Name) -> Text {
                when(self.files.contains(&name));
                self.files[&name].clone()
            }
            #[op]
            fn deliver(&mut self, me: Pid, name: Name, text: Text) {
                self.files.insert(name, text);
            }
        }

        #[layer]
        impl Whole for Folder {
            #[op]
            fn newest(&mut self, me: Pid) -> Text {
                let name: Name = any();
                when(self.files.contains(&name));
                self.picked = Some(name);
                self.files[&name].clone()
            }
        }

        #[implement(Whole, over = Steps, by = movers)]
        impl PickThenRead {
            fn newest(lo: &mut impl Steps) -> Text {
                let name = lo.pick();
                lo.read(name)
            //  ^^^^^^^^^^^^^ CS0305 shape
            }
        }
        ",
        &[("self.files.insert(name, text);", "when(!self.files.contains(&name)); self.files.insert(name, text);")],
    );
}

/// A left mover stays enabled in all states, not only in those that the procedure can be in: here the owner may always finish.
#[test]
fn stable_enabledness_is_about_all_states() {
    witness(
        "
        #[state]
        pub struct Room { pub owner: Option<Pid>, pub open: bool, pub log: Seq<u64> }

        #[layer]
        impl Steps for Room {
            #[op]
            fn enter(&mut self, me: Pid) { when(self.owner.is_none()); self.owner = Some(me); }
            #[op]
            fn write(&mut self, me: Pid, line: u64) { self.log.push(line); }
            #[op]
            fn close(&mut self, me: Pid) { self.open = false; }
            #[op]
            fn leave(&mut self, me: Pid) {
                when(self.owner == Some(me) || self.open);
                if self.owner == Some(me) { self.owner = None; }
            }
        }

        #[layer]
        impl Whole for Room {
            #[op]
            fn note(&mut self, me: Pid, line: u64) { when(self.owner.is_none()); self.log.push(line); }
        }

        #[implement(Whole, over = Steps, by = movers)]
        impl EnterThenLeave {
            fn note(lo: &mut impl Steps, line: u64) {
                lo.enter();
                lo.write(line);
                lo.leave();
            //  ^^^^^^^^^^ CS0305 shape
            }
        }
        ",
        &[("== Some(me) || self.open);", "== Some(me));")],
    );
}

/// After a failure anything may be emitted, so what may fail is not silent, and no mover.
#[test]
fn what_may_fail_is_no_mover() {
    witness(
        "
        #[state]
        pub struct Guarded { pub owner: Option<Pid> }

        #[layer]
        impl Lock for Guarded {
            #[op(right)]
            //   ^^^^^ CS0303 silent
            fn release(&mut self, me: Pid) { assert!(self.owner == Some(me)); self.owner = None; }
        }
        ",
        &[("assert!", "when")],
    );
}

/// Results are fixed, the end is the same, and the state between is free: who writes anything at all may come first or second.
#[test]
fn only_the_state_in_between_is_free() {
    pair(
        "
        #[state]
        pub struct Cell { pub value: u64 }

        #[layer]
        impl Shared for Cell {
            #[op(both)]
            //   ^^^^ CS0301 right-mover / scribble
            //   ^^^^ CS0302 left-mover / scribble
            fn scribble(&mut self, me: Pid, value: u64) -> u64 { self.value = value; value }
        }
        ",
        &[("self.value = value; value }", "self.value = any(); value }")],
    );
}

/// Right movers and the commit point may block; what comes after may not.
#[test]
fn what_comes_before_the_commit_point_may_block() {
    witness(
        "
        #[state]
        pub struct Queue { pub ready: Set<Pid>, pub items: Seq<u64> }

        #[layer]
        impl Steps for Queue {
            #[op]
            fn prepare(&mut self, me: Pid) { when(self.ready.contains(&me)); }
            #[op]
            fn pop(&mut self, me: Pid) -> u64 { when(!self.items.is_empty()); self.items.pop().unwrap() }
        }

        #[layer]
        impl Whole for Queue {
            #[op]
            fn take(&mut self, me: Pid) -> u64 {
                when(self.ready.contains(&me) && !self.items.is_empty());
                self.items.pop().unwrap()
            }
        }

        #[implement(Whole, over = Steps, by = movers)]
        impl PrepareThenPop {
            fn take(lo: &mut impl Steps) -> u64 {
                let first = lo.pop();
                lo.prepare();
            //  ^^^^^^^^^^^^ CS0306 shape
                first
            }
        }
        ",
        &[("let first = lo.pop();", "lo.prepare();"), ("lo.prepare();\n                first", "lo.pop()")],
    );
}

/// The last call, in tail position or not, is a call like any other.
#[test]
fn a_tail_call_may_be_a_left_mover() {
    witness(
        "
        #[state]
        pub struct Spool { pub tmp: Set<Pid>, pub last: u64 }

        #[layer]
        impl Steps for Spool {
            #[op]
            fn send(&mut self, me: Pid, message: u64) { self.last = message; }
            #[op]
            fn clean(&mut self, me: Pid) -> bool { self.tmp.remove(&me); true }
            #[op]
            fn is_last(&mut self, me: Pid, message: u64) -> bool { self.last == message }
        }

        #[layer]
        impl Whole for Spool {
            #[op]
            fn send(&mut self, me: Pid, message: u64) -> bool { self.last = message; self.tmp.remove(&me); maybe() }
        }

        #[implement(Whole, over = Steps, by = movers)]
        impl SendThenClean {
            fn send(lo: &mut impl Steps, message: u64) -> bool {
                lo.clean();
                lo.send(message);
                lo.is_last(message)
            //  ^^^^^^^^^^^^^^^^^^^ CS0305 shape
            }
        }
        ",
        &[("lo.is_last(message)", "lo.clean()")],
    );
}

/// A procedure of movers does not loop, but for over what it has read.
#[test]
fn a_procedure_of_movers_loops_over_data_only() {
    witness(
        "
        #[state]
        pub struct Desks { pub papers: Map<Pid, u64> }

        #[layer]
        impl Steps for Desks {
            #[op]
            fn put(&mut self, me: Pid, paper: u64) { self.papers.insert(me, paper); }
        }

        #[layer]
        impl Whole for Desks {
            #[op]
            fn put(&mut self, me: Pid) { self.papers.insert(me, 2); }
        }

        #[implement(Whole, over = Steps, by = movers)]
        impl Twice {
            fn put(lo: &mut impl Steps) {
                while maybe() {
            //  ^^^^^^^^^^^^^^^ CS0308 shape
                    lo.put(1);
                }
                lo.put(2);
            }
        }
        ",
        &[("while maybe() {", "for _ in 0..2 {")],
    );
}

// Protocols.

/// Others follow the protocol as well: nobody else may release my lock, so it stays mine. In a layer where they may, it does not.
#[test]
fn others_follow_the_protocol() {
    let source = "
        #[state]
        pub struct Guarded { pub owner: Option<Pid>, pub value: u64 }

        #[layer]
        impl Raw for Guarded {
            #[op]
            fn acquire(&mut self, me: Pid) { when(self.owner.is_none()); self.owner = Some(me); }
            #[op]
            fn release(&mut self, me: Pid) { self.owner = None; }
            #[op]
            fn write(&mut self, me: Pid, value: u64) { self.value = value; }
        }

        #[layer(protocol = Raw)]
        impl Ruled for Guarded {
            #[allowed(write)]
            fn by_owner(&self, me: Pid) -> bool { self.owner == Some(me) }
            // ^^^^^^^^ CS0402 stays-allowed / release
        }

        #[layer]
        impl Whole for Guarded {
            #[op]
            fn set(&mut self, me: Pid, value: u64) { when(self.owner.is_none()); self.value = value; }
        }

        #[implement(Whole, over = Ruled, by = movers)]
        impl Locked {
            fn set(lo: &mut impl Ruled, value: u64) {
                lo.acquire();
                lo.write(value);
            //  ^^^^^^^^^^^^^^^ CS0305 shape
                lo.release();
            }
        }
        ";
    pair(source, &[("#[allowed(write)]", "#[allowed(write, release)]")]);
}

/// A procedure follows the protocol from every state, not only from those that a run reaches: nothing closes the room.
#[test]
fn a_protocol_is_followed_from_every_state() {
    witness(
        "
        #[state]
        pub struct Room { pub open: bool, pub values: Map<Pid, u64> }

        #[layer]
        impl Raw for Room {
            #[init]
            fn init(&self) -> bool { self.open }
            #[op]
            fn unlock(&mut self, me: Pid) { self.open = true; }
            #[op]
            fn write(&mut self, me: Pid, value: u64) { self.values.insert(me, value); }
        }

        #[layer(protocol = Raw)]
        impl Ruled for Room {
            #[allowed(write)]
            fn while_open(&self, me: Pid) -> bool { self.open }
        }

        #[layer(inherit(Raw: init))]
        impl Whole for Room {
            #[op]
            fn set(&mut self, me: Pid, value: u64) { self.open = true; self.values.insert(me, value); }
        }

        #[implement(Whole, over = Ruled, by = movers)]
        impl Enter {
            fn set(lo: &mut impl Ruled, value: u64) {
                lo.write(value);
            //  ^^^^^^^^^^^^^^^ CS0401 follows
            }
        }
        ",
        &[("lo.write(value);", "lo.unlock(); lo.write(value);")],
    );
}

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

// Retry loops.

/// A turn is checked with everything that earlier turns may have left behind.
#[test]
fn what_earlier_turns_carry_over_is_unknown() {
    witness(
        "
        #[state]
        pub struct Guarded { pub owner: Option<Pid> }

        #[layer]
        impl Tries for Guarded {
            #[op]
            fn try_acquire(&mut self, me: Pid) -> bool {
                if maybe() { return false; }
                when(self.owner.is_none());
                self.owner = Some(me);
                true
            }
        }

        #[layer]
        impl Lock for Guarded {
            #[op]
            fn acquire(&mut self, me: Pid) -> bool { when(self.owner.is_none()); self.owner = Some(me); false }
        }

        #[implement(Lock, over = Tries, by = retry)]
        impl Spin {
            fn acquire(lo: &mut impl Tries) -> bool {
            // ^^^^^^^ CS0602 turn
                let mut waited = false;
                loop {
                    if lo.try_acquire() { return waited; }
                    waited = true;
                }
            }
        }
        ",
        &[("return waited;", "return false;")],
    );
}

// Abstractions.

/// Each step below is exactly one step above: not two, and not none.
#[test]
fn a_step_is_matched_by_one_step() {
    let source = "
        #[state]
        pub struct Low { pub count: u64 }
        #[state]
        pub struct High { pub count: u64 }

        #[layer]
        impl Lower for Low {
            #[op]
            fn skip(&mut self, me: Pid) { self.count = self.count.wrapping_add(2); }
        }

        #[layer(ops = Lower)]
        impl Upper for High {
            #[op]
            fn skip(&mut self, me: Pid) { self.count = self.count.wrapping_add(1); }
            // ^^^^ CS0501 simulation
        }

        #[implement(Upper, over = Lower, by = abstraction)]
        impl Same {
            #[abstraction]
            fn same(lo: &Low) -> High { High { count: lo.count } }
        }
        ";
    witness(source, &[("wrapping_add(1)", "wrapping_add(2)")]);
    witness(
        &mended(
            source,
            &[
                ("self.count = self.count.wrapping_add(2);", ""),
                (
                    "self.count = self.count.wrapping_add(1); }",
                    "when(self.count != 0); }\n            // ^^^^ CS0501 simulation",
                ),
            ],
        ),
        &[("when(self.count != 0);", "")],
    );
}

/// A relation may relate many states: each of those above must be able to follow, and may end in any that is related.
#[test]
fn a_relation_need_not_be_a_function() {
    witness(
        "
        #[state]
        pub struct Low { pub value: u64 }
        #[state]
        pub struct High { pub value: u64, pub ghost: bool }

        #[layer]
        impl Lower for Low {
            #[op]
            fn write(&mut self, me: Pid, value: u64) { self.value = value; }
        }

        #[layer(ops = Lower)]
        impl Upper for High {
            #[op]
            fn write(&mut self, me: Pid, value: u64) { when(self.ghost); self.value = value; self.ghost = maybe(); }
            // ^^^^^ CS0501 simulation
        }

        #[implement(Upper, over = Lower, by = abstraction)]
        impl WithGhost {
            #[abstraction]
            fn with_ghost(lo: &Low, hi: &High) -> bool { hi.value == lo.value }
        }
        ",
        &[("when(self.ghost);", "")],
    );
}

/// An unbounded choice above is matched by being possible, not by being tried: the number below is beyond every bound.
#[test]
fn an_unbounded_choice_is_matched_by_membership() {
    witness(
        "
        #[state]
        pub struct Low { pub last: u64 }
        #[state]
        pub struct High { pub last: u64 }

        #[layer]
        impl Lower for Low {
            #[op]
            fn next(&mut self, me: Pid) -> u64 { self.last = 1000; 1000 }
        }

        #[layer(ops = Lower)]
        impl Upper for High {
            #[op]
            fn next(&mut self, me: Pid) -> u64 { let number: u64 = any(); when(number != 1000); self.last = number; number }
            // ^^^^ CS0501 simulation
        }

        #[implement(Upper, over = Lower, by = abstraction)]
        impl Same {
            #[abstraction]
            fn same(lo: &Low) -> High { High { last: lo.last } }
        }
        ",
        &[("when(number != 1000);", "")],
    );
}

// Values.

/// Unknown values include those that the code names: the empty text is one of them.
#[test]
fn awkward_values_are_among_the_unknown() {
    witness(
        "
        #[state]
        pub struct Page { pub cleared: bool }

        #[layer]
        impl Notes for Page {
            #[op(right)]
            //   ^^^^^ CS0301 right-mover / look
            fn write(&mut self, me: Pid, text: String) { if text == \"\" { self.cleared = true; } }
            #[op]
            fn look(&mut self, me: Pid) -> bool { self.cleared }
        }
        ",
        &[("if text == \"\" { self.cleared = true; }", "")],
    );
}

/// A listing is a set: in which order its entries were made cannot be told. Of a sequence it can.
#[test]
fn sets_have_no_order() {
    pair(
        "
        #[scalar]
        pub struct Name(u64);

        #[state]
        pub struct Folder { pub names: Set<Name>, pub order: Seq<Name> }

        #[layer]
        impl Files for Folder {
            #[op(both)]
            //   ^^^^ CS0301 right-mover / create
            //   ^^^^ CS0302 left-mover / create
            fn create(&mut self, me: Pid, name: Name) { self.order.push(name); }
        }
        ",
        &[("self.order.push(name)", "self.names.insert(name)")],
    );
}

/// Bounds are on the states before a step; what the step makes of them is computed as it is, beyond the bounds if need be.
#[test]
fn successors_beyond_the_bounds_are_kept() {
    let source = "
        #[state]
        pub struct Low { pub count: u64 }
        #[state]
        pub struct High { pub count: u64 }

        #[layer]
        impl Lower for Low {
            #[op]
            fn inc(&mut self, me: Pid) { self.count = self.count + 1; }
        }

        #[layer(ops = Lower)]
        impl Upper for High {
            #[op]
            fn inc(&mut self, me: Pid) { self.count = (self.count + 1).min(2); }
            // ^^^ CS0501 simulation
        }

        #[implement(Upper, over = Lower, by = abstraction)]
        impl Same {
            #[abstraction]
            fn same(lo: &Low) -> High { High { count: lo.count } }
        }
        ";
    witness(source, &[(".min(2)", "")]);
    witness(
        "
        #[state]
        pub struct Low { pub queue: Seq<u64> }
        #[state]
        pub struct High { pub queue: Seq<u64> }

        #[layer]
        impl Lower for Low {
            #[op]
            fn push(&mut self, me: Pid, item: u64) { self.queue.push(item); }
        }

        #[layer(ops = Lower)]
        impl Upper for High {
            #[op]
            fn push(&mut self, me: Pid, item: u64) { if self.queue.len() < 2 { self.queue.push(item); } }
            // ^^^^ CS0501 simulation
        }

        #[implement(Upper, over = Lower, by = abstraction)]
        impl Same {
            #[abstraction]
            fn same(lo: &Low) -> High { High { queue: lo.queue.clone() } }
        }
        ",
        &[("if self.queue.len() < 2 { self.queue.push(item); }", "self.queue.push(item);")],
    );
}

/// Naturals end at zero.
#[test]
fn numbers_do_not_go_below_zero() {
    witness(
        "
        #[state]
        pub struct Count { pub value: u64 }

        #[layer]
        impl Counter for Count {
            #[op]
            fn dec(&mut self, me: Pid) { self.value = self.value - 1; }
            //                                        ^^^^^^^^^^^^^^ CS0702 no-panic
        }
        ",
        &[("self.value - 1", "self.value.saturating_sub(1)")],
    );
}

// Events, locks and failures.

/// An event of an external operation records its result, so that the result must be the same above.
#[test]
fn events_record_results() {
    witness(
        "
        #[state]
        pub struct Nothing { pub used: bool }

        #[layer]
        impl Console for Nothing {
            #[op(external)]
            fn ask(&mut self, me: Pid, question: u64) -> u64 { external() }
        }

        #[layer(inherit(Console: ask))]
        impl Users for Nothing {}

        #[implement(Users, over = Console, by = movers)]
        impl Deaf {
            fn ask(lo: &mut impl Console, question: u64) -> u64 {
            // ^^^ CS0307 atomic-spec
                let answer = lo.ask(question);
                0
            }
        }
        ",
        &[("\n                0", "\n                answer")],
    );
}

/// A lock is an operation that is disabled while it is taken. Nothing is claimed about progress: who waits for itself does nothing wrong.
#[test]
fn what_blocks_owes_nothing() {
    witness(
        "
        #[state]
        pub struct Guarded { pub owner: Option<Pid>, pub value: u64 }

        #[layer]
        impl Lock for Guarded {
            #[op]
            fn acquire(&mut self, me: Pid) { if maybe() { when(self.owner.is_none()); } self.owner = Some(me); }
        }

        #[layer]
        impl Whole for Guarded {
            #[op]
            fn stall(&mut self, me: Pid) { when(false); }
        }

        #[implement(Whole, over = Lock, by = movers)]
        impl Deadlock {
            fn stall(lo: &mut impl Lock) {
            // ^^^^^ CS0307 atomic-spec
                lo.acquire();
            }
        }
        ",
        &[
            ("lo.acquire();", "lo.acquire(); lo.acquire();"),
            ("if maybe() { when(self.owner.is_none()); }", "when(self.owner.is_none());"),
        ],
    );
}

/// An operation without any step is pointed out: all that is shown about it is empty.
#[test]
fn an_operation_that_never_happens_is_a_warning() {
    let source = "
        #[state]
        pub struct Guarded { pub owner: Option<Pid> }

        #[layer]
        impl Lock for Guarded {
            #[op]
            fn release(&mut self, me: Pid) { when(self.owner == Some(me) && self.owner.is_none()); self.owner = None; }
        }
        ";
    assert_eq!(holds(source).warnings(), ["CS1001"]);
    assert!(holds(&mended(source, &[(" && self.owner.is_none()", "")])).warnings().is_empty());
}

/// A failure below must be one above: a layer that no longer fails has to show that nothing fails below it.
#[test]
fn failures_are_dismissed_only_where_they_cannot_happen() {
    witness(
        "
        #[state]
        pub struct Guarded { pub owner: Option<Pid>, pub value: u64 }

        #[layer]
        impl Strict for Guarded {
            #[op]
            fn write(&mut self, me: Pid, value: u64) { assert!(self.owner == Some(me)); self.value = value; }
            //                                         ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ CS0701 atomic-spec
        }

        #[layer]
        impl Lenient for Guarded {
            #[op]
            fn set(&mut self, me: Pid, value: u64) { self.value = value; }
        }

        #[implement(Lenient, over = Strict, by = movers)]
        impl Careless {
            fn set(lo: &mut impl Strict, value: u64) { lo.write(value); }
        }
        ",
        &[(
            "{ self.value = value; }\n        }\n\n        #[implement",
            "{ assert!(self.owner == Some(me)); self.value = value; }\n        }\n\n        #[implement",
        )],
    );
}

// Initial states and stacks.

/// Initial states shrink upward: what may be there at the start below must be allowed above.
#[test]
fn initial_states_are_initial_above() {
    witness(
        "
        #[state]
        pub struct Cell { pub value: u64 }

        #[layer]
        impl Lower for Cell {
            #[init]
            fn init(&self) -> bool { true }
            #[op]
            fn write(&mut self, me: Pid, value: u64) { self.value = value; }
        }

        #[layer(inherit(Lower: write))]
        impl Upper for Cell {
            #[init]
            fn init(&self) -> bool { self.value == 0 }
        }

        #[implement(Upper, over = Lower, by = movers, pass(write))]
        impl Same {}
        //   ^^^^ CS0309 initial
        ",
        &[("fn init(&self) -> bool { true }", "fn init(&self) -> bool { self.value == 0 }")],
    );
}

/// Three steps of others are too many to be followed exactly: then nothing is claimed, neither that it holds nor that it does not.
#[test]
fn a_suspicion_that_cannot_be_confirmed_is_no_verdict() {
    let source = "
        #[state]
        pub struct Chain { pub a: bool, pub b: bool, pub c: bool, pub d: bool, pub e: bool }

        #[layer]
        impl Steps for Chain {
            #[op]
            fn reset(&mut self, me: Pid) { self.a = false; self.b = false; self.c = false; self.d = false; self.e = false; }
            #[op]
            fn first(&mut self, me: Pid) { self.a = true; }
            #[op]
            fn second(&mut self, me: Pid) { if self.a { self.b = true; } }
            #[op]
            fn third(&mut self, me: Pid) { if self.b { self.c = true; } }
            #[op]
            fn fourth(&mut self, me: Pid) { if self.c { self.d = true; } }
            #[op]
            fn look(&mut self, me: Pid) -> bool { self.d }
        }

        #[layer]
        impl Whole for Chain {
            #[op]
            fn start(&mut self, me: Pid) -> bool {
                self.a = false; self.b = false; self.c = false; self.d = false; self.e = false;
                false
            }
        }

        #[implement(Whole, over = Steps, by = movers)]
        impl ResetThenLook {
            fn start(lo: &mut impl Steps) -> bool {
                lo.reset();
                lo.look()
            //  ^^^^^^^^^ CS0902 shape
            }
        }
        ";
    let checked = check(source);
    assert_eq!(checked.verdicts("shape"), [("start", &Verdict::Undecided)]);
    // One step less is followed.
    let shorter = mended(
        source,
        &[
            ("-> bool { self.d }", "-> bool { self.c }"),
            ("lo.look()\n", "lo.look()\n            //  ^^^^^^^^^ CS0305 shape\n"),
        ],
    );
    assert_eq!(check(&shorter).verdicts("shape"), [("start", &Verdict::Violated)]);
}

/// Who meets no bound has shown it for all sizes; who does says which bound it met. Other bounds do not change the first.
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

/// A stack does not fail: who writes against the rules fails at the bottom, and so does the top.
#[test]
fn a_stack_does_not_fail_at_the_top() {
    let source = "
        #[state]
        pub struct Guarded { pub owner: Option<Pid>, pub value: u64 }

        #[layer]
        impl Lower for Guarded {
            #[op]
            fn write(&mut self, me: Pid, value: u64) { assert!(self.owner == Some(me)); self.value = value; }
        }

        #[layer(inherit(Lower: write))]
        impl Upper for Guarded {}

        #[implement(Upper, over = Lower, by = movers, pass(write))]
        impl Same {}

        #[stack]
        pub type Tower<L> = Same<L>;
        ";
    let checked = run(&[("layers.rs".to_owned(), source.to_owned())], &Options::default());
    assert_eq!(checked.verdicts("never-fails"), [("write", &Verdict::Violated)]);
    holds(&mended(source, &[("assert!(", "when(")]));
}

/// A retry loop is one loop: what comes after a second one would never be looked at.
#[test]
fn a_retry_loop_is_the_only_loop() {
    for turn in [
        "let mut again = false; loop { if again { break; } again = true; } return true;",
        "let mut again = false; loop { if again { lo.bump(); break; } again = true; }",
    ] {
        let source = format!(
            "
        #[state]
        pub struct Guarded {{ pub owner: Option<Pid>, pub turns: bool }}

        #[layer]
        impl Tries for Guarded {{
            #[op]
            fn bump(&mut self, me: Pid) {{ self.turns = true; }}
            #[op]
            fn try_acquire(&mut self, me: Pid) -> bool {{
                if maybe() {{ return false; }}
                when(self.owner.is_none());
                self.owner = Some(me);
                true
            }}
        }}

        #[layer]
        impl Lock for Guarded {{
            #[op]
            fn acquire(&mut self, me: Pid) -> bool {{ when(self.owner.is_none()); self.owner = Some(me); true }}
        }}

        #[implement(Lock, over = Tries, by = retry)]
        impl Spin {{
            fn acquire(lo: &mut impl Tries) -> bool {{
                loop {{
                    if lo.try_acquire() {{ return true; }}
                    {turn}
                }}
            }}
        }}
        "
        );
        let checked = run(&[("layers.rs".to_owned(), source)], &Options::default());
        assert_eq!(checked.verdicts("turn"), [("acquire", &Verdict::Violated)], "{turn}");
    }
}

/// A parameter that a turn changes is carried over like any other variable.
#[test]
fn a_retry_loop_may_change_its_parameters() {
    witness(
        "
        #[state]
        pub struct Cell { pub value: u64 }

        #[layer]
        impl Tries for Cell {
            #[op]
            fn try_set(&mut self, me: Pid, value: u64) -> bool {
                if maybe() { return false; }
                self.value = value;
                true
            }
        }

        #[layer]
        impl Sets for Cell {
            #[op]
            fn set(&mut self, me: Pid, value: u64) { self.value = value; }
        }

        #[implement(Sets, over = Tries, by = retry)]
        impl Retry {
            fn set(lo: &mut impl Tries, mut value: u64) {
            // ^^^ CS0602 turn
                loop {
                    if lo.try_set(value) { return; }
                    value = 7;
                }
            }
        }
        ",
        &[("value = 7;", "")],
    );
}

/// The numbers that an operation names are known wherever it runs, also where the procedure never calls it.
#[test]
fn literals_of_the_others_count() {
    witness(
        "
        #[state]
        pub struct Alarm { pub level: u64, pub rings: bool, pub armed: bool }

        #[layer]
        impl Steps for Alarm {
            #[op]
            fn reset(&mut self, me: Pid) { self.rings = false; self.armed = !self.armed; }
            #[op]
            fn trip(&mut self, me: Pid) { if self.level == 7 { self.rings = true; } }
            #[op]
            fn hear(&mut self, me: Pid) -> bool { self.rings }
        }

        #[layer]
        impl Whole for Alarm {
            #[op]
            fn arm(&mut self, me: Pid) -> bool { self.rings = false; self.armed = !self.armed; false }
        }

        #[implement(Whole, over = Steps, by = movers)]
        impl ResetThenHear {
            fn arm(lo: &mut impl Steps) -> bool {
                lo.reset();
                lo.hear()
            //  ^^^^^^^^^ CS0305 shape
            }
        }
        ",
        &[("if self.level == 7 { self.rings = true; }", "if self.level == 7 { self.level = 8; }")],
    );
}

/// Others that look at a collection of any size are followed.
#[test]
fn collections_of_the_others_count() {
    witness(
        "
        #[state]
        pub struct Alarm { pub queue: Seq<bool>, pub rings: bool, pub armed: bool }

        #[layer]
        impl Steps for Alarm {
            #[op]
            fn reset(&mut self, me: Pid) { self.rings = false; self.armed = !self.armed; }
            #[op]
            fn trip(&mut self, me: Pid) { if self.queue.len() > 0 { self.rings = true; } }
            #[op]
            fn hear(&mut self, me: Pid) -> bool { self.rings }
        }

        #[layer]
        impl Whole for Alarm {
            #[op]
            fn arm(&mut self, me: Pid) -> bool { self.rings = false; self.armed = !self.armed; false }
        }

        #[implement(Whole, over = Steps, by = movers)]
        impl ResetThenHear {
            fn arm(lo: &mut impl Steps) -> bool {
                lo.reset();
                lo.hear()
            //  ^^^^^^^^^ CS0305 shape
            }
        }
        ",
        &[("if self.queue.len() > 0 { self.rings = true; }", "")],
    );
}

/// Only procedures of movers are shown to follow a protocol: a retry loop over a protocol layer does not stand on the layer it restricts.
#[test]
fn only_movers_dismiss_a_protocol() {
    let source = "
        #[state]
        pub struct Guarded { pub owner: Option<Pid>, pub value: u64 }

        #[layer]
        impl Raw for Guarded {
            #[op]
            fn write(&mut self, me: Pid, value: u64) { self.value = value; }
        }

        #[layer(protocol = Raw)]
        impl Ruled for Guarded {
            #[allowed(write)]
            fn by_owner(&self, me: Pid) -> bool { self.owner == Some(me) }
        }

        #[layer]
        impl Whole for Guarded {
            #[op]
            fn set(&mut self, me: Pid, value: u64) { when(self.owner == Some(me)); self.value = value; }
        }

        #[layer(inherit(Raw: write))]
        impl Bottom for Guarded {}

        #[implement(Whole, over = Ruled, by = retry)]
        impl Careless {
            fn set(lo: &mut impl Ruled, value: u64) { lo.write(value) }
        }

        #[implement(Raw, over = Bottom, by = movers, pass(write))]
        impl Same {}

        #[stack]
        pub type Tower<L> = Careless<Same<L>>;
        ";
    let checked = run(&[("layers.rs".to_owned(), source.to_owned())], &Options::default());
    assert!(!checked.errors().is_empty(), "nothing shows that `write` is allowed");
}

// What cannot be told apart from what is unknown is not run, so that nothing is concluded from it.

/// A process that code names would have to be tried as the caller too: `Pid(0)` may be the one that moves, or the other.
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

/// A number that code makes may equal an unknown one: the length of a sequence of two is the `2` that `limit` may be.
#[test]
fn numbers_that_code_makes_may_equal_unknown_ones() {
    witness(
        "
        #[state]
        pub struct Queue { pub items: Seq<bool>, pub limit: u64, pub full: bool }

        #[layer]
        impl Bounded for Queue {
            #[op(right)]
            //   ^^^^^ CS0301 right-mover / look
            fn note(&mut self, me: Pid) { if self.items.len() as u64 == self.limit && self.limit != 0 { self.full = true; } }
            #[op]
            fn look(&mut self, me: Pid) -> bool { self.full }
        }
        ",
        &[("self.full = true;", "")],
    );
}

/// A loop may perform one operation many times: each turn after the first comes after a commit point.
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

/// A procedure that returns something above which `any()` gave `chosen`, of which `condition` holds.
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

/// What was found out about a part of a choice holds of the whole: it cannot be chosen once more.
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
        assert_eq!(failed, [("atomic-spec", &Verdict::Violated)], "{condition}: {}", checked.in_words());
        holds(&returns(ty, condition, right));
    }
}

/// A call that can never be made again, after the commit point: no run of the procedure ends, and yet others see that it has begun.
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
            //  ^^^^^^^^^^ CS0305 shape
            }
        }
        ",
    );
}
