//! Load-bearing witnesses: for every clause of the obligations, a layer that fails for exactly that clause, beside its repaired twin, which
//! differs in nothing else and passes. If a clause were forgotten or weakened, its witness would pass.
//!
//! There is no witness for processes that start processes: procedures do not.

mod findings;

use findings::witness;

/// A right mover emits nothing: moved past another step, it would reorder the trace.
#[test]
fn a_right_mover_emits_no_event() {
    witness(
        "
        #[state]
        pub struct Journal { pub last: u64 }

        #[layer]
        impl Steps for Journal {
            #[op]
            fn log(&mut self, me: Pid, entry: u64) { emit(entry); }
            #[op]
            fn commit(&mut self, me: Pid, entry: u64) { self.last = entry; }
        }

        #[layer]
        impl Whole for Journal {
            #[op]
            fn put(&mut self, me: Pid, entry: u64) { emit(entry); self.last = entry; }
        }

        #[implement(Whole, over = Steps, by = movers)]
        impl LogThenCommit {
            fn put(lo: &mut impl Steps, entry: u64) {
                lo.log(entry);
                lo.commit(entry);
            //  ^^^^^^^^^^^^^^^^ CS0305 shape
            }
        }
        ",
        &[
            ("fn log(&mut self, me: Pid, entry: u64) { emit(entry); }", "fn log(&mut self, me: Pid, entry: u64) {}"),
            ("Pid, entry: u64) { self.last = entry; }", "Pid, entry: u64) { self.last = entry; emit(entry); }"),
        ],
    );
}

/// A left mover emits nothing: a reply sent after the commit point may come after the reply of another process.
#[test]
fn a_left_mover_emits_no_event() {
    witness(
        "
        #[state]
        pub struct Server { pub last: u64 }

        #[layer]
        impl Steps for Server {
            #[op]
            fn commit(&mut self, me: Pid, request: u64) { self.last = request; }
            #[op]
            fn reply(&mut self, me: Pid, request: u64) { emit(request); }
        }

        #[layer]
        impl Whole for Server {
            #[op]
            fn serve(&mut self, me: Pid, request: u64) { self.last = request; emit(request); }
        }

        #[implement(Whole, over = Steps, by = movers)]
        impl CommitThenReply {
            fn serve(lo: &mut impl Steps, request: u64) {
                lo.commit(request);
                lo.reply(request);
            //  ^^^^^^^^^^^^^^^^^ CS0305 shape
            }
        }
        ",
        &[
            (
                "fn commit(&mut self, me: Pid, request: u64) { self.last = request; }",
                "fn commit(&mut self, me: Pid, request: u64) { self.last = request; emit(request); }",
            ),
            (
                "fn reply(&mut self, me: Pid, request: u64) { emit(request); }",
                "fn reply(&mut self, me: Pid, request: u64) {}",
            ),
        ],
    );
}

/// A right mover commutes with every operation of every other process: a temporary file with a name of its own does, a shared one does not.
#[test]
fn a_right_mover_commutes_with_every_operation_of_others() {
    witness(
        "
        #[scalar]
        pub struct Message(String);

        #[state]
        pub struct Spool { pub tmp: Map<Option<Pid>, Message>, pub mailbox: Set<Message> }

        fn name_for(me: Pid) -> Option<Pid> { None }

        #[layer]
        impl Files for Spool {
            #[op]
            fn create(&mut self, me: Pid, message: Message) { self.tmp.insert(name_for(me), message); }
            #[op]
            fn link(&mut self, me: Pid) {
                when(self.tmp.contains(&name_for(me)));
                let message = self.tmp[&name_for(me)].clone();
                self.mailbox.insert(message);
            }
        }

        #[layer]
        impl Mail for Spool {
            #[op]
            fn deliver(&mut self, me: Pid, message: Message) {
                self.tmp.insert(name_for(me), message);
                self.mailbox.insert(message);
            }
        }

        #[implement(Mail, over = Files, by = movers)]
        impl CreateThenLink {
            fn deliver(lo: &mut impl Files, message: Message) {
                lo.create(message);
                lo.link();
            //  ^^^^^^^^^ CS0305 shape
            }
        }
        ",
        &[("Option<Pid> { None }", "Option<Pid> { Some(me) }")],
    );
}

