//! Parses words that users write, and suggests corrections for unknown ones.

use std::time::Duration;

/// Parses a duration: `30s`, `5m`, `1m 30s`, `500ms`.
pub fn duration(text: &str) -> Result<Duration, String> {
    let duration = humantime::parse_duration(text).map_err(|_| "expected a time, such as 30s or 5m".to_owned())?;
    if duration.is_zero() { Err("expected a time greater than zero".to_owned()) } else { Ok(duration) }
}

/// The message for an unknown word, with a suggestion.
pub fn unknown(kind: &str, word: &str, known: &[impl AsRef<str>]) -> String {
    let near = |it: &&str| strsim::jaro_winkler(word, it) > 0.8 || word.eq_ignore_ascii_case(it);
    let best = known
        .iter()
        .map(AsRef::as_ref)
        .filter(near)
        .max_by(|one, other| strsim::jaro_winkler(word, one).total_cmp(&strsim::jaro_winkler(word, other)));
    let hint = match (best, known) {
        (Some(best), _) => format!("did you mean `{best}`?"),
        (None, []) => return format!("there is no {kind} `{word}`, and no other"),
        (None, known) => format!("there are {}", known.iter().map(AsRef::as_ref).collect::<Vec<_>>().join(", ")),
    };
    format!("there is no {kind} `{word}`\nhelp: {hint}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_word_is_told_with_what_there_is() {
        let told = |known: &[&str]| unknown("layer", "Lock", known);
        assert_eq!(told(&["Log", "Lick"]), "there is no layer `Lock`\nhelp: did you mean `Lick`?");
        assert_eq!(told(&["Mail"]), "there is no layer `Lock`\nhelp: there are Mail");
        assert_eq!(told(&[]), "there is no layer `Lock`, and no other");
    }

    #[test]
    fn times_have_units() {
        assert_eq!(duration("30s"), Ok(Duration::from_secs(30)));
        assert_eq!(duration("1m 30s"), Ok(Duration::from_secs(90)));
        for wrong in ["30", "", "0s", "soon"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }
}
