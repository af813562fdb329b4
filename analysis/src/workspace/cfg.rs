//! Conditional compilation: the options that are set for a package, and the evaluation of `#[cfg(…)]` predicates.

use std::collections::BTreeSet;

use cargo_platform::{Cfg, CfgExpr, Ident};

/// The options that are set when a package is compiled: `unix`, `feature = "fast"`, `target_os = "linux"`, `test`. Plain data: two values
/// are equal if the same text is compiled under both.
///
/// Nothing is set in [`CfgOptions::default()`].
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CfgOptions {
    set: BTreeSet<Cfg>,
    /// Whether a build script may set further options, which are not known here.
    is_open: bool,
}

/// The features of a package to enable, as cargo's flags give them. By default, those that `default` leads to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FeatureSelection {
    /// The names given by `--features`, possibly as `package/name`.
    pub names: Vec<String>,
    /// Whether `--all-features` is given.
    pub all: bool,
    /// Whether `--no-default-features` is given.
    pub no_default: bool,
}

impl FeatureSelection {
    /// The same selection as flags of cargo.
    pub(super) fn flags(&self) -> Vec<String> {
        let names = self.names.iter().flat_map(|it| ["--features".to_owned(), it.clone()]);
        let all = [("--all-features", self.all), ("--no-default-features", self.no_default)];
        names.chain(all.iter().filter(|(_, given)| *given).map(|(flag, _)| (*flag).to_owned())).collect()
    }
}

/// The reason why a predicate has no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoAnswer {
    /// The reason, as a message.
    pub message: String,
    /// Advice for the user.
    pub help: String,
}

impl CfgOptions {
    /// Parses options, one on each line, as `rustc --print cfg` prints them. A line that is not an option is skipped.
    pub fn of_lines(lines: &str) -> CfgOptions {
        let set = lines.lines().filter_map(|it| it.trim().parse().ok()).collect();
        CfgOptions { set, is_open: false }
    }

    /// These options, and `name`.
    #[must_use]
    pub fn with_name(mut self, name: &str) -> CfgOptions {
        self.set.insert(Cfg::Name(ident(name)));
        self
    }

    /// These options, and `name = "value"`.
    #[must_use]
    pub fn with_value(mut self, name: &str, value: &str) -> CfgOptions {
        self.set.insert(Cfg::KeyPair(ident(name), value.to_owned()));
        self
    }

    /// These options with `test` set, as tests are compiled.
    #[must_use]
    pub fn with_test(self) -> CfgOptions {
        self.with_name("test")
    }

    /// These options, and possibly others that a build script sets: a predicate about those has no answer.
    #[must_use]
    pub fn with_build_script(mut self) -> CfgOptions {
        self.is_open = true;
        self
    }

    /// Whether an option of this name is set.
    pub fn has_name(&self, name: &str) -> bool {
        self.is_set(&Cfg::Name(ident(name)))
    }

    /// Whether an option is set. `r#unix` is the same as `unix`.
    fn is_set(&self, option: &Cfg) -> bool {
        self.set.contains(&match option {
            Cfg::Name(name) => Cfg::Name(ident(name.as_str())),
            Cfg::KeyPair(name, value) => Cfg::KeyPair(ident(name.as_str()), value.clone()),
        })
    }

    /// Evaluates the predicate between the parentheses of `#[cfg(…)]`.
    ///
    /// # Errors
    /// If it is not a predicate, or if it depends on an option that a build script may set.
    pub fn holds(&self, predicate: &str) -> Result<bool, NoAnswer> {
        let unread = |why: String| NoAnswer {
            message: format!("the condition `{}` cannot be read: {why}", predicate.trim()),
            help: "write `all(…)`, `any(…)`, `not(…)`, `name` or `name = \"value\"`".to_owned(),
        };
        if predicate.contains('\\') {
            return Err(unread("it has an escape".to_owned()));
        }
        let written = predicate.trim().trim_end_matches(',');
        let parsed: CfgExpr = written.parse().map_err(|error: cargo_platform::ParseError| unread(error.to_string()))?;
        self.answer(&parsed).map_err(|asked| NoAnswer {
            message: format!("only the package's build script may set `{asked}`"),
            help: "use a feature, `feature = \"…\"`, or an option of the target".to_owned(),
        })
    }

    /// The answer, or the option whose value is unknown.
    fn answer<'e>(&self, predicate: &'e CfgExpr) -> Result<bool, &'e Cfg> {
        match predicate {
            CfgExpr::True => Ok(true),
            CfgExpr::False => Ok(false),
            CfgExpr::Not(inner) => self.answer(inner).map(|it| !it),
            CfgExpr::All(inner) => self.first(inner, false),
            CfgExpr::Any(inner) => self.first(inner, true),
            CfgExpr::Value(asked) if self.is_set(asked) => Ok(true),
            CfgExpr::Value(asked) if self.is_open && !is_rustcs(asked) => Err(asked),
            CfgExpr::Value(_) => Ok(false),
        }
    }

    /// `decisive` if any of the predicates has this answer; predicates without an answer do not matter then.
    fn first<'e>(&self, predicates: &'e [CfgExpr], decisive: bool) -> Result<bool, &'e Cfg> {
        let answers = || predicates.iter().map(|it| self.answer(it));
        if answers().any(|it| it == Ok(decisive)) {
            return Ok(decisive);
        }
        answers().find(Result::is_err).unwrap_or(Ok(!decisive))
    }
}

