//! Strings that code builds from numbers and processes, and parses again; and collections that are passed on without being inspected.

mod findings;

use cspec_analysis::{report::Options, verdict::Verdict};
use findings::{holds, run};

/// A table by process and number, implemented over one by name.
fn named(encode: &str) -> String {
    format!(
        "
        #[state]
        pub struct Ids {{ pub flags: Map<(Pid, u64), bool> }}
        #[state]
        pub struct Names {{ pub flags: Map<String, bool> }}
        pub fn encode(pid: Pid, number: u64) -> String {{ {encode} }}

        #[layer]
        impl ById for Ids {{
            #[op]
            fn clear(&mut self, me: Pid, number: u64) {{ self.flags.remove(&(me, number)); }}
            #[op]
            fn get(&mut self, me: Pid, pid: Pid, number: u64) -> Option<bool> {{ self.flags.get(&(pid, number)).copied() }}
        }}
        #[layer(ops = ById)]
        impl ByName for Names {{
            #[op]
            fn clear(&mut self, me: Pid, number: u64) {{ self.flags.remove(&encode(me, number)); }}
            #[op]
            fn get(&mut self, me: Pid, pid: Pid, number: u64) -> Option<bool> {{ self.flags.get(&encode(pid, number)).copied() }}
        }}
        #[implement(ById, over = ByName, by = abstraction)]
        impl Encoded {{
            #[abstraction]
            fn names(hi: &Ids) -> Names {{
                Names {{ flags: hi.flags.iter().map(|((pid, number), flag)| (encode(*pid, *number), *flag)).collect() }}
            }}
        }}
        "
    )
}

/// The failures: the verdict's code, the kind of the obligation and the operation.
fn failed(source: &str) -> Vec<String> {
    let checked = run(&[("lib.rs".to_owned(), source.to_owned())], &Options::default());
    assert!(checked.lowered.diagnostics.is_empty(), "{}", checked.in_words());
    checked.failed().map(|it| format!("{} {} {}", it.diagnostics[0].code, it.name.kind, it.name.operation)).collect()
}

/// The failures of the two simulations.
fn unmatched(encode: &str) -> Vec<String> {
    failed(&named(encode)).into_iter().filter(|it| it.contains("simulation")).collect()
}

const BOTH: [&str; 2] = ["CS0501 simulation clear", "CS0501 simulation get"];

#[test]
fn names_that_tell_everything_apart() {
    assert_eq!(unmatched("format!(\"{pid}.{number}\")"), [""; 0]);
    assert_eq!(unmatched("format!(\"{}-{}.tmp\", number, pid)"), [""; 0]);
    assert_eq!(unmatched("pid.to_string() + \"/\" + &number.to_string()"), [""; 0]);
}

#[test]
fn names_that_forget_something() {
    assert_eq!(unmatched("format!(\"{number}\")"), BOTH);
    assert_eq!(unmatched("format!(\"{pid}\")"), BOTH);
    assert_eq!(unmatched("format!(\"{pid}.{pid}\")"), BOTH);
}

/// Process 1 with number 11 and process 11 with number 1 have the same name.
#[test]
fn numbers_that_run_together() {
    assert_eq!(unmatched("format!(\"{pid}{number}\")"), BOTH);
    assert_eq!(unmatched("format!(\"{pid}1{number}\")"), BOTH);
}

