//! Checks on brackets before parsing: whether they match, and whether the text nests too deeply for a recursive parser.

use ra_ap_parser::LexedStr;
use ra_ap_syntax::SyntaxKind;

use super::{EDITION, SyntaxError};

/// The maximum number of open brackets.
const BRACKETS: usize = 150;
/// The maximum number of tokens without the end of a statement, item or list element: each may be a level of the tree.
const TOKENS: usize = 1500;

/// The offset of the token at which `text` is too deep to be parsed.
pub(super) fn too_deep(text: &str) -> Option<u32> {
    let lexed = LexedStr::new(EDITION, text);
    // For each open bracket, the number of tokens since the last separator in it.
    let mut open: Vec<usize> = vec![0];
    let mut pending = 0;
    for token in 0..lexed.len() {
        let kind = lexed.kind(token);
        if kind.is_trivia() {
            continue;
        }
        match kind {
            SyntaxKind::L_PAREN | SyntaxKind::L_BRACK | SyntaxKind::L_CURLY => open.push(0),
            SyntaxKind::R_PAREN | SyntaxKind::R_BRACK | SyntaxKind::R_CURLY if open.len() > 1 => {
                pending -= open.pop().unwrap_or_default();
            }
            _ => {}
        }
        if let Some(run) = open.last_mut() {
            if separates(&lexed, token) {
                pending -= *run;
                *run = 0;
            } else {
                *run += 1;
                pending += 1;
            }
        }
        if open.len() > BRACKETS || pending > TOKENS {
            return Some(lexed.text_start(token) as u32);
        }
    }
    None
}

/// Whether an expression ends before this token.
fn separates(lexed: &LexedStr<'_>, token: usize) -> bool {
    match lexed.kind(token) {
        SyntaxKind::SEMICOLON | SyntaxKind::COMMA => true,
        SyntaxKind::R_CURLY => {
            let next = (token + 1..lexed.len()).map(|it| lexed.kind(it)).find(|kind| !kind.is_trivia());
            next.is_none_or(|kind| {
                matches!(kind, SyntaxKind::IDENT | SyntaxKind::POUND | SyntaxKind::R_CURLY)
                    || (kind.is_keyword(EDITION) && !matches!(kind, SyntaxKind::ELSE_KW | SyntaxKind::AS_KW))
            })
        }
        _ => false,
    }
}

/// The bracket without a counterpart, as far as that can be determined.
pub(super) fn unbalanced(text: &str) -> Option<SyntaxError> {
    let lexed = LexedStr::new(EDITION, text);
    let mut open: Vec<(usize, SyntaxKind)> = Vec::new();
    // The first brace whose partner is indented differently: it may have been closed by the brace of another.
    let mut suspect = None;
    for token in 0..lexed.len() {
        let closes = match lexed.kind(token) {
            kind @ (SyntaxKind::L_PAREN | SyntaxKind::L_BRACK | SyntaxKind::L_CURLY) => {
                open.push((token, kind));
                continue;
            }
            SyntaxKind::R_PAREN => SyntaxKind::L_PAREN,
            SyntaxKind::R_BRACK => SyntaxKind::L_BRACK,
            SyntaxKind::R_CURLY => SyntaxKind::L_CURLY,
            _ => continue,
        };
        match open.pop() {
            Some((opening, kind)) if kind == closes => {
                if suspect.is_none() && indented_less(text, &lexed, token, opening) {
                    suspect = Some(opening);
                }
            }
            Some((opening, _)) => return Some(mismatch(&lexed, token, Some(opening))),
            None => return Some(mismatch(&lexed, token, None)),
        }
    }
    let &(last, _) = open.last()?;
    let token = suspect.unwrap_or(last);
    let message = format!("`{}` is never closed", lexed.text(token));
    Some(SyntaxError { message, range: range_of(&lexed, token), related: None, help: None })
}

/// Whether `closing` starts a line that is indented less than the line of `opening`.
fn indented_less(text: &str, lexed: &LexedStr<'_>, closing: usize, opening: usize) -> bool {
    let line = |token: usize| {
        let before = &text[..lexed.text_start(token)];
        &before[before.rfind('\n').map_or(0, |it| it + 1)..]
    };
    let indent = |line: &str| line.len() - line.trim_start().len();
    line(closing).trim().is_empty() && indent(line(closing)) < indent(line(opening))
}

fn mismatch(lexed: &LexedStr<'_>, token: usize, opening: Option<usize>) -> SyntaxError {
    let related = opening.map(|it| (range_of(lexed, it), format!("this `{}` is open", lexed.text(it))));
    let message = match opening {
        Some(_) => format!("`{}` closes the wrong bracket", lexed.text(token)),
        None => format!("`{}` closes nothing", lexed.text(token)),
    };
    SyntaxError { message, range: range_of(lexed, token), related, help: None }
}

fn range_of(lexed: &LexedStr<'_>, token: usize) -> std::ops::Range<u32> {
    let range = lexed.text_range(token);
    range.start as u32..range.end as u32
}