/// Every operation includes the mover itself: `create` commutes with everything but another `create`.
#[test]
fn an_operation_is_compared_with_itself() {
    witness(
        "
        #[state]
        pub struct Spool { pub tmp: u64, pub own: Map<Pid, u64>, pub size: u64 }

        #[layer]
        impl Files for Spool {
            #[op(right)]
            //   ^^^^^ CS0301 right-mover / create
            fn create(&mut self, me: Pid, content: u64) { self.tmp = content; }
            #[op]
            fn resize(&mut self, me: Pid, size: u64) -> u64 {
                let before = self.size;
                self.size = size;
                before
            }
        }
        ",
        &[("self.tmp = content;", "self.own.insert(me, content);")],
    );
}

/// The other operation has the same result in the other order.
#[test]
fn the_result_of_the_other_operation_is_kept() {
    witness(
        "
        #[state]
        pub struct Folder { pub tmp: bool }

        #[layer]
        impl Files for Folder {
            #[op(right)]
            //   ^^^^^ CS0301 right-mover / exists
            fn create(&mut self, me: Pid) { self.tmp = true; }
            #[op]
            fn exists(&mut self, me: Pid) -> bool { self.tmp }
        }
        ",
        &[("-> bool { self.tmp }", "-> bool { maybe() }")],
    );
}

/// The mover has the same result in the other order.
#[test]
fn the_result_of_the_mover_is_kept() {
    witness(
        "
        #[state]
        pub struct Cell { pub value: u64 }

        #[layer]
        impl Shared for Cell {
            #[op(right)]
            //   ^^^^^ CS0301 right-mover / write
            fn read(&mut self, me: Pid) -> u64 { self.value }
            #[op]
            fn write(&mut self, me: Pid, value: u64) { self.value = value; }
        }
        ",
        &[("-> u64 { self.value }", "-> u64 { any() }")],
    );
}

/// Both orders end in the same state: of two writes the last wins.
#[test]
fn the_final_state_is_kept() {
    witness(
        "
        #[state]
        pub struct Light { pub on: bool, pub warm: bool }

        #[layer]
        impl Switch for Light {
            #[op(right)]
            //   ^^^^^ CS0301 right-mover / off
            fn on(&mut self, me: Pid) { self.on = true; }
            #[op]
            fn off(&mut self, me: Pid) { self.on = false; }
        }
        ",
        &[("self.on = false", "self.warm = false")],
    );
}

/// After the commit point an operation must be enabled in every state that the procedure can be in.
#[test]
fn a_left_mover_is_enabled_where_it_is_called() {
    witness(
        "
        #[state]
        pub struct Spool { pub tmp: Set<Pid>, pub sent: Seq<u64> }

        #[layer]
        impl Files for Spool {
            #[op]
            fn create(&mut self, me: Pid) { self.tmp.insert(me); }
            #[op]
            fn send(&mut self, me: Pid, message: u64) { self.sent.push(message); }
            #[op]
            fn remove(&mut self, me: Pid) {
                when(self.tmp.contains(&me));
                self.tmp.remove(&me);
            }
        }

        #[layer]
        impl Mail for Spool {
            #[op]
            fn deliver(&mut self, me: Pid, message: u64) {
                self.sent.push(message);
                self.tmp.remove(&me);
            }
        }

        #[implement(Mail, over = Files, by = movers)]
        impl SendThenRemove {
            fn deliver(lo: &mut impl Files, message: u64) {
                lo.send(message);
                lo.remove();
            //  ^^^^^^^^^^^ CS0306 shape
            }
        }
        ",
        &[("lo.send(message);", "lo.create(); lo.send(message);")],
    );
}

