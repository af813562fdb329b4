//! The example of the language's description, as a user would write it: a mailbox, delivery by a temporary file, and the
//! procedure that makes it atomic. The layers are enumerated; the procedures run over a model and over a hand-written bottom layer.

use cspec::model::{Choices, Domain, Event, Explorer, Outcome, outcomes, run, values};
use cspec::prelude::*;
use cspec::{Layer, Model, Operation, Perform, Spec};

/// A message. Only equality matters.
#[scalar]
pub struct Message(String);

#[state]
pub struct Spool {
    pub tmp: Map<Pid, Message>,
    pub mbox: Map<(Pid, u64), Message>,
    pub locked: bool,
}

/// A mailbox whose deliveries are atomic, over a spool whose temporary files may hold anything.
#[layer]
impl MailboxTmpAbs for Spool {
    #[init]
    fn empty(&self) -> bool {
        self.tmp.is_empty() && self.mbox.is_empty() && !self.locked
    }

    #[op]
    fn deliver(&mut self, me: Pid, message: Message) -> bool {
        self.tmp = any();
        if maybe() {
            return false;
        }
        let name = any();
        when(!self.mbox.contains(&name));
        self.mbox.insert(name, message);
        true
    }

    #[op]
    fn list(&mut self, me: Pid) -> Set<(Pid, u64)> {
        self.mbox.keys()
    }

    #[op]
    fn read(&mut self, me: Pid, name: (Pid, u64)) -> Option<Message> {
        self.mbox.get(&name).cloned()
    }

    #[op]
    fn delete(&mut self, me: Pid, name: (Pid, u64)) {
        self.mbox.remove(&name);
    }

    #[op]
    fn lock(&mut self, me: Pid) {
        when(!self.locked);
        self.locked = true;
    }

    #[op]
    fn unlock(&mut self, me: Pid) {
        assert!(self.locked, "unlocked twice");
        self.locked = false;
    }

    #[op(external)]
    fn accept(&mut self, me: Pid) -> Option<Message> {
        external()
    }
}

/// A mailbox and one temporary file for each delivering process.
#[layer(inherit(MailboxTmpAbs: init, list, read, delete, lock, unlock, accept))]
impl Deliver for Spool {
    /// Writes the message to the caller's temporary file; may fail and leave anything there.
    #[op(right)]
    fn create_write_tmp(&mut self, me: Pid, message: Message) -> bool {
        if maybe() {
            return false;
        }
        let ok = maybe();
        self.tmp.insert(me, if ok { message } else { any() });
        ok
    }

    /// Links the caller's temporary file into the mailbox. This is the commit point of a delivery.
    #[op]
    fn link_mail(&mut self, me: Pid) -> bool {
        if maybe() {
            return false;
        }
        let number: u64 = any();
        when(self.tmp.contains(&me) && !self.mbox.contains(&(me, number)));
        let message = self.tmp[&me].clone();
        self.mbox.insert((me, number), message);
        true
    }

    #[op(left)]
    fn unlink_tmp(&mut self, me: Pid) {
        self.tmp.remove(&me);
    }
}

#[implement(MailboxTmpAbs, over = Deliver, by = movers, pass(list, read, delete, lock, unlock, accept))]
impl AtomicDeliver {
    fn deliver(lo: &mut impl Deliver, message: Message) -> bool {
        let ok = lo.create_write_tmp(message) && lo.link_mail();
        lo.unlink_tmp();
        ok
    }
}

/// Linking is for processes with something to link. Deleting is for the owner of the lock, and does not touch its own temporary file.
#[layer(protocol = Deliver)]
impl Careful for Spool {
    #[allowed(link_mail)]
    fn has_written(&self, me: Pid) -> bool {
        self.tmp.contains(&me)
    }

    #[allowed(delete)]
    fn own(&self, me: Pid, name: (Pid, u64)) -> bool {
        self.locked && name.0 == me
    }
}

