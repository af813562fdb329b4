//! `cargo cspec explain`: the page of a diagnostic, or the list of all of them.

use std::io::{self, Write};

use cspec_analysis::diagnostics::codes::{self, Code};

use crate::{
    cli::ExplainArguments,
    exit::Status,
    output::{complain, delivered},
};

/// Runs `cargo cspec explain`.
pub fn run(arguments: &ExplainArguments) -> Status {
    let mut stdout = io::stdout().lock();
    match &arguments.code {
        None => delivered(Status::Success, all(&mut stdout)),
        Some(code) => match codes::explain(code) {
            Some(found) => delivered(Status::Success, stdout.write_all(found.page.as_bytes())),
            None => {
                complain(&unknown(code));
                Status::Usage
            }
        },
    }
}

/// Every code with its title.
fn all(out: &mut dyn Write) -> io::Result<()> {
    for Code { code, title, .. } in codes::ALL {
        writeln!(out, "{code}  {title}")?;
    }
    writeln!(out, "\n`cargo cspec explain CODE` prints the page of one.")
}

/// The message for an unknown code.
fn unknown(code: &str) -> String {
    let mut text = format!("there is no diagnostic `{code}`");
    for Code { code, title, .. } in suggestions(code) {
        text.push_str(&format!("\n  {code}  {title}"));
    }
    text.push_str("\n`cargo cspec explain` lists all of them");
    text
}

/// The codes most similar to `code`, or with it in their title; at most five.
fn suggestions(code: &str) -> Vec<&'static Code> {
    let word = code.to_lowercase();
    let by_title = codes::ALL.iter().filter(|known| word.len() >= 3 && known.title.contains(&word));
    let near = codes::ALL.iter().filter(|known| differ_in_one(&digits(code), &digits(known.code)));
    by_title.chain(near).take(5).collect()
}

/// The digits of a code, as four; empty if it has none.
fn digits(code: &str) -> String {
    let digits: String = code.chars().filter(char::is_ascii_digit).collect();
    if digits.is_empty() { digits } else { format!("{digits:0>4}") }
}

/// Whether two codes differ in one place.
fn differ_in_one(left: &str, right: &str) -> bool {
    left.len() == right.len() && left.chars().zip(right.chars()).filter(|(left, right)| left != right).count() == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_digit_leads_to_its_neighbours() {
        let found: Vec<&str> = suggestions("CS0391").iter().map(|code| code.code).collect();
        assert_eq!(found, ["CS0301", "CS0311"]);
    }

    #[test]
    fn a_word_leads_to_the_titles_that_contain_it() {
        let found: Vec<&str> = suggestions("retry").iter().map(|code| code.code).collect();
        assert_eq!(found, ["CS0601", "CS0602", "CS0603"]);
    }
}