/// What a procedure knows must survive the steps of others: `reset` says that nothing is published, but others publish, in two steps.
#[test]
fn what_is_known_is_closed_under_the_steps_of_others() {
    witness(
        "
        #[state]
        pub struct Draft { pub written: bool, pub published: bool }

        #[layer]
        impl Steps for Draft {
            #[op]
            fn reset(&mut self, me: Pid) { self.written = false; self.published = false; }
            #[op]
            fn write(&mut self, me: Pid) { self.written = true; }
            #[op]
            fn publish(&mut self, me: Pid) { if self.written { self.published = true; } }
            #[op]
            fn is_published(&mut self, me: Pid) -> bool { self.published }
        }

        #[layer]
        impl Whole for Draft {
            #[op]
            fn start(&mut self, me: Pid) -> bool { self.written = false; self.published = false; false }
        }

        #[implement(Whole, over = Steps, by = movers)]
        impl ResetThenLook {
            fn start(lo: &mut impl Steps) -> bool {
                lo.reset();
                lo.is_published()
            //  ^^^^^^^^^^^^^^^^^ CS0305 shape
            }
        }
        ",
        &[("self.written = true;", "")],
    );
}

/// A procedure has at most one operation that does not move.
#[test]
fn a_procedure_has_one_commit_point() {
    witness(
        "
        #[state]
        pub struct Light { pub on: bool }

        #[layer]
        impl Steps for Light {
            #[op]
            fn look(&mut self, me: Pid) -> bool { self.on }
            #[op]
            fn set(&mut self, me: Pid, on: bool) { self.on = on; }
            #[op]
            fn swap(&mut self, me: Pid, on: bool) -> bool { let seen = self.on; self.on = on; seen }
        }

        #[layer]
        impl Whole for Light {
            #[op]
            fn flash(&mut self, me: Pid) -> bool { let seen = self.on; self.on = true; seen }
        }

        #[implement(Whole, over = Steps, by = movers)]
        impl LookThenSet {
            fn flash(lo: &mut impl Steps) -> bool {
                let seen = lo.look();
                lo.set(true);
            //  ^^^^^^^^^^^^ CS0305 shape
                seen
            }
        }
        ",
        &[("lo.look();", "lo.swap(true);"), ("lo.set(true);", "")],
    );
}

/// A right mover stands before the commit point: a lock that is acquired after it protects nothing.
#[test]
fn a_right_mover_does_not_follow_the_commit_point() {
    witness(
        "
        #[state]
        pub struct Guarded { pub owner: Option<Pid>, pub sent: Seq<u64> }

        #[layer]
        impl Steps for Guarded {
            #[op]
            fn acquire(&mut self, me: Pid) { when(self.owner.is_none()); self.owner = Some(me); }
            #[op]
            fn send(&mut self, me: Pid, message: u64) { self.sent.push(message); }
        }

        #[layer]
        impl Whole for Guarded {
            #[op]
            fn begin(&mut self, me: Pid, message: u64) {
                when(self.owner.is_none());
                self.owner = Some(me);
                self.sent.push(message);
            }
        }

        #[implement(Whole, over = Steps, by = movers)]
        impl SendThenAcquire {
            fn begin(lo: &mut impl Steps, message: u64) {
                lo.send(message);
                lo.acquire();
            //  ^^^^^^^^^^^^ CS0305 shape
            }
        }
        ",
        &[("lo.send(message);", "lo.acquire();"), ("lo.acquire();\n            }", "lo.send(message);\n            }")],
    );
}

/// An operation that moves left in some states moves where the prefix has established one of them: a listed file is there, another may come.
#[test]
fn a_left_mover_of_some_states_is_called_in_those() {
    witness(
        "
        #[scalar]
        pub struct Name(u64);

        #[state]
        pub struct Folders { pub mailbox: Set<Name>, pub tmp: Set<Name>, pub picked: Option<Name> }

        #[layer]
        impl Steps for Folders {
            #[op]
            fn pick(&mut self, me: Pid) -> Name {
                let name = choose(&self.mailbox);
                self.picked = Some(name);
                name
            }
            #[op]
            fn open(&mut self, me: Pid, name: Name) -> bool { self.mailbox.contains(&name) }
            #[op]
            fn open_tmp(&mut self, me: Pid, name: Name) -> bool { self.tmp.contains(&name) }
            #[op]
            fn create(&mut self, me: Pid, name: Name) { self.mailbox.insert(name); self.tmp.insert(name); }
        }

        #[layer]
        impl Whole for Folders {
            #[op]
            fn look(&mut self, me: Pid) -> bool { self.picked = Some(choose(&self.mailbox)); maybe() }
        }

        #[implement(Whole, over = Steps, by = movers)]
        impl PickThenOpen {
            fn look(lo: &mut impl Steps) -> bool {
                let name = lo.pick();
                lo.open_tmp(name)
            //  ^^^^^^^^^^^^^^^^^ CS0305 shape
            }
        }
        ",
        &[("lo.open_tmp(name)", "lo.open(name)")],
    );
}