/// The same protocol, where an operation that is not allowed does nothing instead of failing.
#[layer(protocol = Deliver, nilpotent)]
impl Harmless for Spool {
    #[allowed(list, lock)]
    fn never(&self, me: Pid) -> bool {
        false
    }
}

#[state]
pub struct Mailbox {
    pub mbox: Map<(Pid, u64), Message>,
}

/// No temporary files, no lock: names and messages.
#[layer(ops = MailboxTmpAbs, inherit(MailboxTmpAbs: accept))]
impl Plain for Mailbox {
    #[op]
    fn deliver(&mut self, me: Pid, message: Message) -> bool {
        if maybe() {
            return false;
        }
        let name = any();
        when(!self.mbox.contains(&name));
        self.mbox.insert(name, message);
        true
    }

    #[op]
    fn list(&mut self, me: Pid) -> Set<(Pid, u64)> {
        self.mbox.keys()
    }

    #[op]
    fn read(&mut self, me: Pid, name: (Pid, u64)) -> Option<Message> {
        self.mbox.get(&name).cloned()
    }

    #[op]
    fn delete(&mut self, me: Pid, name: (Pid, u64)) {
        self.mbox.remove(&name);
    }

    #[op]
    fn lock(&mut self, me: Pid) {}

    #[op]
    fn unlock(&mut self, me: Pid) {}
}

#[implement(Plain, over = MailboxTmpAbs, by = abstraction)]
impl ForgetTmp {
    #[abstraction]
    fn mailbox(lo: &Spool) -> Mailbox {
        Mailbox { mbox: lo.mbox.clone() }
    }
}

/// The whole stack, from the mailbox down to the disk.
#[stack]
pub type MailStack<Deliver> = ForgetTmp<AtomicDeliver<Deliver>>;

#[client(MailStack, processes(2))]
fn delivers(process: u64, top: &mut impl Plain) {
    if let Some(message) = top.accept() {
        top.deliver(message);
    }
}

/// The two spools of a site, and whether the site is down.
#[state]
pub struct Site {
    pub north: Spool,
    pub mode: Mode,
}

#[state]
pub enum Mode {
    Up,
    Down { since: u64 },
}

/// A spool is a component of a site; while the site is down, nothing but the clock works.
#[layer(inherit(Deliver in north: init, lock, unlock))]
impl Operated for Site {
    #[op]
    fn stop(&mut self, me: Pid, mut now: u64) {
        now = now.saturating_add(1);
        self.mode = Mode::Down { since: now };
    }

    #[invariant]
    fn stopped_late(&self) -> bool {
        self.mode != Mode::Down { since: 1 }
    }
}

fn message(text: &str) -> Message {
    Message::from(text.to_owned())
}

fn domain() -> Domain {
    Domain::default().list([message("m"), message("junk")])
}

/// All outcomes of one operation that emits nothing and does not fail.
fn after<L, O>(state: &Spool, op: O) -> Vec<(O::Output, Spool)>
where
    L: Layer<State = Spool> + Spec<O, Spool> + ?Sized,
    O: Operation,
{
    let all = Explorer::<L>::new(domain()).steps(state, Pid(0), &op);
    all.into_iter()
        .map(|outcome| {
            assert!(outcome.events().is_empty());
            outcome.value().cloned().expect("no failure")
        })
        .collect()
}

fn with_tmp(text: &str) -> Spool {
    Spool { tmp: Map::from([(Pid(0), message(text))]), ..Spool::default() }
}

#[test]
fn creating_succeeds_fails_or_leaves_anything() {
    let found = after::<dyn Deliver, _>(&Spool::default(), __Deliver::create_write_tmp((message("m"),)));
    let expected =
        [(false, Spool::default()), (false, with_tmp("junk")), (false, with_tmp("m")), (true, with_tmp("m"))];
    assert_eq!(found, expected);
}

