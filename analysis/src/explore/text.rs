//! Strings that code builds from numbers and processes: `format!("{pid}.{number}")`, parsed again by `split_once` and `parse`.
//!
//! If only equality is known of a number or process, its digits are unknown. So a built string is a sequence of [pieces] (Piece): text, and
//! decimals of atoms. Two built strings can be compared as long as each decimal is surrounded by characters that are not digits: then both
//! split into the same pieces, or they differ. The [`Shape`]s of strings that a question builds are found while it runs; shapes that cannot
//! be compared this way need concrete numbers ([`super::cells::Numbers::Digits`]).

use std::rc::Rc;

use super::value::{Sort, Value};

/// A part of a built string.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Piece {
    /// Characters that are known.
    Literal(Rc<str>),
    /// The digits of an atom: of a process or of an unsigned integer.
    Decimal(Sort, u32),
    /// An unknown string that code does not build.
    Other(u32),
}

impl Piece {
    /// The number of known characters, in bytes.
    pub fn length(&self) -> usize {
        match self {
            Piece::Literal(text) => text.len(),
            Piece::Decimal(..) | Piece::Other(_) => 1,
        }
    }
}

/// The common form of the strings built at one place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Shape(pub Vec<ShapePiece>);

/// A part of a shape.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ShapePiece {
    /// Characters that are known.
    Literal(Rc<str>),
    /// The digits of some value of this sort.
    Hole(Sort),
    /// A string that code does not build.
    Other,
}

/// A character or a run of digits.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Character(char),
    Digits(String),
    Hole(Sort),
}

/// The pieces of a string, or of the text that `{}` prints for a value. `None` for values without a text here.
pub fn pieces(value: &Value) -> Option<Vec<Piece>> {
    Some(match value {
        Value::Str(text) => vec![Piece::Literal(text.clone())],
        Value::Int(number) => vec![Piece::Literal(Rc::from(number.get().to_string()))],
        Value::Atom(Sort::Str, number) => vec![Piece::Other(*number)],
        Value::Atom(sort @ (Sort::Pid | Sort::Int), number) => vec![Piece::Decimal(*sort, *number)],
        Value::Text(pieces) => pieces.to_vec(),
        _ => return None,
    })
}

/// The string made of these pieces; equal strings of one shape have equal representations.
pub fn join(pieces: impl IntoIterator<Item = Piece>) -> Value {
    let mut joined: Vec<Piece> = Vec::new();
    for piece in pieces {
        match (joined.last_mut(), piece) {
            (_, Piece::Literal(text)) if text.is_empty() => {}
            (Some(Piece::Literal(before)), Piece::Literal(text)) => *before = Rc::from(format!("{before}{text}")),
            (_, piece) => joined.push(piece),
        }
    }
    match &joined[..] {
        [] => Value::Str(Rc::from("")),
        [Piece::Literal(text)] => Value::Str(text.clone()),
        [Piece::Other(number)] => Value::Atom(Sort::Str, *number),
        _ => Value::Text(Rc::from(joined)),
    }
}

/// The shape of a string that code built. `None` for other values.
pub fn shape(value: &Value) -> Option<Shape> {
    let pieces = match value {
        Value::Str(text) => return Some(Shape(vec![ShapePiece::Literal(text.clone())])),
        Value::Text(pieces) => pieces,
        _ => return None,
    };
    let piece = |piece: &Piece| match piece {
        Piece::Literal(text) => ShapePiece::Literal(text.clone()),
        Piece::Decimal(sort, _) => ShapePiece::Hole(*sort),
        Piece::Other(_) => ShapePiece::Other,
    };
    Some(Shape(pieces.iter().map(piece).collect()))
}

impl Shape {
    /// The text, if the shape consists only of text.
    pub fn literal(&self) -> Option<&str> {
        match &self.0[..] {
            [] => Some(""),
            [ShapePiece::Literal(text)] => Some(text),
            _ => None,
        }
    }

    /// The runs of digits in its text, as numbers.
    pub fn numbers(&self) -> Vec<i128> {
        let texts = self.0.iter().filter_map(|it| match it {
            ShapePiece::Literal(text) => Some(text),
            _ => None,
        });
        texts
            .flat_map(|text| text.split(|it: char| !it.is_ascii_digit()))
            .filter_map(|digits| digits.parse().ok())
            .collect()
    }

    /// Characters and runs of digits; `None` if a decimal touches other digits.
    fn tokens(&self) -> Option<Vec<Token>> {
        let mut tokens = Vec::new();
        for piece in &self.0 {
            match piece {
                ShapePiece::Hole(_) if matches!(tokens.last(), Some(Token::Digits(_) | Token::Hole(_))) => return None,
                ShapePiece::Hole(sort) => tokens.push(Token::Hole(*sort)),
                ShapePiece::Literal(text) => {
                    for character in text.chars() {
                        match (tokens.last_mut(), character.is_ascii_digit()) {
                            (Some(Token::Hole(_)), true) => return None,
                            (Some(Token::Digits(digits)), true) => digits.push(character),
                            (_, true) => tokens.push(Token::Digits(character.to_string())),
                            (_, false) => tokens.push(Token::Character(character)),
                        }
                    }
                }
                ShapePiece::Other => return None,
            }
        }
        Some(tokens)
    }
}

/// Whether strings of these shapes are equal only if their parts are.
pub fn told_apart(shapes: &[Shape]) -> bool {
    let Some(tokens) = shapes.iter().map(Shape::tokens).collect::<Option<Vec<_>>>() else { return false };
    tokens.iter().enumerate().all(|(index, a)| tokens[..index].iter().all(|b| !may_coincide(a, b)))
}

