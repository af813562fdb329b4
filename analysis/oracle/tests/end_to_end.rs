//! The search end to end against the two searches by brute force, which share no code with it: on random procedures over a machine with
//! locks, flags, sleepers and a queue, what is a new trace and what is stuck is the same for all.

use std::{fmt::Write as _, rc::Rc, sync::atomic::AtomicBool};

use cspec_analysis::{
    db::lower_sources,
    explore::compile::compile,
    ir::{Implementation, Program},
    obligations::{
        end_to_end::{Reductions, Script, ScriptCall, Wrong, check_scripts},
        question::{Answered, Setting},
    },
    verdict::Scope,
};
use cspec_oracle::{
    eval::Evaluator,
    search::{System, every_run, every_state, gets_stuck},
    stack::{Call, Tower},
    value::{self, Value},
};
use fastrand::Rng;

/// The operations of the machine: the name, what follows it, the type of the result, and the body.
const STEPS: &[(&str, &str, &str, &str)] = &[
    ("get", "", "u64", "self.value"),
    ("add", "", "u64", "if self.value < 2 { self.value += 1; } else { self.value = 0; } self.value"),
    ("set", "", "u64", "self.value = 2; 0"),
    ("raise", "", "u64", "self.flag = true; 0"),
    ("lower", "", "u64", "self.flag = false; 0"),
    ("is_up", "", "bool", "self.flag"),
    ("until_up", "", "u64", "when(self.flag); 0"),
    ("lock", "", "u64", "when(self.owner.is_none()); self.owner = Some(me); 0"),
    ("unlock", "", "u64", "self.owner = None; 0"),
    ("is_mine", "", "bool", "self.owner == Some(me)"),
    ("lie_down", "", "u64", "self.asleep.insert(me); 0"),
    ("sleep", "", "u64", "when(!self.asleep.contains(&me)); 0"),
    ("wake", "", "u64", "self.asleep = Set::new(); 0"),
    ("push", "", "u64", "when(self.queue.len() < 2); self.queue.push(self.value); 0"),
    ("take", "", "u64", "match self.queue.pop_front() { Some(value) => value, None => 7 }"),
    ("until_full", "", "u64", "when(!self.queue.is_empty()); 1"),
    ("note", "", "u64", "let old = self.notes[me]; self.notes[me] = 1; old"),
    ("count", "", "u64", "if self.asleep.len() > 1 { 2 } else { 1 }"),
    ("toss", "", "bool", "maybe()"),
    ("say", "", "u64", "emit(self.value); 0"),
];

/// A random package: three operations above, each a few steps below, taken one by one there and at once above.
fn package(random: &mut Rng) -> String {
    let mut text =
        "#[state] pub struct Machine { pub value: u64, pub flag: bool, pub owner: Option<Pid>, pub asleep: Set<Pid>, \
                    pub queue: Seq<u64>, pub notes: Total<Pid, u64> }\nimpl Machine {\n"
            .to_owned();
    let mut say = |line: String| writeln!(text, "{line}").expect("a string takes text");
    for (name, _, result, body) in STEPS {
        say(format!("    fn do_{name}(&mut self, me: Pid) -> {result} {{ {body} }}"));
    }
    say("}\n#[layer] impl Low for Machine {".to_owned());
    say("    #[init] fn init(&self) -> bool { self.value == 0 && !self.flag && self.owner.is_none() && self.asleep.is_empty() \
         && self.queue.is_empty() && self.notes.is_default() }"
        .to_owned());
    for (name, _, result, _) in STEPS {
        say(format!("    #[op] fn {name}(&mut self, me: Pid) -> {result} {{ self.do_{name}(me) }}"));
    }
    let bodies: Vec<[String; 2]> = (0..3).map(|_| body(random)).collect();
    say("}\n#[layer(inherit(Low: init))] impl High for Machine {".to_owned());
    for (number, [_, above]) in bodies.iter().enumerate() {
        say(format!("    #[op] fn op{number}(&mut self, me: Pid) -> u64 {{ {above} }}"));
    }
    say("}\n#[implement(High, over = Low, by = movers)] impl Ops {".to_owned());
    for (number, [below, _]) in bodies.iter().enumerate() {
        say(format!("    fn op{number}(lo: &mut impl Low) -> u64 {{ {below} }}"));
    }
    say("}".to_owned());
    text
}

/// The same few steps below and above. Below, a step may be waited for by asking again and again.
fn body(random: &mut Rng) -> [String; 2] {
    let (mut below, mut above) = (String::new(), String::new());
    let count = random.usize(1..4);
    for number in 0..count {
        let (name, _, result, _) = random.choice(STEPS).expect("there are some");
        let (mut low, mut high) = (format!("lo.{name}()"), format!("self.do_{name}(me)"));
        if *result == "bool" {
            let (then, _, of_then, _) = random.choice(STEPS).expect("there are some");
            let zero = if *of_then == "bool" { "false" } else { "0" };
            let as_number = if *of_then == "bool" { "if it { 1 } else { 0 }" } else { "it" };
            low = format!("{{ let it = if {low} {{ lo.{then}() }} else {{ {zero} }}; {as_number} }}");
            high = format!("{{ let it = if {high} {{ self.do_{then}(me) }} else {{ {zero} }}; {as_number} }}");
        }
        write!(below, "let r{number} = {low}; ").expect("a string takes text");
        write!(above, "let r{number} = {high}; ").expect("a string takes text");
        if random.u8(..12) == 0 {
            below.push_str("while !lo.is_up() {} ");
            above.push_str("when(self.flag); ");
        }
    }
    let result = random.usize(..count);
    [format!("{below} r{result}"), format!("{above} r{result}")]
}

