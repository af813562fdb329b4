//! Partition: each clause of what its two ends owe, with a small stack that fails for exactly that clause beside one that does not.

mod findings;

use cspec_analysis::{report::Options, verdict::Verdict};
use findings::{holds, run};

/// Counters for all users over a table, and a lock that each user has. The places where things can go wrong are named.
fn counters(bottom: &str, top: &str) -> String {
    format!(
        "
        #[scalar]
        pub struct User(String);
        #[state]
        pub struct One {{ pub count: u64, pub locked: bool }}
        #[state]
        pub struct Table {{ pub counts: Map<User, u64>, pub locks: Map<User, bool> }}
        #[state]
        pub struct All {{ pub ones: Map<User, One> }}

        #[layer]
        impl Counter for One {{
            #[init]
            fn init(&self) -> bool {{ self.count == 0 && !self.locked }}
            #[op]
            fn set(&mut self, me: Pid, count: u64) {{ self.count = count; }}
            #[op]
            fn get(&mut self, me: Pid) -> u64 {{ self.count }}
            #[op]
            fn lock(&mut self, me: Pid) {{ when(!self.locked); self.locked = true; }}
        }}
        {bottom}
        {top}
        #[stack]
        pub type Whole<T> = ByUser<Split<T>>;
        "
    )
}

const TOP: &str = "
        #[layer(inherit(Counter in ones[user: User]: init, set, get, lock))]
        impl Counters for All {
            #[op]
            fn knows(&mut self, me: Pid, user: User) -> bool { maybe() && self.ones.contains(&user) }
        }
        #[implement(Counters, over = Counter, by = partition(user), check = knows, pass(set, get, lock))]
        impl ByUser {}
";

const BOTTOM: &str = "
        #[layer]
        impl Store for Table {
            #[init]
            fn init(&self) -> bool { self.counts.values().all(|it| *it == 0) && self.locks.values().all(|it| !*it) }
            #[op]
            fn put(&mut self, me: Pid, user: User, count: u64) {
                when(self.locks.contains(&user));
                self.counts.insert(user, count);
            }
            #[op]
            fn look(&mut self, me: Pid, user: User) -> u64 { self.counts.get(&user).copied().unwrap_or(0) }
            #[op]
            fn take(&mut self, me: Pid, user: User) {
                when(self.locks.get(&user) == Some(&false));
                self.locks.insert(user, true);
            }
            #[op]
            fn is_there(&mut self, me: Pid, user: User) -> bool { self.locks.contains(&user) }
        }
        #[implement(Counter, over = Store, by = partition(user), check = is_there)]
        impl Split {
            #[abstraction]
            fn slice(lo: &Table, user: &User) -> Option<One> {
                let locked = *lo.locks.get(user)?;
                Some(One { count: lo.counts.get(user).copied().unwrap_or(0), locked })
            }
            fn set(lo: &mut impl Store, user: User, count: u64) { lo.put(user, count); }
            fn get(lo: &mut impl Store, user: User) -> u64 { lo.look(user) }
            fn lock(lo: &mut impl Store, user: User) { lo.take(user); }
        }
";

/// What is violated: the code, the kind of the obligation and the operation.
fn violated(source: &str) -> Vec<String> {
    let checked = run(&[("lib.rs".to_owned(), source.to_owned())], &Options::default());
    assert!(checked.lowered.diagnostics.is_empty(), "{}", checked.in_words());
    let failed = checked.failed().map(|it| {
        assert!(matches!(it.verdict, Verdict::Violated), "{}", checked.in_words());
        format!("{} {} {}", it.diagnostics[0].code, it.name.kind, it.name.operation)
    });
    failed.collect()
}

/// What is violated when one place of the bottom is changed.
fn with_bottom(right: &str, wrong: &str) -> Vec<String> {
    assert_eq!(BOTTOM.matches(right).count(), 1, "{right}");
    violated(&counters(&BOTTOM.replace(right, wrong), TOP))
}

/// What is violated when one place of the top is changed.
fn with_top(right: &str, wrong: &str) -> Vec<String> {
    assert_eq!(TOP.matches(right).count(), 1, "{right}");
    violated(&counters(BOTTOM, &TOP.replace(right, wrong)))
}

#[test]
fn a_partition_that_is_right() {
    holds(&counters(BOTTOM, TOP));
}