/// Whether strings of two shapes could be equal although their parts differ. The numbers in literal text are known to differ from integer
/// atoms.
fn may_coincide(a: &[Token], b: &[Token]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    let mut doubtful = false;
    for (a, b) in a.iter().zip(b) {
        match (a, b) {
            (Token::Hole(a), Token::Hole(b)) => doubtful |= a != b,
            (Token::Hole(sort), Token::Digits(digits)) | (Token::Digits(digits), Token::Hole(sort)) => {
                let is_decimal = digits == "0" || !digits.starts_with('0');
                if !is_decimal || *sort == Sort::Int {
                    return false;
                }
                doubtful = true;
            }
            (a, b) if a == b => {}
            _ => return false,
        }
    }
    doubtful
}

/// The result of `text.split_once(separator)`.
pub enum Split {
    /// The text has no separator.
    None,
    /// The parts before and after the first separator.
    At(Value, Value),
    /// The result depends on an unknown string.
    Unknown,
}

/// Splits a string at the first `separator`, which has no digits in it.
pub fn split_once(pieces: &[Piece], separator: &str) -> Split {
    for (index, piece) in pieces.iter().enumerate() {
        match piece {
            Piece::Literal(text) => {
                if let Some((before, after)) = text.split_once(separator) {
                    let literal = |text: &str| Piece::Literal(Rc::from(text));
                    let left = pieces[..index].iter().cloned().chain([literal(before)]);
                    let right = std::iter::once(literal(after)).chain(pieces[index + 1..].iter().cloned());
                    return Split::At(join(left), join(right));
                }
            }
            // A decimal contains no separator, but text on both sides of it is not contiguous either.
            Piece::Decimal(..) => {}
            Piece::Other(_) => return Split::Unknown,
        }
    }
    Split::None
}

/// The result of `text.parse::<T>().ok()`.
pub enum Parsed {
    /// The text is not a number.
    None,
    Atom(Sort, u32),
    /// The text spells this integer.
    Int(i128),
    /// The result is unknown.
    Unknown,
}

/// Parses a decimal as Rust does.
pub fn parse(pieces: &[Piece]) -> Parsed {
    match pieces {
        [] => Parsed::None,
        [Piece::Literal(text)] => text.parse().map_or(Parsed::None, Parsed::Int),
        [Piece::Decimal(sort, number)] => Parsed::Atom(*sort, *number),
        _ => {
            let no_digit = |text: &str| text.chars().any(|it| !it.is_ascii_digit());
            // A sign may only come first.
            let first = matches!(&pieces[0], Piece::Literal(text) if no_digit(text.trim_start_matches(['+', '-'])));
            let later = pieces[1..].iter().any(|it| matches!(it, Piece::Literal(text) if no_digit(text)));
            if first || later { Parsed::None } else { Parsed::Unknown }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hole(sort: Sort) -> ShapePiece {
        ShapePiece::Hole(sort)
    }

    fn text(text: &str) -> ShapePiece {
        ShapePiece::Literal(Rc::from(text))
    }

    #[test]
    fn decimals_between_other_characters_are_told_apart() {
        let name = Shape(vec![hole(Sort::Pid), text("."), hole(Sort::Int)]);
        let zero = Shape(vec![hole(Sort::Pid), text(".0")]);
        let other = Shape(vec![text("tmp")]);
        assert!(told_apart(&[name, zero, other]));
    }

    #[test]
    fn decimals_that_touch_digits_are_not() {
        for shape in [
            vec![hole(Sort::Pid), hole(Sort::Int)],
            vec![hole(Sort::Pid), text("0.")],
            vec![text("1"), hole(Sort::Pid)],
            vec![ShapePiece::Other],
        ] {
            assert!(!told_apart(&[Shape(shape.clone())]), "{shape:?}");
        }
    }

    #[test]
    fn a_process_may_have_the_number_that_is_written_out() {
        let process = Shape(vec![hole(Sort::Pid), text(".")]);
        assert!(!told_apart(&[process.clone(), Shape(vec![text("7.")])]));
        assert!(!told_apart(&[process.clone(), Shape(vec![hole(Sort::Int), text(".")])]));
        assert!(told_apart(&[process, Shape(vec![text("07.")])]), "no decimal starts with a zero");
    }

    #[test]
    fn joining_makes_equal_strings_look_equal() {
        let literal = |text: &str| Piece::Literal(Rc::from(text));
        assert_eq!(join([literal("a"), literal(""), literal("b")]), Value::Str(Rc::from("ab")));
        assert_eq!(join([]), Value::Str(Rc::from("")));
        assert_eq!(join([Piece::Other(3)]), Value::Atom(Sort::Str, 3));
    }

    #[test]
    fn splitting_and_parsing_undo_formatting() {
        let pieces = vec![Piece::Decimal(Sort::Pid, 0), Piece::Literal(Rc::from(".")), Piece::Decimal(Sort::Int, 1)];
        let Split::At(left, right) = split_once(&pieces, ".") else { panic!("there is a separator") };
        assert_eq!(
            (left, right),
            (Value::Text(Rc::from([Piece::Decimal(Sort::Pid, 0)])), {
                Value::Text(Rc::from([Piece::Decimal(Sort::Int, 1)]))
            })
        );
        assert!(matches!(parse(&pieces), Parsed::None));
        assert!(matches!(parse(&pieces[..1]), Parsed::Atom(Sort::Pid, 0)));
        assert!(matches!(parse(&[Piece::Literal(Rc::from("+12"))]), Parsed::Int(12)));
    }
}