/// What the engine finds.
fn engine(program: &Program, scripts: &[Vec<&str>], may_wait: bool, reductions: Reductions) -> Option<&'static str> {
    let (code, stop, scope) = (compile(program), AtomicBool::new(false), Scope::default());
    let setting = Setting { program, code: &code, scope: &scope, stop: &stop };
    let call = |it: &&str| ScriptCall { operation: (*it).to_owned(), arguments: Vec::new() };
    let scripts: Vec<Rc<Script>> = scripts.iter().map(|it| Rc::new(it.iter().map(call).collect())).collect();
    let implementations: Vec<&Implementation> = program.implementations.iter().collect();
    match check_scripts(&setting, &implementations, (&scripts, may_wait), reductions).answered {
        Answered::Holds => None,
        Answered::Violated(run) => Some(match run.wrong {
            Wrong::Trace(_) => "trace",
            Wrong::ClientFails(..) => "client fails",
            Wrong::Stuck(_) => "stuck",
        }),
        Answered::GivenUp(abort) => panic!("given up: {abort:?}"),
    }
}

/// What brute force finds; nothing if it is too much.
fn oracle(program: &Program, scripts: &[Vec<&str>], random: &mut Rng) -> Option<Option<&'static str>> {
    let processes = scripts.len() as u64;
    let scope =
        value::Scope { pids: processes, ints: vec![0, 1, 2], strings: Vec::new(), scalars: 1, entries: 2, length: 1 };
    let evaluator = Evaluator::new(program, scope);
    let call = |it: &&str| Call { operation: (*it).to_owned(), arguments: Vec::new() };
    let clients: Vec<Vec<Call>> = scripts.iter().map(|it| it.iter().map(call).collect()).collect();
    let tower = Tower::over(program, program.implementations.iter().collect())?;
    let top = Tower::layer(program.implementations[0].upper);
    let low = System { evaluator: &evaluator, tower: &tower, clients: &clients };
    let high = System { evaluator: &evaluator, tower: &top, clients: &clients };
    let start = Value::Tuple(vec![
        Value::Int(0),
        Value::Bool(false),
        Value::option(None),
        Value::Set(Default::default()),
        Value::Seq(Vec::new()),
        Value::Total(Default::default(), Box::new(Value::Int(0))),
    ]);
    let found = every_state(&low, &start, 6_000).ok().filter(|it| it.complete_below.is_none())?;
    let allowed = every_state(&high, &start, 6_000).ok().filter(|it| it.complete_below.is_none())?;
    if random.u8(..8) == 0
        && let Ok(again) = every_run(&low, &start, 4_000)
    {
        assert_eq!(found, again, "the two searches by brute force");
    }
    if found.not_among(&allowed).is_some() {
        return Some(Some("trace"));
    }
    Some(gets_stuck(&low, &start, 6_000).ok()?.then_some("stuck"))
}

#[test]
fn the_search_finds_what_brute_force_finds() {
    let mut random = Rng::with_seed(2_020);
    let (mut compared, mut of) = (0, [0, 0, 0]);
    for number in 0..400 {
        let text = package(&mut random);
        let lowered = lower_sources(&[("layers.rs", &text)]);
        let errors: Vec<&str> = lowered.diagnostics.iter().map(|it| it.message.as_str()).collect();
        assert!(errors.is_empty(), "{errors:?}\n{text}");
        let names = ["op0", "op1", "op2"];
        let processes = if random.u8(..4) == 0 { 3 } else { 2 };
        let script = |random: &mut Rng| (0..random.usize(1..3)).map(|_| names[random.usize(..3)]).collect::<Vec<_>>();
        let scripts: Vec<Vec<&str>> = (0..processes).map(|_| script(&mut random)).collect();
        let Some(expected) = oracle(&lowered.program, &scripts, &mut random) else { continue };
        for reductions in [Reductions::ALL, Reductions::NONE] {
            let found = engine(&lowered.program, &scripts, false, reductions);
            assert_eq!(found, expected, "case {number}, {scripts:?}, {reductions:?}\n{text}");
            let waits = engine(&lowered.program, &scripts, true, reductions);
            assert_eq!(waits, expected.filter(|it| *it != "stuck"), "case {number} may wait, {scripts:?}\n{text}");
        }
        compared += 1;
        of[match expected {
            None => 0,
            Some("trace") => 1,
            _ => 2,
        }] += 1;
    }
    assert!(compared > 200 && of.iter().all(|it| *it > 20), "{compared} compared: {of:?}");
}
