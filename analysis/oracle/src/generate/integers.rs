//! Layers that calculate at the ends of their integers: counters that wrap, tags, packed words.
//!
//! The layer above has the same operations; often one of them is written differently: `saturating_add` for `wrapping_add`, another flag,
//! another width. Most of these variants agree on small numbers, and differ near an end.

use std::fmt::Write;

use fastrand::Rng;

/// The types of fields. Narrow types are more frequent, since they show more differences.
const TYPES: [&str; 10] = ["u8", "u8", "u16", "u32", "u32", "u32", "u64", "i8", "i32", "i64"];

/// Expressions for the new value of a field `@` of type `$`; `^` is a flag, and `xor` the operator.
const NUMBERS: [&str; 28] = [
    "@.wrapping_add(1)",
    "@.wrapping_add(1)",
    "@.wrapping_sub(1)",
    "@.saturating_add(1)",
    "@.saturating_sub(1)",
    "@ + 1",
    "@ - 1",
    "@ + 2",
    "@ * 2",
    "@.wrapping_mul(2)",
    "@.saturating_mul(2)",
    "@ / 2",
    "@ % 3",
    "@ | 1",
    "@ & !1",
    "@ | ^",
    "@ & ^",
    "@ xor ^",
    "@ & !^",
    "!@",
    "@.rotate_left(1)",
    "@ >> 1",
    "@ << 1",
    "@.wrapping_neg()",
    "(@ as u8) as $",
    "(@ as i16) as $",
    "@.checked_add(1).unwrap_or(0)",
    "@.overflowing_sub(1).0",
];

/// Conditions on a field.
const CONDITIONS: [&str; 14] = [
    "@ == 0",
    "@ != 0",
    "@ < 2",
    "@ > 1",
    "@ & 1 != 0",
    "@ & ^ != 0",
    "@ & ^ == 0",
    "@ == ^ | 1",
    "@.wrapping_add(1) != 0",
    "@.wrapping_add(1) > @",
    "@.checked_add(1).is_some()",
    "@.checked_sub(1).is_some()",
    "@.count_ones() < 3",
    "@ >> 1 == 0",
];

/// An operation: texts with `@` for a field.
#[derive(Clone)]
struct Operation {
    name: &'static str,
    field: usize,
    guard: Option<&'static str>,
    claim: Option<&'static str>,
    change: Option<&'static str>,
    result: Result,
}

#[derive(Clone, Copy)]
enum Result {
    Unit,
    Bool(&'static str),
    Number(&'static str),
}

/// `High` over the same state as `Low`, related by identity.
pub fn integers(random: &mut Rng) -> (String, Vec<&'static str>) {
    let fields: Vec<&str> = (0..1 + random.usize(..2)).map(|_| TYPES[random.usize(..TYPES.len())]).collect();
    let count = 1 + random.usize(..3);
    let low: Vec<Operation> = super::NAMES[..count].iter().map(|name| operation(name, random, fields.len())).collect();
    let mut high = low.clone();
    if random.u8(..10) < 8 {
        let at = random.usize(..high.len());
        change(&mut high[at], random);
    }
    let mut text = String::from("\n#[state]\npub struct Store {\n");
    for (number, ty) in fields.iter().enumerate() {
        // Writing to a string cannot fail; so in all of this module.
        let _ = writeln!(text, "    pub word{number}: {ty},");
    }
    text.push_str("}\n");
    for (head, operations) in [("#[layer]\nimpl Low", &low), ("#[layer(ops = Low)]\nimpl High", &high)] {
        let _ = writeln!(text, "\n{head} for Store {{");
        operations.iter().for_each(|it| text.push_str(&written(it, &fields)));
        text.push_str("}\n");
    }
    text.push_str(
        "\n#[implement(High, over = Low, by = abstraction)]\nimpl Same {\n    #[abstraction]
    fn same(lo: &Store) -> Store {\n        lo.clone()\n    }\n}\n",
    );
    (text, vec!["Same"])
}

fn one_of(all: &[&'static str], random: &mut Rng) -> &'static str {
    all[random.usize(..all.len())]
}

fn operation(name: &'static str, random: &mut Rng, fields: usize) -> Operation {
    let some = |of: u8, all: &[&'static str], random: &mut Rng| (random.u8(..10) < of).then(|| one_of(all, random));
    Operation {
        name,
        field: random.usize(..fields),
        guard: some(3, &CONDITIONS, random),
        claim: some(2, &CONDITIONS, random),
        change: some(7, &NUMBERS, random),
        result: result(random),
    }
}

fn result(random: &mut Rng) -> Result {
    match random.u8(..4) {
        0 => Result::Unit,
        1 => Result::Bool(one_of(&CONDITIONS, random)),
        2 => Result::Number(one_of(&NUMBERS, random)),
        _ => Result::Number("@"),
    }
}

/// Replaces one part of an operation by another variant.
fn change(operation: &mut Operation, random: &mut Rng) {
    match random.u8(..6) {
        0 => operation.guard = None,
        1 => operation.claim = None,
        2 => {
            operation.result = match operation.result {
                Result::Unit => Result::Unit,
                Result::Bool(_) => Result::Bool(one_of(&CONDITIONS, random)),
                Result::Number(_) => Result::Number(one_of(&NUMBERS, random)),
            }
        }
        _ => operation.change = operation.change.map(|_| one_of(&NUMBERS, random)),
    }
}

/// An operation as Rust code.
fn written(operation: &Operation, fields: &[&str]) -> String {
    let Operation { name, field, guard, claim, change, result } = operation;
    let ty = fields[*field];
    // The highest bit of a signed type is the sign.
    let flag = match ty {
        "u8" => "(1 << 7)",
        "u16" => "(1 << 15)",
        "u32" => "(1 << 31)",
        "u64" => "(1 << 63)",
        _ => "(1 << 6)",
    };
    let place = format!("self.word{field}");
    let filled = |text: &str| text.replace('@', &place).replace('$', ty).replace('^', flag).replace("xor", "^");
    let (of, value) = match result {
        Result::Unit => ("()", "()".to_owned()),
        Result::Bool(text) => ("bool", filled(text)),
        Result::Number(text) => (ty, filled(text)),
    };
    let mut text = format!("    #[op]\n    fn {name}(&mut self, me: Pid) -> {of} {{\n");
    for (word, condition) in [("when", guard), ("assert!", claim)] {
        if let Some(condition) = condition {
            let _ = writeln!(text, "        {word}({});", filled(condition));
        }
    }
    if let Some(change) = change {
        let _ = writeln!(text, "        {place} = {};", filled(change));
    }
    let _ = writeln!(text, "        {value}\n    }}");
    text
}
