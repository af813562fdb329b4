//! Lowering ends without a panic for any text, and one broken place does not hide findings about the rest.

use cspec_analysis::{db::lower_sources, ir::lower::Lowered};

const HEADER: &str = "
#[state]
pub struct S { pub a: u64, pub b: Map<u64, u64>, pub c: Option<Pid> }
";

fn lower(text: &str) -> Lowered {
    lower_sources(&[("src/lib.rs", text)])
}

fn in_an_operation(body: &str) -> Lowered {
    lower(&format!("{HEADER} #[layer] impl L for S {{ #[op] fn f(&mut self, me: Pid) -> u64 {{ {body} }} }}"))
}

fn codes(lowered: &Lowered) -> Vec<&'static str> {
    lowered.diagnostics.iter().map(|it| it.code).collect()
}

#[test]
fn deep_nesting_is_refused_before_it_is_parsed() {
    let deep = |open: &str, close: &str| format!("{}1{}", open.repeat(100_000), close.repeat(100_000));
    let texts = [
        deep("(", ")"),
        deep("{", "}"),
        deep("[", "]"),
        deep("f(", ")"),
        deep("!", ""),
        deep("-", ""),
        deep("&", ""),
        deep("*", ""),
        deep("if true { 1 } else ", ""),
        deep("1 + ", ""),
        deep("x.y", ""),
        deep("1 == 1 && ", ""),
        deep("|x| ", ""),
        deep("return ", ""),
        deep("a.b().", "c()"),
        deep("match 1 { _ => ", "}"),
        deep("Some(", ")"),
        deep("let x: Seq<", ">"),
    ];
    for text in texts {
        let lowered = in_an_operation(&text);
        assert!(codes(&lowered).contains(&"CS0101"), "{}: {:?}", &text[..20], codes(&lowered));
    }
}

#[test]
fn nesting_below_the_limits_does_not_exhaust_the_stack() {
    for (open, close) in [("(", ")"), ("{", "}"), ("Some(", ")"), ("!", ""), ("1 + ", ""), ("if true { 1 } else ", "")]
    {
        for levels in [40, 140, 400] {
            in_an_operation(&format!("{}1{}", open.repeat(levels), close.repeat(levels)));
        }
    }
    let nested = (0..60).fold("1".to_owned(), |inner, _| {
        format!("if self.a == {inner} {{ self.b[&{inner}] }} else {{ 2 }}").chars().take(4000).collect()
    });
    in_an_operation(&nested);
}

#[test]
fn an_unclosed_brace_is_one_error_and_costs_one_function() {
    let lowered = lower(&format!(
        "{HEADER}
#[layer]
impl L for S {{
    #[op]
    fn first(&mut self, me: Pid) {{
        if self.a == 0 {{
    }}

    #[op]
    fn second(&mut self, me: Pid) -> u64 {{ self.a }}
}}

#[implement(L, over = L, by = movers, pass(first, second))]
impl Same {{}}
"
    ));
    assert_eq!(codes(&lowered), ["CS0101"]);
    let operations: Vec<&str> = lowered.program.layers[0].operations.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(operations, ["first", "second"]);
    assert_eq!(lowered.program.implementations.len(), 1);
}

#[test]
fn a_brace_too_many_is_one_error_and_costs_nothing_else() {
    let lowered = lower(&format!(
        "{HEADER}
#[layer]
impl L for S {{
    #[op]
    fn first(&mut self, me: Pid) {{ }} }}

    #[op]
    fn second(&mut self, me: Pid) -> u64 {{ self.a }}
}}
"
    ));
    assert_eq!(codes(&lowered), ["CS0101"]);
    assert_eq!(lowered.program.layers[0].operations.len(), 2);
}

#[test]
fn a_broken_function_leaves_the_others_alone() {
    for broken in ["self.a = ;", "let y = self.", "f(1, 2;", "let z: Vec<u", "\"abc", "match x { A =>"] {
        let lowered = lower(&format!(
            "{HEADER} #[layer] impl L for S {{\n#[op] fn g(&mut self, me: Pid) {{ self.a = 1; }}\n#[op] fn f(&mut self, me: Pid) {{ {broken} }}\n}}"
        ));
        assert!(codes(&lowered).iter().all(|it| *it == "CS0101"), "{broken}: {:?}", lowered.diagnostics);
        assert!(lowered.program.layers[0].operations.iter().any(|it| it.name == "g"), "{broken}");
    }
}

#[test]
fn ordinary_code_is_not_looked_at() {
    let lowered = lower(
        "use std::collections::HashMap;
        struct Cache<'a, T> { inner: HashMap<&'a str, Box<dyn Fn(T) -> f64>> }
        impl<'a, T: Clone> Cache<'a, T> { async fn get(&mut self) -> Result<(), String> { todo!()?; unsafe { x() } } }
        fn main() { println!(\"{}\", vec![1.5].iter().zip(0..).count()); }
        #[cfg(test)] mod tests { #[layer] impl L for Unknown {} }",
    );
    assert_eq!(lowered, Lowered::default());
}
