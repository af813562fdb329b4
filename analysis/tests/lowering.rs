//! Lowering of the language, and the findings about everything outside it.

mod support;

use std::collections::BTreeSet;

use cspec_analysis::{
    db::lower_sources,
    ir::{Expr, ExprKind, NodeId},
};
use expect_test::{Expect, expect};
use support::{HEADER, check, check_body};

/// Lowers an operation `run` with this body and compares its IR.
#[track_caller]
fn snapshot(body: &str, expected: Expect) {
    let text = format!("{HEADER}#[layer] impl Tested for State {{ #[op] fn run(&mut self, me: Pid) {{ {body} }} }}");
    let lowered = lower_sources(&[("src/lib.rs", &text)]);
    assert_eq!(lowered.diagnostics, []);
    expected.assert_eq(&support::dumped(&lowered.program, "Tested::run"));
}

mod ir {
    use super::*;

    #[test]
    fn conditions_with_several_lets() {
        snapshot(
            "if self.count > 0 && let Some(a) = self.owner && a == me && let Some(b) = self.queue.first() && b > 1 { self.count = b; } else { self.count = 0; }",
            expect![[r#"
                Tested::run(inout self.0: State, me.1: Pid) -> (): {
                  match match if Gt(self.0.0, 0) #1(self.0.2) else #0() {
                    #1(#1(a.2)) if Eq(a.2, me.1) => #1((a.2, First(self.0.3)))
                    _ => #0()
                  } {
                    #1((a.2, #1(b.3))) if Gt(b.3, 1) => {
                      self.0.0 = b.3;
                    }
                    _ => {
                      self.0.0 = 0;
                    }
                  }
                }"#]],
        );
    }