/// Code whose strings the engine cannot distinguish is undecided, unless it is wrong.
#[test]
fn strings_that_cannot_be_told_apart_are_undecided() {
    let source = "
        #[state]
        pub struct Names { pub names: Set<String> }
        #[layer]
        impl Book for Names {
            #[op(both)]
            fn nothing(&mut self, me: Pid) -> bool { format!(\"{}{}\", me, 1) == \"x\" }
        }
    ";
    let checked = run(&[("lib.rs".to_owned(), source.to_owned())], &Options::default());
    assert!(checked.failed().all(|it| it.verdict == Verdict::Undecided), "{}", checked.in_words());
    assert!(checked.failed().next().is_some());
}

/// The number of a process may be any number.
#[test]
fn a_process_may_have_the_number_that_another_string_is_made_of() {
    let source = "
        #[state]
        pub struct Names { pub names: Set<String> }
        #[layer]
        impl Book for Names {
            #[op(right)]
            fn add(&mut self, me: Pid) { self.names.insert(me.to_string()); }
            #[op]
            fn has(&mut self, me: Pid, number: u64) -> bool { self.names.contains(&number.to_string()) }
        }
    ";
    assert!(failed(source).contains(&"CS0301 right-mover add".to_owned()), "{:?}", failed(source));
    holds(&source.replace("number.to_string()", "format!(\"n{number}\")"));
}

/// A layer that promises `true`, over one whose procedure computes the answer to `question`.
fn promise(question: &str) -> String {
    format!(
        "
        #[state]
        pub struct Nothing {{ pub unit: bool }}
        pub fn encode(pid: Pid, number: u64) -> String {{ format!(\"{{pid}}.{{number}}\") }}
        pub fn decode(name: &str) -> Option<(Pid, u64)> {{
            let (pid, number) = name.split_once('.')?;
            Some((pid.parse::<Pid>().ok()?, number.parse::<u64>().ok()?))
        }}
        #[layer]
        impl Low for Nothing {{
            #[op]
            fn name(&mut self, me: Pid) -> String {{ any() }}
        }}
        #[layer]
        impl High for Nothing {{
            #[op]
            fn promise(&mut self, me: Pid, pid: Pid, number: u64) -> bool {{ true }}
        }}
        #[implement(High, over = Low, by = movers)]
        impl Keep {{
            fn promise(lo: &mut impl Low, pid: Pid, number: u64) -> bool {{ let name = lo.name(); {question} }}
        }}
        "
    )
}

#[test]
fn what_was_encoded_is_decoded() {
    holds(&promise("decode(&encode(pid, number)) == Some((pid, number))"));
}

/// `007.1` is not an encoded name, but it parses.
#[test]
fn others_may_have_written_what_parses() {
    let found =
        failed(&promise("match decode(&name) { Some((pid, number)) => encode(pid, number) == name, None => true }"));
    assert_eq!(found, ["CS0307 atomic-spec promise"]);
    // Code that encodes the result again detects that.
    holds(&promise(
        "match decode(&name) { Some((pid, number)) if encode(pid, number) == name => decode(&name) == Some((pid, number)), _ => true }",
    ));
}

/// Whether a name parses depends on the name only, so the answer is always the same.
#[test]
fn the_same_string_has_the_same_parts() {
    holds(&promise("decode(&name) == decode(&name)"));
    let found = failed(&promise("decode(&name) == decode(&lo.name())"));
    assert!(found.contains(&"CS0307 atomic-spec promise".to_owned()), "{found:?}");
}

/// Empty pieces, signs and leading zeros are parsed as Rust parses them.
#[test]
fn literals_are_parsed_as_they_are() {
    for (text, value) in
        [("12", "Some(12)"), ("+12", "Some(12)"), ("012", "Some(12)"), ("-12", "None"), ("", "None"), ("1 2", "None")]
    {
        holds(&promise(&format!("\"{text}\".parse::<u64>().ok() == {value}")));
    }
    holds(&promise("\"a.b.c\".split_once('.') == Some((\"a\", \"b.c\")) && \"abc\".split_once('.') == None"));
}

/// `return`, `break` and `continue` may occur in the middle of an expression: the operands evaluated before are dropped.
#[test]
fn leaving_in_the_middle_of_an_expression() {
    holds(&promise("odd() == 2 && early(true) == (1, 2) && early(false) == (3, 4)").replace(
        "#[implement",
        "
        fn early(now: bool) -> (u64, u64) { (3, if now { return (1, 2) } else { 4 }) }
        fn odd() -> u64 {
            let mut sum = 0u64;
            for it in Seq::from([1u64, 2, 1]) { sum = sum + (if it == 2 { continue } else { it }); }
            loop { sum = sum + (if sum == 2 { break } else { 0 }); }
            sum
        }
        #[implement",
    ));
}

/// Listing reads the whole collection, but no code inspects the result. So it commutes whatever the collection contains.
#[test]
fn a_listing_that_is_passed_on_is_not_looked_into() {
    let source = "
        #[state]
        pub struct Box { pub mail: Map<u64, bool>, pub seen: Map<u64, bool> }
        #[layer]
        impl Files for Box {
            #[op(both)]
            fn list(&mut self, me: Pid) -> Set<u64> { self.mail.keys() }
            #[op]
            fn copy(&mut self, me: Pid) -> Map<u64, bool> { self.mail.clone() }
            #[op]
            fn see(&mut self, me: Pid, id: u64) { self.seen.insert(id, true); }
        }
    ";
    let checked = holds(source);
    assert!(checked.outcomes.iter().all(|it| it.verdict == Verdict::Proved), "{}", checked.in_words());
}

/// The listing sees a key that changes, but not an entry whose value changes.
#[test]
fn a_listing_sees_keys_and_nothing_else() {
    let source = "
        #[state]
        pub struct Box { pub mail: Map<u64, bool> }
        #[layer]
        impl Files for Box {
            #[op(both)]
            fn list(&mut self, me: Pid) -> Set<u64> { self.mail.keys() }
            #[op]
            fn flip(&mut self, me: Pid, id: u64) { if self.mail.contains(&id) { self.mail.insert(id, any()); } }
        }
    ";
    holds(source);
    let found = failed(
        &source.replace("if self.mail.contains(&id) { self.mail.insert(id, any()); }", "self.mail.insert(id, any());"),
    );
    assert_eq!(found, ["CS0301 right-mover list", "CS0302 left-mover list"]);
}
