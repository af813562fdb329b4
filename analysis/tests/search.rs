//! The optimisations of the end-to-end search do not change its results.

use std::{fs, path::Path, sync::atomic::AtomicBool};

use cspec_analysis::{
    db::lower_sources,
    explore::compile::compile,
    ir::Program,
    obligations::{
        end_to_end::{self, Reductions, Wrong},
        question::{Answered, Setting},
    },
    verdict::Scope,
};

/// The result of a search: the answer, the number of steps of the run that it found, and the number of configurations that it visited.
type Came = (String, usize, u64);

fn searched(program: &Program, client: usize, processes: u32, reductions: Reductions) -> Came {
    let (code, stop) = (compile(program), AtomicBool::new(false));
    let scope = Scope { budget: 20_000_000, ..Scope::default() };
    let setting = Setting::new(program, &code, &scope, &stop);
    let searched = end_to_end::check(&setting, &program.clients[client], processes, reductions);
    let (answer, steps) = match searched.answered {
        Answered::Holds => ("holds".to_owned(), 0),
        Answered::GivenUp(abort) => (format!("{abort:?}"), 0),
        Answered::Violated(run) => {
            let what = match run.wrong {
                Wrong::Trace(_) => "trace",
                Wrong::ClientFails(..) => "client fails",
                Wrong::TopFails(_) => "top fails",
                Wrong::Answers(_) => "answers",
                Wrong::Stuck(_) => "stuck",
            };
            // Background steps are counted only if they are explored one by one.
            let by_someone = run.counterexample.runs[0].steps.iter().filter(|it| it.process.is_some());
            (what.to_owned(), by_someone.count())
        }
    };
    (answer, steps, searched.effort.states)
}

/// Searches all clients of some files with each reduction and without it; returns the number of searches.
fn compare(what: &str, files: &[(&str, &str)]) -> usize {
    let lowered = lower_sources(files);
    let errors: Vec<&str> = lowered.diagnostics.iter().map(|it| it.message.as_str()).collect();
    assert!(errors.is_empty(), "{what}: {errors:?}");
    let program = &lowered.program;
    let mut count = 0;
    for (index, client) in program.clients.iter().enumerate() {
        for processes in &client.processes {
            let what = format!("{what}, `{}` with {processes} processes", client.name);
            let none = searched(program, index, *processes, Reductions::NONE);
            let reads = searched(program, index, *processes, Reductions { reads: true, ..Reductions::NONE });
            assert_eq!(none, reads, "{what}: by what steps read");
            let all = searched(program, index, *processes, Reductions::ALL);
            assert_eq!((&none.0, none.1), (&all.0, all.1), "{what}: single background steps");
            let symmetric = searched(program, index, *processes, Reductions { symmetry: true, ..Reductions::NONE });
            assert_eq!((&none.0, none.1), (&symmetric.0, symmetric.1), "{what}: symmetry");
            stands_for_all(program, index, *processes, &what);
            count += 1;
        }
    }
    count
}

/// With symmetry, the configurations that are visited stand for exactly those that are visited without it.
fn stands_for_all(program: &Program, client: usize, processes: u32, what: &str) -> bool {
    let (code, stop) = (compile(program), AtomicBool::new(false));
    let scope = Scope { budget: 20_000_000, ..Scope::default() };
    let setting = Setting::new(program, &code, &scope, &stop);
    let Some((visited, all)) = end_to_end::stood_for(&setting, &program.clients[client], processes) else {
        return false;
    };
    let without = searched(program, client, processes, Reductions { symmetry: false, ..Reductions::ALL });
    assert_eq!((without.0.as_str(), without.2), ("holds", all), "{what}");
    assert!(visited <= all, "{what}");
    true
}

#[test]
fn reductions_change_nothing_in_the_corpus() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    let mut count = 0;
    for family in ["end_to_end", "vacuous"] {
        for folder in fs::read_dir(corpus.join(family)).expect("a family") {
            for file in fs::read_dir(folder.expect("an entry").path()).expect("a folder") {
                let path = file.expect("an entry").path();
                let text = fs::read_to_string(&path).expect("a text");
                if text.contains("//! run: end-to-end") {
                    count += compare(&path.display().to_string(), &[("layers.rs", &text)]);
                }
            }
        }
    }
    assert!(count > 20, "{count} searches");
}