    #[test]
    fn repeat_and_aliases_evaluate_indices_once() {
        snapshot(
            "let key = self.count; let slot = &mut self.map[&(key + 1)]; *slot += 2; repeat(&mut self.queue, |q| q.push(any())); repeat(self, |s| s.count += 1);",
            expect![[r#"
                Tested::run(inout self.0: State, me.1: Pid) -> (): {
                  let key.2 = self.0.0;
                  let index.3 = Arith(Add, Panics)(key.2, 1);
                  self.0.1[index.3];
                  self.0.1[index.3] = Arith(Add, Panics)(self.0.1[index.3], 2);
                  while maybe() {
                    Push!(self.0.3, any::<u64>());
                  };
                  while maybe() {
                    self.0.0 = Arith(Add, Panics)(self.0.0, 1);
                  };
                }"#]],
        );
    }

    #[test]
    fn options() {
        snapshot(
            "let a = self.queue.first().unwrap_or(self.count); let b = self.queue.last().map(|x| x + 1).unwrap(); let c = self.owner.is_some_and(|o| o == me); assert!(c && self.owner.is_none() || a == b, \"a message\"); let Some(d) = self.map.get(&1) else { return }; self.count = d;",
            expect![[r#"
                Tested::run(inout self.0: State, me.1: Pid) -> (): {
                  let a.4 = match (First(self.0.3), self.0.0) {
                    (#1(value.2), _) => value.2
                    (_, default.3) => default.3
                  };
                  let b.7 = match match Last(self.0.3) {
                    #1(x.5) => #1(Arith(Add, Panics)(x.5, 1))
                    #0() => #0()
                  } {
                    #1(value.6) => value.6
                    #0() => assert(false)
                  };
                  let c.9 = match self.0.2 {
                    #1(o.8) => Eq(o.8, me.1)
                    #0() => false
                  };
                  assert(((c.9 && match self.0.2 {
                    #1(_) => false
                    #0() => true
                  }) || Eq(a.4, b.7)));
                  let (d.11) = match Get(self.0.1, 1) {
                    #1(d.10) => (d.10)
                    _ => {
                      return
                    }
                  };
                  self.0.0 = d.11;
                }"#]],
        );
    }

    #[test]
    fn closures_of_options() {
        snapshot(
            "let a = self.queue.first().and_then(|x| self.map.get(&x)); let b = a.unwrap_or_else(|| self.count); let c = self.owner.is_none_or(|o| o == me); assert!(c || b == 1);",
            expect![[r#"
                Tested::run(inout self.0: State, me.1: Pid) -> (): {
                  let a.3 = match First(self.0.3) {
                    #1(x.2) => Get(self.0.1, x.2)
                    #0() => #0()
                  };
                  let b.5 = match a.3 {
                    #1(value.4) => value.4
                    #0() => self.0.0
                  };
                  let c.7 = match self.0.2 {
                    #1(o.6) => Eq(o.6, me.1)
                    #0() => true
                  };
                  assert((c.7 || Eq(b.5, 1)));
                }"#]],
        );
    }

    #[test]
    fn iterators_and_loops() {
        snapshot(
            "for (k, v) in self.map.iter() { if k == v { continue; } self.queue.push(k); } let s: Set<u64> = self.queue.iter().filter(|x| **x > 1).map(|x| x * 2).collect(); let q: Seq<_> = s.iter().collect(); while let Some(x) = self.queue.pop() { self.count += x; } let n = loop { break 3 }; self.count = n + q.iter().rev().count();",
            expect![[r#"
                Tested::run(inout self.0: State, me.1: Pid) -> (): {
                  for (k.2, v.3) in Elems(self.0.1) {
                    if Eq(k.2, v.3) {
                      continue;
                    } else ();
                    Push!(self.0.3, k.2);
                  };
                  let s.6 = ToSet(self.0.3.Filter(|x.4| Gt(x.4, 1)).Map(|x.5| Arith(Mul, Panics)(x.5, 2)));
                  let q.7 = Elems(s.6);
                  loop match Pop!(self.0.3) {
                    #1(x.8) => {
                      self.0.0 = Arith(Add, Panics)(self.0.0, x.8);
                    }
                    _ => break
                  };
                  let n.9 = loop {
                    break 3
                  };
                  self.0.0 = Arith(Add, Panics)(n.9, Len(Rev(q.7)));
                }"#]],
        );
    }

    #[test]
    fn matches_and_or_patterns() {
        snapshot(
            "let n = match (self.count, self.owner) { (0 | 1, None) => 1, (x, Some(_)) | (x, None) if x > 2 => x, _ => 3 };",
            expect![[r#"
                Tested::run(inout self.0: State, me.1: Pid) -> (): {
                  let n.4 = match (self.0.0, self.0.2) {
                    (0 | 1, #0()) => 1
                    (x.2, #1(_)) | (x.2, #0()) if Gt(x.2, 2) => x.2
                    _ => 3
                  };
                }"#]],
        );
    }
}

mod diagnostics {
    use super::*;

    #[test]
    fn cs0101_syntax() {
        check_body(
            "
    self.count = ;
//               ^ CS0101 syntax error: expected expression
",
        );
    }

    #[test]
    fn cs0102_unsupported() {
        check_body(
            "
    let f = (|x: u64| x, 1);
//           ^^^^^^^^^^ CS0102 a closure in this place is not supported in layers and procedures
    let g = move |x: u64| x;
//          ^^^^^^^^^^^^^^^ CS0102 `move` on a closure is not supported in layers and procedures
    let h = |x: u64| x + 1;
    let i = h;
//          ^ CS0102 a closure as a value is not supported in layers and procedures
    let x = 1.5;
//          ^^^ CS0102 this kind of literal is not supported in layers and procedures
    let y: u128 = 1;
//         ^^^^ CS0102 the type `u128` is not supported in layers and procedures
    let z = vec![1];
//          ^^^^^^^ CS0102 the macro `vec!` is not supported in layers and procedures
    let w = self.queue.iter().scan_all(|x| Seq::new());
//                            ^^^^^^^^ CS0102 the method `scan_all` of `Seq<u64>` is not supported in layers and procedures
    let mut c = 0;
    let w = self.queue.iter().map(|x| { c += 1; x }).any(|x| *x > 1);
//                                      ^^^^^^ CS0102 changing `c` in the closure of an iterator is not supported in layers and procedures
    let v = self.map.get_mut(&1);
//                   ^^^^^^^ CS0102 the method `get_mut` of `Map<u64, u64>` is not supported in layers and procedures
    let v = self.owner.map(u64::leading_zeros);
//                         ^^^^^^^^^^^^^^^^^^ CS0102 this function as a value is not supported in layers and procedures
    let v = self.owner.unwrap_or_else(|x| me);
//                                    ^^^^^^ CS0104 this closure takes no parameter
    let v = self.owner.and_then(|o| o == me);
//                                  ^^^^^^^ CS0104 expected `Option<_>`, found `bool`
    let u = unsafe { 1 };
//          ^^^^^^^^^^^^ CS0102 a block with a keyword is not supported in layers and procedures
    let t = self.count as String;
//          ^^^^^^^^^^^^^^^^^^^^ CS0102 `as` between these types is not supported in layers and procedures
    let s = Addr(self.count);
//          ^^^^^^^^^^^^^^^^ CS0102 a scalar made from a computed value is not supported in layers and procedures
    let r = Addr(1) < Addr(2);
//          ^^^^^^^^^^^^^^^^^ CS0102 the order of values of type `Addr` is not supported in layers and procedures
    let q = self.queue.iter().map(|_| maybe()).count();
//                                    ^^^^^^^ CS0102 `maybe` in the closure of an iterator is not supported in layers and procedures
    let p = 'c';
//          ^^^ CS0102 this kind of literal is not supported in layers and procedures
    let o = 18446744073709551616;
//          ^^^^^^^^^^^^^^^^^^^^ CS0104 this integer does not fit into 64 bits
    let n: Vec<u64> = any();
//         ^^^^^^^^ CS0102 the type `Vec` is not supported in layers and procedures
    let m = (&mut self.count, 1);
//           ^^^^^^^^^^^^^^^ CS0102 `&mut` in this place is not supported in layers and procedures
",
        );
    }

    #[test]
    fn cs0102_changes_through_references() {
        check_body(
            "
    for x in self.queue.iter() { *x = 1; }
//                               ^^^^^^ CS0102 changing `x`, which is not `mut` or holds a `&mut`, is not supported in layers and procedures
    if let Some(&mut k) = &mut self.owner { k = me; }
//                                          ^^^^^^ CS0102 changing `k`, which is not `mut` or holds a `&mut`, is not supported in layers and procedures
    let (mut a, b) = &mut (self.count, self.count);
//                   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ CS0102 `&mut` in this place is not supported in layers and procedures
    match self.map.get_mut(&1) { found => {} }
//                               ^^^^^ CS0102 this pattern for the result of `get_mut` is not supported in layers and procedures
    self.map.entry(1);
//           ^^^^^ CS0102 the method `entry` of `Map<u64, u64>` is not supported in layers and procedures
    let queue = &mut self.queue;
    Some(queue).unwrap().push(1);
//  ^^^^^^^^^^^^^^^^^^^^^^^^^^^^ CS0102 changing a value that may hold a `&mut` is not supported in layers and procedures
    loop { break 'other; }
//         ^^^^^^^^^^^^ CS0104 there is no loop `'other` around this
    let slot = &mut self.count;
    slot = &mut self.count;
//  ^^^^^^^^^^^^^^^^^^^^^^ CS0102 making a `&mut` refer to something else is not supported in layers and procedures
    let number = 1;
    number.min(2);
    number += 1;
//  ^^^^^^^^^^^ CS0102 changing `number`, which is not `mut` or holds a `&mut`, is not supported in layers and procedures
",
        );
    }

    /// The default of `Written` is not the one that deriving it would give.
    #[test]
    fn cs0104_defaults_that_are_not_read() {
        check(
            "
use cspec::prelude::*;
struct Written { number: u64 }
impl Default for Written { fn default() -> Self { Written { number: 7 } } }
#[state]
pub struct All { written: Total<u64, Written> }
//         ^^^ CS0104 a `Total` needs a derived default for its values, and that of `Written` is not derived
#[state]
pub struct Counted { count: u64 }
#[layer]
impl Tested for Counted {
    #[init]
    fn init(&self) -> bool { true }
    #[op]
    fn run(&mut self, me: Pid) {
        let a = Written::default();
        let b: Written = Default::default();
//                       ^^^^^^^^^^^^^^^^^^ CS0104 the default of `Written` is not derived, so its value is not known here
    }
}
#[layer]
impl Other for All {
    #[init]
    fn init(&self) -> bool { true }
    #[op]
    fn run(&mut self, me: Pid) {}
}
",
        );
    }

    #[test]
    fn cs0103_unknown_names() {
        check_body(
            "
    let a = cuont;
//          ^^^^^ CS0103 unknown name `cuont`
    self.cuont = 1;
//       ^^^^^ CS0103 unknown field of `State`: `cuont`
    self.queue.pusch(1);
//             ^^^^^ CS0102 the method `pusch` of `Seq<u64>` is not supported in layers and procedures
    self.missing();
//       ^^^^^^^ CS0103 unknown method of `State`: `missing`
    mayb();
//  ^^^^^^ CS0103 unknown function `mayb`
    let b: Sett<u64> = any();
//         ^^^^^^^^^ CS0103 unknown type `Sett`
    let c = State { count: 1, mapp: Map::new(), owner: None, queue: Seq::new() };
//                            ^^^^^^^^^^^^^^^^ CS0103 unknown field `mapp`
",
        );
    }

    #[test]
    fn cs0104_types() {
        check_body(
            "
    let a: bool = 1;
//                ^ CS0104 expected `bool`, found `i32`
    self.count = true;
//               ^^^^ CS0104 expected `u64`, found `bool`
    let b: u8 = 256;
//              ^^^ CS0104 `256` is out of range for its type
    let c = any();
//          ^^^^^ CS0104 the type of this expression is unknown
    let d = if maybe() { 1 } else { false };
//                                ^^^^^^^^^ CS0104 expected `i32`, found `bool`
    self.queue.push(me);
//                  ^^ CS0104 expected `u64`, found `Pid`
    let Some(e) = self.owner;
//      ^^^^^^^ CS0104 a variant does not match every value; use `let … else` or `match`
    break;
//  ^^^^^ CS0104 `break` outside of a loop
    return 1;
//         ^ CS0104 expected `()`, found `i32`
",
        );
    }

    #[test]
    fn cs0201_missing_operations() {
        check(
            "
    #[layer(ops = Base)]
    impl Upper for State {
//       ^^^^^ CS0201 layer `Upper` has no operation `set`, but `ops = Base` requires it
        #[op] fn get(&mut self, me: Pid) -> u64 { 1 }
    }
    #[implement(Base, over = Base, by = movers, pass(get))]
    impl Same {}
//       ^^^^ CS0201 `Same` does not implement operation `set` of layer `Base` over `Base`
",
        );
    }

    #[test]
    fn cs0202_unknown_in_attributes() {
        check(
            "
    #[layer(inherit(Bse: get), inherit(Base: gte))]
//                  ^^^ CS0202 unknown layer `Bse`
//                                           ^^^ CS0202 layer `Base` has no operation `gte`
    impl Upper for State {}
    #[layer(inherit(Base in cuont: get))]
//                          ^^^^^ CS0202 `State` has no field `cuont`
    impl Field for State {}
    #[implement(Base, over = Basse, by = movers)]
//                           ^^^^^ CS0202 unknown layer `Basse`
    impl One {}
    #[implement(Base, over = Base, by = movers, pass(get, set, got))]
//                                                             ^^^ CS0202 layer `Base` has no operation `got`
    impl Two {
        fn sett(lo: &mut impl Base) {}
    }
    #[stack]
    pub type S<B> = Tow<B>;
//                  ^^^ CS0202 unknown implementation `Tow`
    #[client(T, processes(2))]
//           ^ CS0202 unknown stack `T`
    fn c(process: u64, top: &mut impl Base) {}
",
        );
    }

    #[test]
    fn cs0203_twice() {
        check(
            "
    #[state] pub struct State { x: u64 }
//                      ^^^^^ CS0203 type `State` is declared twice
    #[layer] impl Base for State {}
//                ^^^^ CS0203 layer `Base` is declared twice
    #[layer(inherit(Base: get))] impl Other for State {
//                        ^^^ CS0203 operation `get` is declared twice: here and inherited
        #[op] fn get(&mut self, me: Pid) -> u64 { 1 }
    }
",
        );
    }

    #[test]
    fn cs0204_states() {
        check(
            "
    #[state] pub struct Small { x: u64 }
    #[layer(inherit(Base: get))] impl Inherits for Small {}
//                        ^^^ CS0204 `get` of layer `Base` acts on `State`, but here the state is `Small`
    #[layer(protocol = Base)] impl Restricts for Small {}
//                                 ^^^^^^^^^ CS0204 `Restricts` restricts `Base`, but their states differ
    #[layer] impl Empty for Small {}
    #[implement(Empty, over = Base, by = movers)]
//                            ^^^^ CS0204 `by = movers` does not change the state, but `Empty` is over `Small` and `Base` is over `State`
    impl Moves {}
    #[layer] impl AlsoEmpty for State {}
    #[implement(Empty, over = AlsoEmpty, by = abstraction)]
    impl Relates {
        #[abstraction] fn f(lo: &Small) -> State { any() }
//                        ^ CS0204 the abstraction `f` does not relate the states `State` of `AlsoEmpty` and `Small` of `Empty`
    }
",
        );
    }

    #[test]
    fn cs0205_signatures() {
        check(
            "
    #[layer(ops = Base)] impl Upper for State {
        #[op] fn get(&mut self, me: Pid) -> bool { true }
//               ^^^ CS0205 `get` does not have the same signature in layers `Upper` and `Base`
        #[op] fn set(&mut self, me: Pid, value: u64) {}
        #[op] fn more(&mut self, me: Pid) {}
//               ^^^^ CS0205 `more` of layer `Upper` is not an operation of `Base`, but `ops = Base` requires that all are
        #[init] fn init(&self) -> u64 { 1 }
//                 ^^^^ CS0205 `init` has the wrong signature for its role
        #[op] fn no_process(&mut self) {}
//               ^^^^^^^^^^ CS0205 `no_process` has the wrong signature for its role
    }
    #[implement(Base, over = Base, by = retry, pass(set))]
    impl Same {
        fn get(lo: &mut impl Base, value: u64) -> u64 { lo.get() }
//         ^^^ CS0205 procedure `get` does not have the signature of operation `get` of layer `Base`
    }
    #[layer] impl Other for State {}
    #[implement(Other, over = Base, by = abstraction)]
//                                       ^^^^^^^^^^^ CS0205 an abstraction needs the same operations on both sides, but layer `Other` does not have `get` of `Base`
//                                       ^^^^^^^^^^^ CS0205 an abstraction needs the same operations on both sides, but layer `Other` does not have `set` of `Base`
    impl Relates {
        #[abstraction] fn f(lo: &State, hi: &State) -> bool { true }
    }
",
        );
    }

    #[test]
    fn cs0206_cycles() {
        check(
            "
    #[layer(inherit(Second: get))] impl First for State {}
//                                      ^^^^^ CS0206 layer `First` depends on itself
    #[layer(inherit(First: get))] impl Second for State {}
    const A: u64 = B;
    const B: u64 = A;
    #[layer] impl Uses for State { #[op] fn f(&mut self, me: Pid) -> u64 { A } }
//                                                                         ^ CS0206 constant `A` refers to itself
    type T = U;
//           ^ CS0206 this type alias refers to itself
    type U = T;
    #[layer] impl Named for T {}
",
        );
    }

    #[test]
    fn cs0207_attributes() {
        check(
            "
    #[layer(nilpotent)] impl One for State {
//                           ^^^ CS0207 malformed attribute: `nilpotent` says what a protocol layer does with operations that are not allowed
        #[op(up)] fn f(&mut self, me: Pid) {}
//           ^^ CS0207 malformed attribute: expected a mover type or `external`, found `up`
        #[allowed(f)] fn g(&self, me: Pid) -> bool { true }
//                       ^ CS0207 malformed attribute: only protocol layers say which operations are allowed
    }
    #[layer(inherit(Base get))] impl Two for State {}
//                       ^^^ CS0207 malformed attribute: expected `:`, found `get`
    #[implement(Base, by = movers)] impl Three {}
//  ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ CS0207 malformed attribute: expected `over = Layer`, found the end
    #[implement(Base, over = Base, by = magic)] impl Four {}
//                                      ^^^^^ CS0207 malformed attribute: expected `movers`, `retry`, `abstraction`, `partition(key)` or `search`, found `magic`
    #[implement(Base, over = Base, by = abstraction)] impl Five { #[abstraction] fn f(a: &State) -> State { any() } }
//                                                                                  ^ CS0207 the parameters of the abstraction `f` are named `lo` and `hi`, in this order
    #[implement(Base, over = Base, by = abstraction)] impl Six {}
//                                                         ^^^ CS0207 `Six` has no `#[abstraction]` function
    #[stack] pub type S = Three;
//                        ^^^^^ CS0207 malformed attribute: a stack consists of implementations around its own parameter
    #[client(S)] fn c(process: u64, top: &mut impl Base) {}
//  ^^^^^^^^^^^^ CS0207 malformed attribute: expected `,`, found the end
",
        );
    }

    #[test]
    fn procedures() {
        check(
            "
    fn helper(lo: &mut impl Base, by: u64) -> u64 { let old = lo.get(); lo.set(old + by); old }
    #[implement(Base, over = Base, by = movers, pass(set))]
    impl Same {
        fn get(below: &mut impl Base) -> u64 {
            below.gett();
//                ^^^^ CS0103 layer `Base` has no operation `gett`
            below.set(true);
//                    ^^^^ CS0104 expected `u64`, found `bool`
            let x = below;
//                  ^^^^^ CS0102 the lower layer as a value is not supported in layers and procedures
            helper(1);
//          ^^^^^^^^^ CS0104 this function runs over layer `Base`: pass it the `&mut impl Base` that this procedure has
            helper(below, 1)
        }
    }
",
        );
    }

    #[test]
    fn helpers_that_make_calls_in_loops_are_inlined() {
        let text = format!(
            "{HEADER}
    fn wait(lo: &mut impl Base, least: u64, turns: &mut u64) -> u64 {{
        if least == 0 {{ return 0; }}
        loop {{ let seen = lo.get(); if seen >= least {{ return seen; }} *turns += 1; }}
    }}
    #[implement(Base, over = Base, by = movers, pass(set))] impl Same {{
        fn get(lo: &mut impl Base) -> u64 {{ let mut turns = (0, 1); wait(lo, 2, &mut turns.1) + wait(lo, 3, &mut turns.0) }}
    }}"
        );
        let lowered = lower_sources(&[("src/lib.rs", &text)]);
        assert_eq!(lowered.diagnostics, []);
        expect![[r#"
            Same::get() -> u64: {
              let turns.0 = (0, 1);
              Arith(Add, Panics)({
                let least.1 = 2;
                let turns.2 = turns.0.1;
                let result.4 = {
                  if Eq(least.1, 0) {
                    0
                  } else {
                    ();
                    loop {
                      let seen.3 = perform get();
                      if Ge(seen.3, least.1) {
                        break seen.3;
                      } else ();
                      turns.2 = Arith(Add, Panics)(turns.2, 1);
                    }
                  }
                };
                turns.0.1 = turns.2;
                result.4
              }, {
                let least.5 = 3;
                let turns.6 = turns.0.0;
                let result.8 = {
                  if Eq(least.5, 0) {
                    0
                  } else {
                    ();
                    loop {
                      let seen.7 = perform get();
                      if Ge(seen.7, least.5) {
                        break seen.7;
                      } else ();
                      turns.6 = Arith(Add, Panics)(turns.6, 1);
                    }
                  }
                };
                turns.0.0 = turns.6;
                result.8
              })
            }"#]]
        .assert_eq(&support::dumped(&lowered.program, "Same::get"));
        let number = lowered.program.functions.iter().position(|it| it.name == "Same::get").expect("it is a function");
        let (nodes, mut found) = (&lowered.source_map.nodes[number], Vec::new());
        collect(&lowered.program.functions[number].body, &mut found);
        let of_calls: Vec<&str> = found
            .iter()
            .filter(|it| matches!(it.kind, ExprKind::Perform(..)))
            .map(|it| nodes[it.node.0 as usize])
            .map(|it| &text[it.start as usize..it.end as usize])
            .collect();
        assert_eq!(of_calls, ["lo.get()", "lo.get()"]);
        let distinct: BTreeSet<NodeId> = found.iter().map(|it| it.node).collect();
        assert_eq!(distinct.len(), found.len(), "a node occurs twice");
    }

    fn collect<'e>(expr: &'e Expr, found: &mut Vec<&'e Expr>) {
        found.push(expr);
        expr.for_each_child(&mut |it| collect(it, found));
    }

    #[test]
    fn what_nothing_of_a_layer_leads_to_may_be_any_rust() {
        check(
            "
    struct Other { list: Vec<u8> }
    fn other<T: Clone>(it: &mut T) -> Result<Other, T> { unsafe { it.list }? }
    impl Other { const ALL: [u8; 2] = [1, 2]; fn list(&mut self) -> impl Iterator { self.list.iter() } }
    struct Led { list: Vec<u8> }
//                     ^^^^^^^ CS0102 the type `Vec` is not supported
    fn led() -> u64 { let led: Option<Led> = None; 0 }
    #[layer] impl Leads for State { #[op] fn go(&mut self, me: Pid) -> u64 { led() } }
",
        );
    }

    #[test]
    fn a_layer_without_a_name() {
        check(
            "
    #[layer] impl State { #[op] fn go(&mut self, me: Pid) {} }
//           ^ CS0207 a layer needs a name
",
        );
    }
}