/// Whether only rustc or cargo sets this option, never a build script.
fn is_rustcs(option: &Cfg) -> bool {
    const NAMES: &[&str] = &[
        "unix",
        "windows",
        "test",
        "doc",
        "doctest",
        "debug_assertions",
        "overflow_checks",
        "proc_macro",
        "miri",
        "clippy",
        "rustfmt",
        "panic",
        "feature",
        "ub_checks",
        "fmt_debug",
        "relocation_model",
        "sanitize",
        "sanitizer_cfi_generalize_pointers",
        "sanitizer_cfi_normalize_integers",
    ];
    let (Cfg::Name(name) | Cfg::KeyPair(name, _)) = option;
    NAMES.contains(&name.as_str()) || name.as_str().starts_with("target_")
}

fn ident(name: &str) -> Ident {
    Ident { name: name.to_owned(), raw: false }
}

/// The features of a selected package that cargo's flags enable. Dependents may enable more.
pub(super) fn features(package: &cargo_metadata::Package, selection: &FeatureSelection) -> BTreeSet<String> {
    let table = &package.features;
    if selection.all {
        return table.keys().cloned().collect();
    }
    let own = |name: &str| match name.split_once('/') {
        Some((of, feature)) => (of == package.name.as_str()).then(|| feature.to_owned()),
        None => Some(name.to_owned()),
    };
    let words = selection.names.iter().flat_map(|it| it.split([',', ' ']));
    let mut asked: Vec<String> = words.filter(|it| !it.is_empty()).filter_map(own).collect();
    if !selection.no_default {
        asked.push("default".to_owned());
    }
    closed(package, asked)
}

/// These features of a package, and the features that they enable in it.
pub(super) fn closed(package: &cargo_metadata::Package, asked: Vec<String>) -> BTreeSet<String> {
    let table = &package.features;
    let mut open = asked;
    let mut on = BTreeSet::new();
    while let Some(name) = open.pop() {
        let Some(more) = table.get(&name) else { continue };
        if on.insert(name) {
            open.extend(more.iter().filter_map(|it| switched_on(it)));
        }
    }
    on
}

/// The feature of the package itself that an entry of the table enables. `name/feature` enables the optional dependency `name`, too.
fn switched_on(entry: &str) -> Option<String> {
    if entry.starts_with("dep:") {
        return None;
    }
    match entry.split_once('/') {
        Some((dependency, _)) if dependency.ends_with('?') => None,
        Some((dependency, _)) => Some(dependency.to_owned()),
        None => Some(entry.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options() -> CfgOptions {
        CfgOptions::of_lines("unix\ntarget_os=\"linux\"\ndebug_assertions\n").with_value("feature", "fast")
    }

    #[test]
    fn predicates_are_those_of_rustc() {
        for holds in [
            "unix",
            "target_os = \"linux\"",
            "all()",
            "true",
            "not(false)",
            "not(any())",
            "all(unix, feature = \"fast\",)",
            "any(windows, not(test))",
            "feature=\"fast\"",
            "r#unix",
        ] {
            assert_eq!(options().holds(holds), Ok(true), "{holds}");
            assert_eq!(options().holds(&format!("not({holds})")), Ok(false), "{holds}");
        }
        assert!(options().holds("unix && windows").is_err());
        assert!(options().holds("not(unix, windows)").is_err());
        assert!(options().holds("").is_err());
        assert!(options().holds("feature = \"f\\u{61}st\"").is_err());
    }

    /// A random predicate, and whether it holds.
    fn predicate(random: &mut fastrand::Rng, depth: u32) -> (String, bool) {
        const VALUES: [(&str, bool); 6] = [
            ("unix", true),
            ("windows", false),
            ("target_os = \"linux\"", true),
            ("feature = \"fast\"", true),
            ("feature = \"slow\"", false),
            ("true", true),
        ];
        let kind = if depth == 0 { 0 } else { random.u32(..4) };
        if kind == 0 {
            let (text, holds) = VALUES[random.usize(..VALUES.len())];
            return (text.to_owned(), holds);
        }
        if kind == 1 {
            let (text, holds) = predicate(random, depth - 1);
            return (format!("not({text})"), !holds);
        }
        let parts: Vec<(String, bool)> = (0..random.u32(..4)).map(|_| predicate(random, depth - 1)).collect();
        let texts = parts.iter().map(|(text, _)| text.as_str()).collect::<Vec<_>>().join(", ");
        let mut answers = parts.iter().map(|(_, holds)| *holds);
        if kind == 2 {
            (format!("all({texts})"), answers.all(|it| it))
        } else {
            (format!("any({texts})"), answers.any(|it| it))
        }
    }

    #[test]
    fn random_predicates_are_evaluated_directly() {
        let mut random = fastrand::Rng::with_seed(7);
        for _ in 0..2000 {
            let (text, holds) = predicate(&mut random, 4);
            assert_eq!(options().holds(&text), Ok(holds), "{text}");
            // If every option is known, a possible build script does not change the answer.
            assert_eq!(options().with_build_script().holds(&text), Ok(holds), "{text}");
        }
    }

    #[test]
    fn an_entry_of_the_table_of_features_leads_to_another() {
        assert_eq!(switched_on("dep:x"), None);
        assert_eq!(switched_on("x?/y"), None);
        assert_eq!(switched_on("x/y").as_deref(), Some("x"));
        assert_eq!(switched_on("y").as_deref(), Some("y"));
    }

    #[test]
    fn what_a_build_script_may_set_has_no_answer() {
        let open = options().with_build_script();
        assert!(open.holds("loom").is_err());
        assert!(open.holds("not(loom)").is_err());
        assert_eq!(open.holds("all(loom, windows)"), Ok(false));
        assert_eq!(open.holds("any(loom, unix)"), Ok(true));
        assert_eq!(open.holds("any(feature = \"slow\", target_os = \"none\")"), Ok(false));
        assert_eq!(options().holds("loom"), Ok(false));
    }
}
