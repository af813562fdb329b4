//! The filter arguments of `check`: which obligations they select.

use cspec_analysis::verdict::ObligationName;
use cspec_project::unknown;

use crate::cli::Partition;

/// The obligations that a run selects.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Words, one of which an obligation must match; if there are none, all obligations match.
    pub words: Vec<String>,
    /// The part of the obligations to check.
    pub partition: Option<Partition>,
}

impl Filter {
    /// Whether it selects everything.
    pub fn is_all(&self) -> bool {
        self.words.is_empty() && self.partition.is_none()
    }

    /// Whether it selects this obligation.
    pub fn matches(&self, name: &ObligationName) -> bool {
        let by_word = self.words.is_empty() || self.words.iter().any(|word| means(word, name));
        by_word && self.partition.is_none_or(|part| part.contains(name))
    }

    /// Refuses words that match none of these obligations. The error is a finished message.
    pub fn check(&self, all: &[ObligationName]) -> Result<(), String> {
        for word in &self.words {
            if !all.iter().any(|name| means(word, name)) {
                let mut known: Vec<String> = all.iter().flat_map(words).collect();
                known.sort();
                known.dedup();
                let simple: Vec<&String> = known.iter().filter(|it| !it.contains("::")).collect();
                let known: Vec<&String> = if word.contains("::") { known.iter().collect() } else { simple };
                return Err(unknown("layer, operation, implementation or stack", word, &known));
            }
        }
        Ok(())
    }
}

/// Whether a word matches this obligation.
fn means(word: &str, name: &ObligationName) -> bool {
    words(name).iter().any(|it| it == word)
}

/// All words that match an obligation: its implementation, layer, operations, and these joined by `::`. A name shared with another module
/// is shown with its module, and matches with or without it: without it, both match.
fn words(name: &ObligationName) -> Vec<String> {
    let ObligationName { implementation, layer, operation, against, .. } = name;
    let owners = [implementation, layer].into_iter().filter(|it| !it.is_empty());
    let owners = owners.flat_map(|it| endings(it));
    // A question is asked of a client: `client, 2 processes`.
    let asked = against.split_once(", ").map(|it| it.0.to_owned());
    let operations = || [operation, against].into_iter().filter(|it| !it.is_empty() && !it.contains(' '));
    let joined = owners.clone().flat_map(|owner| operations().map(move |it| format!("{owner}::{it}")));
    owners.map(str::to_owned).chain(operations().cloned()).chain(joined).chain(asked).collect()
}

/// A path, and its suffixes: `a::b`, `b`.
fn endings(path: &str) -> impl Iterator<Item = &str> + Clone {
    let starts = path.match_indices("::").map(|(at, separator)| at + separator.len());
    [0].into_iter().chain(starts).map(|it| &path[it..])
}

#[cfg(test)]
mod tests {
    use cspec_analysis::verdict::Pattern;

    use super::*;

    fn name(implementation: &str, layer: &str, operation: &str, against: &str) -> ObligationName {
        ObligationName {
            implementation: implementation.to_owned(),
            pattern: Pattern::Movers,
            kind: "right-mover",
            layer: layer.to_owned(),
            operation: operation.to_owned(),
            against: against.to_owned(),
        }
    }

    fn filter(words: &[&str]) -> Filter {
        Filter { words: words.iter().map(|it| (*it).to_owned()).collect(), partition: None }
    }

    #[test]
    fn a_word_is_a_layer_an_operation_or_both() {
        let link = name("", "Deliver", "link_mail", "list");
        for word in ["Deliver", "link_mail", "Deliver::link_mail", "Deliver::list", "list"] {
            assert!(filter(&[word]).matches(&link), "{word}");
        }
        for word in ["deliver", "Deliver::", "link", "Mailbox::link_mail", ""] {
            assert!(!filter(&[word]).matches(&link), "{word}");
        }
        assert!(filter(&[]).matches(&link) && filter(&["other", "list"]).matches(&link));
    }

    #[test]
    fn a_name_that_two_modules_share_is_called_with_its_module_or_without() {
        let (one, other) = (name("", "left::Lock", "acquire", ""), name("", "right::Lock", "acquire", ""));
        for word in ["Lock", "Lock::acquire", "acquire"] {
            assert!(filter(&[word]).matches(&one) && filter(&[word]).matches(&other), "{word}");
        }
        for word in ["left::Lock", "left::Lock::acquire"] {
            assert!(filter(&[word]).matches(&one) && !filter(&[word]).matches(&other), "{word}");
        }
        assert!(!filter(&["left"]).matches(&one) && !filter(&["t::Lock"]).matches(&one));
        assert_eq!(filter(&["Lock"]).check(&[one, other]), Ok(()));
    }

    #[test]
    fn a_word_that_means_nothing_is_refused() {
        let all = [name("Count", "Lock", "read", "")];
        assert_eq!(filter(&["Count::read"]).check(&all), Ok(()));
        let error = filter(&["Lock::raed"]).check(&all).expect_err("it means nothing");
        assert!(error.ends_with("help: did you mean `Lock::read`?"), "{error}");
    }
}