/// A left mover stays enabled whatever others do: a read under a lock that anybody can release does not.
#[test]
fn a_left_mover_is_not_disabled_by_others() {
    witness(
        "
        #[state]
        pub struct Guarded { pub owner: Option<Pid>, pub value: u64 }

        #[layer]
        impl Lock for Guarded {
            #[op]
            fn acquire(&mut self, me: Pid) { when(self.owner.is_none()); self.owner = Some(me); }
            #[op]
            fn release(&mut self, me: Pid) { self.owner = None; }
            #[op(left)]
            //   ^^^^ CS0304 stably-enabled / release
            fn read(&mut self, me: Pid) -> u64 { when(self.owner == Some(me)); self.value }
        }
        ",
        &[("{ self.owner = None; }", "{ when(self.owner == Some(me)); self.owner = None; }")],
    );
}

/// Initial states are related to initial states: a buffer that is not empty at the start has no counterpart.
#[test]
fn initial_states_are_related() {
    witness(
        "
        #[state]
        pub struct Buffered { pub value: u64, pub pending: Option<u64> }
        #[state]
        pub struct Plain { pub value: u64 }

        #[layer]
        impl Lower for Buffered {
            #[init]
            fn init(&self) -> bool { self.value == 0 }
            #[op]
            fn write(&mut self, me: Pid, value: u64) { self.pending = Some(value); }
        }

        #[layer(ops = Lower)]
        impl Upper for Plain {
            #[init]
            fn init(&self) -> bool { self.value == 0 }
            #[op]
            fn write(&mut self, me: Pid, value: u64) { self.value = value; }
        }

        #[implement(Upper, over = Lower, by = abstraction)]
        impl Newest {
        //   ^^^^^^ CS0502 initial
            #[abstraction]
            fn newest(lo: &Buffered) -> Plain { Plain { value: lo.pending.unwrap_or(lo.value) } }
        }
        ",
        &[(
            "impl Lower for Buffered {\n            #[init]\n            fn init(&self) -> bool { self.value == 0 }",
            "impl Lower for Buffered {\n            #[init]\n            fn init(&self) -> bool { self.value == 0 && self.pending.is_none() }",
        )],
    );
}

/// A step above has the result of the step below.
#[test]
fn an_abstraction_keeps_results() {
    witness(
        "
        #[state]
        pub struct Low { pub on: bool }
        #[state]
        pub struct High { pub off: bool }

        #[layer]
        impl Lower for Low {
            #[op]
            fn turn(&mut self, me: Pid, on: bool) { self.on = on; }
            #[op]
            fn look(&mut self, me: Pid) -> bool { self.on }
        }

        #[layer(ops = Lower)]
        impl Upper for High {
            #[op]
            fn turn(&mut self, me: Pid, on: bool) { self.off = !on; }
            #[op]
            fn look(&mut self, me: Pid) -> bool { self.off }
            // ^^^^ CS0501 simulation
        }

        #[implement(Upper, over = Lower, by = abstraction)]
        impl Negated {
            #[abstraction]
            fn negated(lo: &Low, hi: &High) -> bool { hi.off != lo.on }
        }
        ",
        &[("-> bool { self.off }", "-> bool { !self.off }")],
    );
}