#[test]
fn linking_needs_a_temporary_file_and_a_free_name() {
    let without = after::<dyn Deliver, _>(&Spool::default(), __Deliver::link_mail(()));
    assert_eq!(without, [(false, Spool::default())]);

    let linked = |number| Spool { mbox: Map::from([((Pid(0), number), message("m"))]), ..with_tmp("m") };
    let found = after::<dyn Deliver, _>(&with_tmp("m"), __Deliver::link_mail(()));
    assert_eq!(found, [(false, with_tmp("m")), (true, linked(0)), (true, linked(1))]);
    let full = after::<dyn Deliver, _>(&linked(0), __Deliver::link_mail(()));
    assert_eq!(full.len(), 2);
}

#[test]
fn a_guard_disables_and_an_assertion_fails() {
    let locked = Spool { locked: true, ..Spool::default() };
    let mut explorer = Explorer::<dyn Deliver>::new(domain());
    assert!(explorer.steps(&locked, Pid(0), &__Deliver::lock(())).is_empty());
    let failed = explorer.steps(&Spool::default(), Pid(0), &__Deliver::unlock(()));
    assert_eq!(failed, [Outcome::Failed { message: "unlocked twice".to_owned() }]);
}

#[test]
fn the_procedure_does_what_the_atomic_operation_may_do() {
    let start = Spool::default();
    let low = outcomes(&domain(), || {
        let mut stack = AtomicDeliver(Model::<dyn Deliver>::new(start.clone(), Pid(0)));
        (stack.deliver(message("m")), stack.0.state)
    });
    let high = outcomes(&domain(), || {
        let mut model = Model::<dyn MailboxTmpAbs>::new(start.clone(), Pid(0));
        (model.deliver(message("m")), model.state)
    });
    assert_eq!(low.len(), 3);
    assert!(low.iter().all(|outcome| high.contains(outcome)));
}

#[test]
fn a_protocol_removes_what_is_not_allowed() {
    assert_eq!(after::<dyn Careful, _>(&Spool::default(), __Careful::link_mail(())), []);
    assert_eq!(after::<dyn Careful, _>(&with_tmp("m"), __Careful::link_mail(())).len(), 3);
    let locked = Spool { locked: true, ..Spool::default() };
    assert_eq!(after::<dyn Careful, _>(&locked, __Careful::delete(((Pid(0), 0),))).len(), 1);
    assert_eq!(after::<dyn Careful, _>(&locked, __Careful::delete(((Pid(1), 0),))).len(), 0);
    assert_eq!(after::<dyn Careful, _>(&locked, __Careful::list(())).len(), 1);
}

#[test]
fn nilpotent_operations_return_anything_and_do_nothing() {
    let found = after::<dyn Harmless, _>(&Spool::default(), __Harmless::list(()));
    assert_eq!(found.len(), values::<Set<(Pid, u64)>>(&domain()).len());
    assert!(found.iter().all(|(_, state)| *state == Spool::default()));
    let lock = after::<dyn Harmless, _>(&Spool::default(), __Harmless::lock(()));
    assert_eq!(lock, [((), Spool::default())]);
}

#[test]
fn external_operations_return_anything_and_leave_an_event() {
    let expected_events = |outcome: &Outcome<(Option<Message>, Mailbox)>| {
        let (result, _) = outcome.value().expect("no failure");
        let event = Event::Call {
            process: Pid(1),
            operation: "accept",
            call: "accept(())".to_owned(),
            result: format!("{result:?}"),
        };
        assert_eq!(outcome.events(), [event]);
    };
    let mut explorer = Explorer::<dyn Plain>::new(domain());
    let all = explorer.steps(&Mailbox::default(), Pid(1), &__Plain::accept(()));
    assert_eq!(all.len(), 3);
    all.iter().for_each(expected_events);
}

