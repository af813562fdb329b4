//! A helper that is inlined means the same as its call: in every environment the procedure makes the same calls of the layer below, and
//! returns the same.
//!
//! The layer below records calls and answers anything. So the final states of a procedure that runs alone over it are its dialogues with
//! any layer, as far as they end within a few calls.

use cspec_analysis::{
    db::lower_sources,
    ir::{Code, FunctionId, Implementation, Justification, LayerId, Program, dump, lower::Lowered},
};
use cspec_oracle::{
    eval::Evaluator,
    generate::{Pattern, case},
    value::{Scope, Value},
};

/// Helpers, and the body of a procedure that calls them.
type Form = (&'static str, &'static str);

/// Forms that are inlined.
const INLINED: &[Form] = &[
    ("fn h(lo: &mut impl Low) { while !lo.test(0) {} }", "Self::h(lo); let a = lo.ask(1); Self::h(lo); a"),
    (
        "fn h(lo: &mut impl Low, by: u64) -> u64 {
            let mut n = by;
            loop { let a = lo.ask(n); if a == n { return a; } n = a; if lo.test(2) { break 7; } }
        }",
        "lo.ask(Self::h(lo, from) + lo.ask(3)) + Self::h(lo, 1)",
    ),
    (
        "fn h(lo: &mut impl Low) { while lo.test(0) { if lo.ask(3) == 0 { return; } lo.ask(4); } }",
        "if flag { Self::h(lo); } lo.ask(5)",
    ),
    (
        "fn find(lo: &mut impl Low) -> Option<u64> {
            let mut n: u64 = 0;
            loop { let a = lo.ask(n); if a == 1 { return Some(n); } if n == 1 { return None; } n += 1; }
        }
        fn h(lo: &mut impl Low, a: u64) -> Option<u64> {
            if a == 0 { return None; }
            let b = Self::find(lo)?;
            let Some(c) = Self::find(lo) else { lo.ask(9); return Some(9); };
            while lo.test(c) {}
            Some(b + c)
        }",
        "match Self::h(lo, from) { Some(it) => it, None => lo.ask(8) }",
    ),
    (
        "fn h(lo: &mut impl Low, a: &mut u64, b: &mut u64) -> bool {
            *a = lo.ask(*b);
            loop { if lo.test(*a) { *b += 2; return true; } *b += 4; if lo.test(*b) { return false; } }
        }",
        "let mut t = (from, 1); let is = Self::h(lo, &mut t.0, &mut t.1); if is { t.0 } else { t.1 }",
    ),
    (
        "fn h(lo: &mut impl Low, a: &mut u64, by: u64) { while lo.test(*a) { *a += by; } }",
        "let mut map: Map<u64, u64> = Map::new(); map.insert(0, from); map.insert(1, 5);
        Self::h(lo, &mut map[&(lo.ask(0))], lo.ask(1)); map[&0] * 100 + map[&1]",
    ),
    (
        "fn h(lo: &mut impl Low) -> u64 {
            let seen;
            loop { let a = lo.ask(0); if a == 1 { seen = a; break; } }
            seen
        }",
        "for i in 0..2u64 { if Self::h(lo) == i { lo.ask(5); } } while Self::h(lo) == 1 { if lo.test(1) { break; } } from",
    ),
    (
        "fn h(lo: &mut impl Low, map: &Map<u64, u64>) -> u64 { loop { if lo.test(0) { return map[&lo.ask(1)]; } } }",
        "let mut map: Map<u64, u64> = Map::new(); map.insert(from, 6); Self::h(lo, &map)",
    ),
    (
        "fn h(lo: &mut impl Low) -> u64 {
            let a = lo.ask(0);
            match a { 0 => { while lo.test(0) {} return 3; } 1 if lo.test(1) => return 4, _ => {} }
            loop { match lo.ask(2) { 0 => continue, n => return n + a } }
        }",
        "let a = Self::h(lo); if a == 4 { return a; } Self::h(lo)",
    ),
    (
        "fn h(lo: &mut impl Low, all: Seq<u64>) {
            while !lo.test(1) {}
            for a in all { if lo.test(a) { continue; } if lo.test(3) { return; } lo.ask(4); }
        }",
        "Self::h(lo, Seq::from([1, 0])); from",
    ),
    (
        "fn g(lo: &mut impl Low, n: u64) -> bool { loop { if lo.test(n) { return lo.test(6); } } }
        fn h(lo: &mut impl Low, n: u64) { while Self::g(lo, n) && !Self::g(lo, 7) {} }",
        "Self::h(lo, from); Self::h(lo, if Self::g(lo, 8) { 1 } else { 2 }); from",
    ),
    (
        "fn h(lo: &mut impl Low, n: u64) -> u64 { let n = n + 1; { let n = n + lo.ask(n); while lo.test(n) {} } n }",
        "let n = from; let a = Self::h(lo, n); n * 10 + a",
    ),
    (
        "fn h(lo: &mut impl Low, n: u64) -> u64 { while lo.test(n) {} if n == 0 { unreachable!(); } n }",
        "Self::h(lo, from) + Self::h(lo, lo.ask(0))",
    ),
];