/// Store buffers that are drained in the background; clients that hold, that have a new trace, and that get stuck.
const BUFFERED: &str = "
#[scalar] pub struct Addr(u64);
#[state] pub struct Memory { pub shared: Total<Addr, u64>, pub pending: Total<Pid, Seq<(Addr, u64)>>, pub names: Map<Pid, Addr> }
impl Memory {
    fn drain(&mut self, process: Pid) {
        if let Some((at, value)) = self.pending[process].pop_front() { self.shared[at] = value; }
    }
    fn drain_some(&mut self) { repeat(self, |memory| memory.drain(any())); }
    fn load(&self, me: Pid, at: Addr) -> u64 {
        match self.pending[me].iter().rev().find(|(address, _)| *address == at) {
            Some((_, value)) => *value,
            None => self.shared[at],
        }
    }
}
#[layer] impl Tso for Memory {
    #[init] fn zero(&self) -> bool { self.shared.is_default() && self.pending.is_default() && self.names.is_empty() }
    #[background] fn drains(&mut self) { self.drain_some(); }
    #[op] fn read(&mut self, me: Pid, at: Addr) -> u64 { self.load(me, at) }
    #[op] fn write(&mut self, me: Pid, at: Addr, value: u64) { self.pending[me].push((at, value)); }
    #[op] fn fence(&mut self, me: Pid) { when(self.pending[me].is_empty()); }
    #[op] fn until(&mut self, me: Pid, at: Addr) { when(self.shared[at] != 0); }
    #[op] fn name(&mut self, me: Pid) -> Addr {
        let fresh: Addr = any();
        when(fresh != Addr(0) && fresh != Addr(1) && self.names.values().all(|it| *it != fresh));
        self.names.insert(me, fresh);
        fresh
    }
    #[op] fn forget(&mut self, me: Pid) { self.names.remove(&me); }
    #[op(external)] fn print(&mut self, me: Pid, value: u64) { external() }
    #[op(external)] fn differ(&mut self, me: Pid, differs: bool) { external() }
}
#[layer(inherit(Tso: init, print, differ))] impl Mid for Memory {
    #[op] fn swap(&mut self, me: Pid, to: Addr, from: Addr) -> u64 { self.shared[to] = 1; self.shared[from] }
    #[op] fn either(&mut self, me: Pid, to: Addr, from: Addr) -> u64 { if maybe() { 0 } else { 1 } }
    #[op] fn wait(&mut self, me: Pid, at: Addr) {}
    #[op] fn set(&mut self, me: Pid, at: Addr) {}
    #[op] fn two_names(&mut self, me: Pid) -> bool { maybe() }
}
#[implement(Mid, over = Tso, by = movers, pass(print, differ))]
impl Ops {
    fn swap(lo: &mut impl Tso, to: Addr, from: Addr) -> u64 { lo.write(to, 1); lo.fence(); lo.read(from) }
    fn either(lo: &mut impl Tso, to: Addr, from: Addr) -> u64 { lo.write(to, 1); lo.read(from) }
    fn wait(lo: &mut impl Tso, at: Addr) { lo.until(at); }
    fn set(lo: &mut impl Tso, at: Addr) { lo.write(at, 1); }
    fn two_names(lo: &mut impl Tso) -> bool { let first = lo.name(); lo.forget(); let second = lo.name(); lo.forget(); first == second }
}
#[implement(Mid, over = Tso, by = movers, pass(print, differ))]
impl Unfenced {
    fn swap(lo: &mut impl Tso, to: Addr, from: Addr) -> u64 { lo.write(to, 1); lo.read(from) }
    fn either(lo: &mut impl Tso, to: Addr, from: Addr) -> u64 { lo.write(to, 1); lo.read(from) }
    fn wait(lo: &mut impl Tso, at: Addr) { lo.until(at); }
    fn set(lo: &mut impl Tso, at: Addr) { lo.write(at, 1); }
    fn two_names(lo: &mut impl Tso) -> bool { lo.name() == lo.name() }
}
#[stack] pub type Fenced<L> = Ops<L>;
#[stack] pub type Racy<L> = Unfenced<L>;
#[client(Fenced, Racy, processes(2, 3))] fn either(process: u64, top: &mut impl Mid) {
    let seen = if process == 0 { top.either(Addr(0), Addr(1)) } else { top.either(Addr(1), Addr(0)) };
    top.print(seen);
}
#[client(Fenced, Racy, processes(2))] fn swap(process: u64, top: &mut impl Mid) {
    let seen = if process == 0 { top.swap(Addr(0), Addr(1)) } else { top.swap(Addr(1), Addr(0)) };
    top.print(seen);
}
#[client(Fenced, processes(2))] fn waits(process: u64, top: &mut impl Mid) {
    if process == 0 { top.wait(Addr(0)); } else { top.set(Addr(0)); }
}
#[client(Fenced, processes(2))] fn waits_in_vain(process: u64, top: &mut impl Mid) {
    if process == 0 { top.wait(Addr(1)); } else { top.set(Addr(0)); }
}
#[client(Fenced, Racy, processes(2))] fn names(process: u64, top: &mut impl Mid) {
    let same = top.two_names();
    top.differ(!same);
}
";