/// The protocol is followed at every call: here one branch forgets the lock.
#[test]
fn every_call_is_allowed() {
    witness(
        "
        #[state]
        pub struct Guarded { pub owner: Option<Pid>, pub file: bool }

        #[layer]
        impl Raw for Guarded {
            #[op]
            fn lock(&mut self, me: Pid) { when(self.owner.is_none()); self.owner = Some(me); }
            #[op]
            fn unlock(&mut self, me: Pid) { self.owner = None; }
            #[op]
            fn delete(&mut self, me: Pid) { self.file = false; }
        }

        #[layer(protocol = Raw)]
        impl Ruled for Guarded {
            #[allowed(unlock, delete)]
            fn by_owner(&self, me: Pid) -> bool { self.owner == Some(me) }
        }

        #[layer]
        impl Whole for Guarded {
            #[op]
            fn tidy(&mut self, me: Pid, careful: bool) {
                when(self.owner.is_none() || self.owner == Some(me));
                self.file = false;
            }
        }

        #[implement(Whole, over = Ruled, by = movers)]
        impl Tidy {
            fn tidy(lo: &mut impl Ruled, careful: bool) {
                if careful { lo.lock(); }
                lo.delete();
            //  ^^^^^^^^^^^ CS0401 follows
                if careful { lo.unlock(); }
            }
        }
        ",
        &[("if careful { lo.lock(); }", "lo.lock();"), ("if careful { lo.unlock(); }", "lo.unlock();")],
    );
}

/// A turn of a retry loop that fails has changed nothing: a failed link that has written already has.
#[test]
fn a_failed_turn_changes_nothing() {
    witness(
        "
        #[state]
        pub struct Spool { pub tmp: Option<u64>, pub sent: Option<u64> }

        #[layer]
        impl Tries for Spool {
            #[op]
            fn try_send(&mut self, me: Pid, message: u64) -> bool {
                self.tmp = None;
                if maybe() { return false; }
                self.sent = Some(message);
                true
            }
        }

        #[layer]
        impl Sends for Spool {
            #[op]
            fn send(&mut self, me: Pid, message: u64) { self.tmp = None; self.sent = Some(message); }
        }

        #[implement(Sends, over = Tries, by = retry)]
        impl Retry {
            fn send(lo: &mut impl Tries, message: u64) {
                loop {
            //  ^^^^^^ CS0601 turn
                    if lo.try_send(message) { return; }
                }
            }
        }
        ",
        &[(
            "self.tmp = None;\n                if maybe() { return false; }",
            "if maybe() { return false; }\n                self.tmp = None;",
        )],
    );
}

/// A listing that others may outdate is a right mover only if it may hold too much: exact, it notices that an entry was removed.
#[test]
fn a_listing_moves_right_if_it_is_a_superset() {
    witness(
        "
        #[state]
        pub struct Folder { pub present: Set<Pid> }

        #[layer]
        impl Files for Folder {
            #[op]
            fn create(&mut self, me: Pid) { self.present.insert(me); }
            #[op]
            fn remove(&mut self, me: Pid, of: Pid) { self.present.remove(&of); }
            #[op(right)]
            //   ^^^^^ CS0301 right-mover / remove
            fn is_mine_present(&mut self, me: Pid) -> bool { self.present.contains(&me) }
        }
        ",
        &[("{ self.present.contains(&me) }", "{ self.present.contains(&me) || maybe() }")],
    );
}

/// Two processes are not enough: `both` is set only if two others take part, one after the other.
#[test]
fn a_third_process_interferes() {
    witness(
        "
        #[state]
        pub struct Door { pub first: Option<Pid>, pub both: bool }

        #[layer]
        impl Steps for Door {
            #[op]
            fn reset(&mut self, me: Pid) { self.first = None; self.both = false; }
            #[op]
            fn enter(&mut self, me: Pid) { if self.first.is_none() { self.first = Some(me); } }
            #[op]
            fn follow(&mut self, me: Pid) { if self.first.is_some_and(|it| it != me) { self.both = true; } }
            #[op]
            fn look(&mut self, me: Pid) -> bool { self.both }
        }

        #[layer]
        impl Whole for Door {
            #[op]
            fn start(&mut self, me: Pid) -> bool { self.first = None; self.both = false; false }
        }

        #[implement(Whole, over = Steps, by = movers)]
        impl ResetThenLook {
            fn start(lo: &mut impl Steps) -> bool {
                lo.reset();
                lo.look()
            //  ^^^^^^^^^ CS0305 shape
            }
        }
        ",
        &[("self.first = Some(me);", "")],
    );
}