#[test]
fn a_step_at_a_key_is_one_of_its_layer() {
    assert_eq!(with_bottom("{ lo.look(user) }", "{ lo.look(user).max(1) }"), ["CS1101 own-key get"]);
}

#[test]
fn a_step_at_a_key_leaves_other_keys_alone() {
    assert_eq!(
        with_bottom("self.counts.insert(user, count);", "self.counts = Map::new(); self.counts.insert(user, count);"),
        ["CS1102 other-keys set"]
    );
}

/// A lock for all users: the step of one is not only seen by the others, it also is not what its layer says.
#[test]
fn a_step_at_a_key_needs_nothing_of_other_keys() {
    assert_eq!(
        with_bottom(
            "self.locks.insert(user, true);",
            "let all = self.locks.keys(); for it in all { self.locks.insert(it, true); }"
        ),
        ["CS1102 other-keys lock"]
    );
}

#[test]
fn keys_that_are_not_valid_stay_so() {
    assert_eq!(
        with_bottom(
            "self.counts.insert(user, count);",
            "self.counts.insert(user, count); self.locks.insert(any(), false);"
        ),
        ["CS1101 own-key set", "CS1102 other-keys set"]
    );
}

#[test]
fn the_check_says_yes_of_valid_keys_only() {
    assert_eq!(
        with_bottom("-> bool { self.locks.contains(&user) }", "-> bool { self.counts.contains(&user) }"),
        ["CS1103 check is_there"]
    );
}

#[test]
fn the_check_changes_nothing() {
    assert_eq!(
        with_bottom("-> bool { self.locks.contains(&user) }", "-> bool { self.locks.insert(user, false); false }"),
        ["CS1103 check is_there"]
    );
}

#[test]
fn the_check_emits_nothing() {
    assert_eq!(
        with_bottom("-> bool { self.locks.contains(&user) }", "-> bool { emit(true); false }"),
        ["CS1103 check is_there"]
    );
}

#[test]
fn the_check_above_may_say_no() {
    assert_eq!(with_top("maybe() && self.ones.contains(&user)", "self.ones.contains(&user)"), ["CS1103 check knows"]);
}

#[test]
fn the_check_above_may_say_yes() {
    assert_eq!(with_top("maybe() && self.ones.contains(&user)", "false"), ["CS1103 check knows"]);
}

/// Another key may say no, this one must be able to.
#[test]
fn the_check_above_changes_nothing() {
    assert_eq!(
        with_top("maybe() && self.ones.contains(&user)", "self.ones = Map::new(); maybe()"),
        ["CS1103 check knows"]
    );
}

#[test]
fn slices_of_initial_states_are_initial() {
    assert_eq!(with_bottom("self.counts.values().all(|it| *it == 0) && ", ""), ["CS0502 initial "]);
}

#[test]
fn entries_that_are_initial_make_an_initial_whole() {
    let top = TOP.replace("[user: User]: init, set", "[user: User]: set").replace(
        "impl Counters for All {",
        "impl Counters for All {
            #[init]
            fn init(&self) -> bool { self.ones.is_empty() }",
    );
    assert_eq!(violated(&counters(BOTTOM, &top)), ["CS0502 initial "]);
}

#[test]
fn an_operation_above_does_what_its_layer_does_at_the_key() {
    let top = TOP.replace("init, set, get, lock", "init, set, get").replace(
        "#[op]",
        "#[op]
            fn lock(&mut self, me: Pid, user: User) {
                when(self.ones.contains(&user) && self.ones[&user].count == 0 && !self.ones[&user].locked);
                self.ones[&user].locked = true;
            }
            #[op]",
    );
    assert_eq!(violated(&counters(BOTTOM, &top)), ["CS1101 own-key lock"]);
}

/// Two steps are not one: others come between.
#[test]
fn a_procedure_at_the_bottom_is_one_step() {
    assert_eq!(
        with_bottom("{ lo.put(user, count); }", "{ lo.put(user.clone(), 0); lo.put(user, count); }"),
        ["CS1104 own-key set"]
    );
}

#[test]
fn a_stack_has_both_ends() {
    let source = counters(BOTTOM, TOP);
    assert_eq!(violated(&source.replace("ByUser<Split<T>>", "Split<T>")), ["CS0208 links Whole"]);
    assert_eq!(violated(&source.replace("ByUser<Split<T>>", "ByUser<T>")), ["CS0208 links Whole"]);
}
