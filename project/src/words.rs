//! What people write, and what to say when it is not understood.

use std::time::Duration;

/// A length of time: `30s`, `5m`, `1m 30s`, `500ms`.
pub fn duration(text: &str) -> Result<Duration, String> {
    let duration = humantime::parse_duration(text).map_err(|_| "expected a time, such as 30s or 5m".to_owned())?;
    if duration.is_zero() { Err("expected a time longer than nothing".to_owned()) } else { Ok(duration) }
}

/// What to say of a word that does not exist.
pub fn unknown(kind: &str, word: &str, known: &[impl AsRef<str>]) -> String {
    let near = |it: &&str| strsim::jaro_winkler(word, it) > 0.8 || word.eq_ignore_ascii_case(it);
    let best = known
        .iter()
        .map(AsRef::as_ref)
        .filter(near)
        .max_by(|one, other| strsim::jaro_winkler(word, one).total_cmp(&strsim::jaro_winkler(word, other)));
    let hint = match best {
        Some(best) => format!("did you mean `{best}`?"),
        None => format!("there are {}", known.iter().map(AsRef::as_ref).collect::<Vec<_>>().join(", ")),
    };
    format!("there is no {kind} `{word}`\nhelp: {hint}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_units() {
        assert_eq!(duration("30s"), Ok(Duration::from_secs(30)));
        assert_eq!(duration("1m 30s"), Ok(Duration::from_secs(90)));
        for wrong in ["30", "", "0s", "soon"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }
}