/// Forms that stay calls.
const CALLED: &[Form] = &[
    (
        "fn h(lo: &mut impl Low) -> u64 { loop { while lo.test(0) { if lo.test(1) { return 2; } } lo.ask(3); } }",
        "Self::h(lo)",
    ),
    ("fn h(lo: &mut impl Low) -> u64 { while lo.test(0) { if lo.test(1) { return 2; } } lo.ask(3) }", "Self::h(lo)"),
    (
        "fn h(lo: &mut impl Low, n: u64) -> u64 { while lo.test(n) {} if n == 0 { 0 } else { Self::h(lo, n - 1) } }",
        "Self::h(lo, from)",
    ),
    (
        "fn h(lo: &mut impl Low, n: u64) -> u64 {
            let a = lo.ask(if n == 0 { return 1; } else { n });
            while lo.test(a) {}
            a
        }",
        "Self::h(lo, from)",
    ),
    ("fn h(lo: &mut impl Low) -> u64 { lo.ask(0) }", "while lo.test(0) {} Self::h(lo)"),
];

fn lowered((helpers, body): &Form) -> Lowered {
    let source = format!(
        "use cspec::prelude::*;
        #[state] pub struct Record {{ pub calls: Seq<(u64, u64)> }}
        #[layer] impl Low for Record {{
            #[op] fn ask(&mut self, me: Pid, what: u64) -> u64 {{
                when(self.calls.len() < 6);
                let answer: u64 = any();
                self.calls.push((what, answer));
                answer
            }}
            #[op] fn test(&mut self, me: Pid, what: u64) -> bool {{
                when(self.calls.len() < 6);
                let answer = maybe();
                self.calls.push((what, if answer {{ 1 }} else {{ 0 }}));
                answer
            }}
        }}
        #[layer] impl High for Record {{ #[op] fn run(&mut self, me: Pid, from: u64, flag: bool) -> u64 {{ from }} }}
        #[implement(High, over = Low, by = movers)] impl Imp {{
            {helpers}
            fn run(lo: &mut impl Low, from: u64, flag: bool) -> u64 {{ {body} }}
        }}"
    );
    let lowered = lower_sources(&[("src/lib.rs", &source)]);
    assert!(lowered.diagnostics.is_empty(), "{source}\n{:?}", lowered.diagnostics);
    lowered
}

/// The procedures of an implementation.
fn procedures(implementation: &Implementation) -> Vec<FunctionId> {
    let (Justification::Movers(code) | Justification::Retry(code)) = &implementation.by else { return Vec::new() };
    let function = |it: &Code| match it {
        Code::Procedure(id) => Some(*id),
        Code::Pass => None,
    };
    code.values().filter_map(function).collect()
}

/// The ends of a procedure that runs alone; `None` if the evaluator cannot tell.
fn ends(
    program: &Program,
    (function, layer): (FunctionId, LayerId),
    state: &Value,
    arguments: &[Value],
) -> Option<Vec<String>> {
    let evaluator = Evaluator::new(program, Scope::default());
    evaluator.set_fuel(300_000);
    let ends = evaluator.procedure(function, layer, state, &Value::Pid(0), arguments).ok()?;
    Some(ends.iter().map(|it| format!("{it:?}")).collect())
}

#[test]
fn inlined_helpers_mean_the_same() {
    for (form, is_inlined) in INLINED.iter().map(|it| (it, true)).chain(CALLED.iter().map(|it| (it, false))) {
        let Lowered { program, written, .. } = lowered(form);
        let implementation = &program.implementations[0];
        let function = procedures(implementation)[0];
        let text = |it: &Program| dump::function(it, &it.functions[function.0 as usize]);
        assert!(text(&written).contains("Imp::h("), "{}", text(&written));
        assert_eq!(!text(&program).contains("Imp::h("), is_inlined, "{}", text(&program));
        let mut most = 0;
        for from in 0..2 {
            for flag in [false, true] {
                let (state, arguments) =
                    (Value::Tuple(vec![Value::Seq(vec![])]), [Value::Int(from), Value::Bool(flag)]);
                let [as_written, as_inlined] = [&written, &program]
                    .map(|it| ends(it, (function, implementation.lower), &state, &arguments).expect("it ends"));
                assert_eq!(as_written, as_inlined, "{}\n{}", text(&written), text(&program));
                most = most.max(as_written.len());
            }
        }
        assert!(most > 1, "{most} ends: {}", text(&written));
    }
}

#[test]
fn inlined_helpers_of_random_procedures_mean_the_same() {
    let (mut inlined, mut compared) = (0, 0);
    for seed in 60_000_000..60_000_400 {
        let case = case(Pattern::Wild, seed);
        let Lowered { program, written, .. } = lower_sources(&[("src/lib.rs", &case.source)]);
        let mut random = fastrand::Rng::with_seed(seed);
        for implementation in &program.implementations {
            for function in procedures(implementation) {
                if program.functions[function.0 as usize] == written.functions[function.0 as usize] {
                    continue;
                }
                inlined += 1;
                for _ in 0..6 {
                    let evaluator = Evaluator::new(&program, Scope::default());
                    let layer = &program.layers[implementation.lower.0 as usize];
                    let Some(state) = evaluator.universe.sample(&layer.state, &mut random) else { continue };
                    let arguments = [Value::Int(random.i128(0..2)), Value::Bool(random.bool())];
                    let [as_written, as_inlined] =
                        [&written, &program].map(|it| ends(it, (function, implementation.lower), &state, &arguments));
                    compared += usize::from(as_written.is_some());
                    assert_eq!(as_written, as_inlined, "seed {seed}:\n{}", case.source);
                }
            }
        }
    }
    assert!(inlined >= 20 && compared >= 60, "{inlined} inlined, {compared} compared");
}