#[test]
fn reductions_change_nothing_where_there_is_a_background() {
    assert_eq!(compare("store buffers", &[("layers.rs", BUFFERED)]), 10);
}

#[test]
fn what_is_found_is_what_there_is() {
    let lowered = lower_sources(&[("layers.rs", BUFFERED)]);
    let program = &lowered.program;
    let found = |name: &str, stack: &str| {
        let fits =
            |it: &&cspec_analysis::ir::Client| it.name == name && program.stacks[it.stack as usize].name == stack;
        let index = program.clients.iter().position(|it| fits(&it)).expect("a client");
        searched(program, index, 2, Reductions::ALL).0
    };
    // Both processes may see the other's store, which is impossible if one step follows the other.
    assert_eq!(found("swap", "Fenced"), "trace");
    assert_eq!(found("swap", "Racy"), "trace");
    assert_eq!(found("either", "Racy"), "holds");
    assert_eq!(found("waits", "Fenced"), "holds");
    assert_eq!(found("waits_in_vain", "Fenced"), "stuck");
}

/// A name that another process has seen, and that no longer occurs in the state, is still different from a new one.
#[test]
fn a_new_scalar_may_differ_from_those_that_processes_hold() {
    let text = "
#[scalar] pub struct Name(u64);
#[state] pub struct Nothing { pub unit: bool }
#[layer] impl Low for Nothing {
    #[init] fn init(&self) -> bool { !self.unit }
    #[op] fn draw(&mut self, me: Pid) -> Name { any() }
    #[op(external)] fn say(&mut self, me: Pid, same: bool) { external() }
}
#[layer(inherit(Low: init, say))] impl High for Nothing {
    #[op] fn draw_two(&mut self, me: Pid) -> bool { true }
}
#[implement(High, over = Low, by = movers, pass(say))]
impl Draw { fn draw_two(lo: &mut impl Low) -> bool { let first = lo.draw(); let second = lo.draw(); first == second } }
#[stack] pub type Stack<L> = Draw<L>;
#[client(Stack, processes(1))] fn asks(process: u64, top: &mut impl High) { let same = top.draw_two(); top.say(same); }
";
    let lowered = lower_sources(&[("layers.rs", text)]);
    assert_eq!(lowered.diagnostics, []);
    for reductions in [Reductions::ALL, Reductions::NONE] {
        assert_eq!(searched(&lowered.program, 0, 1, reductions).0, "trace");
    }
}

/// What each process shows in an outcome of a client, and how it ends.
fn outcomes(files: &[(&str, &str)], client: &str, budget: u64) -> (Vec<String>, bool) {
    let lowered = lower_sources(files);
    let errors: Vec<&str> = lowered.diagnostics.iter().map(|it| it.message.as_str()).collect();
    assert!(errors.is_empty(), "{errors:?}");
    let program = &lowered.program;
    let (code, stop) = (compile(program), AtomicBool::new(false));
    let scope = Scope { budget, ..Scope::default() };
    let setting = Setting::new(program, &code, &scope, &stop);
    let client = program.clients.iter().find(|it| it.name == client).expect("the client");
    let listed = |reductions| {
        let found = end_to_end::outcomes(&setting, client, client.processes[0], reductions);
        let words = found.all.iter().map(|it| {
            let shown: Vec<String> = it.shown.iter().map(|it| it.join(" ")).collect();
            format!("{}: {}", shown.join(" | "), it.how.name())
        });
        (words.collect::<Vec<_>>(), matches!(found.answered, Answered::Holds))
    };
    let all = listed(Reductions::ALL);
    if all.1 {
        assert_eq!(all, listed(Reductions::NONE), "with and without reductions");
    }
    all
}

/// The layers of the x86-TSO counter, with clients over the memory alone.
fn litmus(clients: &str) -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tso/src/layers");
    let read = |name: &str| {
        let path = folder.join(name);
        (path.display().to_string(), fs::read_to_string(&path).expect("a layer"))
    };
    let mut files: Vec<(String, String)> = ["memory.rs", "tso.rs", "tso_delay_nondet.rs"].map(read).into();
    let head = "use cspec::prelude::*;\nuse super::{memory::*, tso::*, tso_delay_nondet::*};\n
        const X: Addr = Addr(1);\nconst Y: Addr = Addr(2);\nconst FLAG: Addr = Addr(3);\n
        #[stack]\npub type Machine<M> = LaggingMemory<M>;\n";
    files.push((folder.join("litmus.rs").display().to_string(), format!("{head}{clients}")));
    files
}