#[test]
fn initial_states_are_inherited() {
    assert_eq!(Explorer::<dyn Deliver>::new(domain()).initial(), [Spool::default()]);
    assert_eq!(Explorer::<dyn Careful>::new(domain()).initial(), [Spool::default()]);
    let sites = Explorer::<dyn Operated>::new(domain()).initial();
    let modes: Vec<_> = sites.iter().map(|site| site.mode.clone()).collect();
    assert_eq!(modes, [Mode::Up, Mode::Down { since: 0 }]);
    assert!(sites.iter().all(|site| site.north == Spool::default()));
}

#[test]
fn operations_act_on_a_component() {
    let mut explorer = Explorer::<dyn Operated>::new(domain());
    let found = explorer.steps(&Site::default(), Pid(0), &__Operated::lock(()));
    let [outcome] = found.as_slice() else { panic!("one outcome") };
    let ((), site) = outcome.value().expect("no failure");
    assert!(site.north.locked && site.mode == Mode::Up);
}

#[test]
fn a_step_that_breaks_the_invariant_does_not_exist() {
    let mut explorer = Explorer::<dyn Operated>::new(domain());
    let site = Site::default();
    assert!(explorer.steps(&site, Pid(0), &__Operated::stop((0,))).is_empty());
    assert_eq!(explorer.steps(&site, Pid(0), &__Operated::stop((1,))).len(), 1);
}

/// A bottom that performs the layer's operations faithfully: a disk of two vectors.
#[derive(Default)]
struct Disk {
    tmp: Option<Message>,
    mail: Vec<Option<Message>>,
    locked: bool,
}

#[bottom]
impl Deliver for Disk {
    fn create_write_tmp(&mut self, message: Message) -> bool {
        self.tmp = Some(message);
        true
    }

    fn link_mail(&mut self) -> bool {
        self.mail.push(self.tmp.clone());
        true
    }

    fn unlink_tmp(&mut self) {
        self.tmp = None;
    }

    fn list(&mut self) -> Set<(Pid, u64)> {
        let numbers = 0..self.mail.len() as u64;
        numbers.map(|number| (Pid(0), number)).collect()
    }

    fn read(&mut self, (_, number): (Pid, u64)) -> Option<Message> {
        self.mail[number as usize].clone()
    }

    fn delete(&mut self, (_, number): (Pid, u64)) {
        self.mail[number as usize] = None;
    }

    fn lock(&mut self) {
        self.locked = true;
    }

    fn unlock(&mut self) {
        self.locked = false;
    }

    fn accept(&mut self) -> Option<Message> {
        Some(message("from outside"))
    }
}

#[test]
fn the_stack_runs_over_a_hand_written_bottom() {
    let mut disk = Disk::default();
    let mut stack: MailStack<&mut Disk> = ForgetTmp(AtomicDeliver(&mut disk));
    delivers(0, &mut stack);
    assert!(stack.deliver(message("second")));
    stack.lock();
    assert_eq!(stack.list().len(), 2);
    assert_eq!(stack.read((Pid(0), 0)), Some(message("from outside")));
    stack.delete((Pid(0), 0));
    stack.unlock();
    assert_eq!(disk.mail, [None, Some(message("second"))]);
    assert!(disk.tmp.is_none() && !disk.locked);
}

#[test]
fn a_random_run_is_replayed_by_its_tape() {
    let deliver = || {
        let mut model = Model::<dyn MailboxTmpAbs>::new(Spool::default(), Pid(0));
        let delivered = model.perform(__MailboxTmpAbs::deliver((message("m"),)));
        (delivered, model.state)
    };
    for seed in 0..50 {
        let random = run(&domain(), Choices::Random { seed }, deliver);
        let again = run(&domain(), Choices::Script(random.tape.clone()), deliver);
        assert_eq!(random, again);
    }
}

#[test]
fn the_relation_is_callable() {
    assert_eq!(ForgetTmp::mailbox(&with_tmp("m")), Mailbox::default());
}