#[test]
fn the_outcomes_of_store_buffering_on_x86_tso_are_these_four() {
    let files = litmus(
        "#[client(Machine, processes(2))]
        fn buffers(process: u64, top: &mut impl TsoDelayNondet) {
            top.write(if process == 0 { X } else { Y }, 1);
            let seen = top.read(if process == 0 { Y } else { X });
            top.print(seen);
        }
        #[client(Machine, processes(2))]
        fn with_fences(process: u64, top: &mut impl TsoDelayNondet) {
            top.write(if process == 0 { X } else { Y }, 1);
            top.fence();
            let seen = top.read(if process == 0 { Y } else { X });
            top.print(seen);
        }
        #[client(Machine, processes(2))]
        fn with_a_lock(process: u64, top: &mut impl TsoDelayNondet) {
            while top.test_and_set(FLAG, 1) != 0 {}
            top.write(if process == 0 { X } else { Y }, 1);
            let seen = top.read(if process == 0 { Y } else { X });
            top.print(seen);
            top.write(FLAG, 0);
        }
        #[client(Machine, processes(2))]
        fn forgets_the_lock(process: u64, top: &mut impl TsoDelayNondet) {
            while top.test_and_set(FLAG, 1) != 0 {}
            top.print(process);
        }",
    );
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let of = |client| outcomes(&files, client, Scope::default().budget);
    let shown = |all: &[[u32; 2]]| {
        let words = all.iter().map(|[one, other]| format!("print({one}) | print({other}): finished"));
        (words.collect::<Vec<_>>(), true)
    };
    assert_eq!(of("buffers"), shown(&[[0, 0], [0, 1], [1, 0], [1, 1]]));
    // A fence forbids that both see nothing; a lock, also that both see the other's store.
    assert_eq!(of("with_fences"), shown(&[[0, 1], [1, 0], [1, 1]]));
    assert_eq!(of("with_a_lock"), shown(&[[0, 1], [1, 0]]));
    // Whoever comes second waits for ever.
    let ends: Vec<String> = of("forgets_the_lock").0;
    assert_eq!(ends, [" | print(1): waits for ever", "print(0) | : waits for ever"]);
    // A listing that was cut says so.
    assert!(!outcomes(&files, "buffers", 500).1);
}

/// Clients whose processes nothing distinguishes, and clients whose processes something does.
#[test]
fn processes_are_symmetric_only_if_nothing_distinguishes_them() {
    let text = |client: &str| {
        let head = "
            #[state] pub struct Door { pub holder: Option<Pid>, pub inside: Set<Pid>, pub count: u64 }
            #[layer] impl Low for Door {
                #[init] fn open(&self) -> bool { self.holder.is_none() && self.inside.is_empty() && self.count == 0 }
                #[op] fn try_take(&mut self, me: Pid) -> bool {
                    if self.holder.is_some() { return false; }
                    self.holder = Some(me);
                    true
                }
                #[op] fn give(&mut self, me: Pid) { self.holder = None; }
                #[op] fn enter(&mut self, me: Pid) { self.inside.insert(me); }
                #[op] fn leave(&mut self, me: Pid) { self.inside.remove(&me); self.count += 1; }
                #[op] fn holder(&mut self, me: Pid) -> Option<Pid> { self.holder }
                #[op] fn first(&mut self, me: Pid) -> Option<Pid> { for it in self.inside.iter() { return Some(*it); } None }
                #[op(external)] fn show(&mut self, me: Pid, what: Option<Pid>) { external() }
                #[op(external)] fn done(&mut self, me: Pid) { external() }
            }
            #[layer(inherit(Low: init, try_take, give, enter, leave, holder, first, show, done))] impl High for Door {}
            #[implement(High, over = Low, by = movers, pass(try_take, give, enter, leave, holder, first, show, done))] impl All {}
            #[stack] pub type Stack<L> = All<L>;
            #[client(Stack, processes(2, 3))]
            fn client(process: u64, top: &mut impl High) {";
        format!(
            "{head}
{client}
}}"
        )
    };
    let is_symmetric = |client: &str| {
        let text = text(client);
        compare(client, &[("layers.rs", &text)]);
        let lowered = lower_sources(&[("layers.rs", &text)]);
        stands_for_all(&lowered.program, 0, 3, client)
    };
    assert!(is_symmetric("while !top.try_take() {} top.enter(); top.leave(); top.give(); top.done();"));
    // The state, results and events hold processes.
    assert!(is_symmetric("if top.try_take() { top.enter(); } let it = top.holder(); top.show(it); top.give();"));
    // The number of the process, a process that is named, and the order of processes distinguish them.
    assert!(!is_symmetric("if process == 0 { top.enter(); } top.done();"));
    assert!(!is_symmetric(
        "if top.holder() == Some(Pid(1)) { top.enter(); } if top.try_take() { top.give(); } top.done();"
    ));
    assert!(!is_symmetric("top.enter(); let it = top.first(); top.show(it);"));
}
