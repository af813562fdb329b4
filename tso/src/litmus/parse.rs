//! Parses litmus tests from JSON. Anything unknown is an error with its place: a test that is misread would get a wrong answer.

use std::collections::BTreeSet;
use std::fmt;

use serde::Deserialize;
use serde::de::{self, Deserializer, MapAccess, Visitor};
use serde_json::Value;

use super::{Clause, Expected, Instruction, Test};
use crate::layers::Addr;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    /// A note for readers of the file; ignored.
    #[serde(default, rename = "notation")]
    _notation: Option<String>,
    tests: Vec<Written>,
}

/// A test as written in the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    name: String,
    threads: Vec<Vec<Vec<Value>>>,
    #[serde(default)]
    init: Pairs,
    condition: Pairs,
    tso: Expected,
    sc: Option<Expected>,
    /// A note for readers of the file; ignored.
    #[serde(default, rename = "note")]
    _note: Option<String>,
}

/// Reads all tests of a file.
///
/// # Errors
///
/// If the text is not JSON, if it has an unknown field, if an instruction is unknown or has the wrong operands, if a
/// condition refers to something that the program does not mention, or if there are no tests. The message says where.
pub fn parse(text: &str) -> Result<Vec<Test>, String> {
    let file: File = serde_json::from_str(text).map_err(|error| error.to_string())?;
    if file.tests.is_empty() {
        return Err("there are no tests".to_owned());
    }
    let numbered = file.tests.into_iter().enumerate();
    numbered
        .map(|(number, written)| {
            let place = format!("test {} (`{}`)", number + 1, written.name);
            read_test(written).map_err(|error| format!("{place}: {error}"))
        })
        .collect()
}

fn read_test(written: Written) -> Result<Test, String> {
    if written.threads.is_empty() {
        return Err("there are no threads".to_owned());
    }
    let mut names = Names::default();
    let mut threads = Vec::new();
    for (thread, program) in written.threads.iter().enumerate() {
        names.registers.push(Vec::new());
        let mut instructions = Vec::new();
        for (place, instruction) in program.iter().enumerate() {
            let read = read_instruction(&mut names, instruction);
            instructions.push(read.map_err(|error| format!("thread {thread}, instruction {place}: {error}"))?);
        }
        threads.push(instructions);
    }
    let init = written.init.0.into_iter().map(|(name, value)| (names.location(&name), value)).collect();
    if written.condition.0.is_empty() {
        return Err("the condition is empty".to_owned());
    }
    let clauses =
        written.condition.0.into_iter().map(|(key, value)| {
            read_clause(&names, &key, value).map_err(|error| format!("condition `{key}`: {error}"))
        });
    Ok(Test {
        name: written.name,
        threads,
        init,
        condition: clauses.collect::<Result<_, _>>()?,
        tso: written.tso,
        sc: written.sc,
    })
}

/// Numbers the locations and registers of a test in the order of their first mention.
#[derive(Default)]
struct Names {
    locations: Vec<String>,
    /// The names of the registers of each thread; the index is the register's number.
    registers: Vec<Vec<String>>,
}

impl Names {
    fn location(&mut self, name: &str) -> Addr {
        Addr::from(number_of(&mut self.locations, name) as u64)
    }

    /// The register of this name of the thread that is being read.
    fn register(&mut self, name: &str) -> usize {
        match self.registers.last_mut() {
            Some(registers) => number_of(registers, name),
            None => 0,
        }
    }
}

fn number_of(names: &mut Vec<String>, name: &str) -> usize {
    position(names, name).unwrap_or_else(|| {
        names.push(name.to_owned());
        names.len() - 1
    })
}

fn position(names: &[String], name: &str) -> Option<usize> {
    names.iter().position(|known| known == name)
}

fn read_instruction(names: &mut Names, written: &[Value]) -> Result<Instruction, String> {
    let Some((word, operands)) = written.split_first() else {
        return Err("an instruction is not empty".to_owned());
    };
    match (word.as_str(), operands) {
        (Some("W"), [at, value]) => Ok(Instruction::Store { at: names.location(name(at)?), value: number(value)? }),
        (Some("R"), [at, register]) => {
            Ok(Instruction::Load { at: names.location(name(at)?), register: names.register(name(register)?) })
        }
        (Some("MFENCE"), []) => Ok(Instruction::Fence),
        (Some("XCHG"), [at, value, register]) => Ok(Instruction::Exchange {
            at: names.location(name(at)?),
            value: number(value)?,
            register: names.register(name(register)?),
        }),
        (Some("W"), _) => Err(r#"expected ["W", location, value]"#.to_owned()),
        (Some("R"), _) => Err(r#"expected ["R", location, register]"#.to_owned()),
        (Some("MFENCE"), _) => Err(r#"expected ["MFENCE"]"#.to_owned()),
        (Some("XCHG"), _) => Err(r#"expected ["XCHG", location, value, register]"#.to_owned()),
        _ => Err(format!("unknown instruction {word}; there are W, R, MFENCE and XCHG")),
    }
}

fn name(written: &Value) -> Result<&str, String> {
    match written.as_str() {
        Some(name) if !name.is_empty() && !name.contains(':') => Ok(name),
        _ => Err(format!("expected a name, found {written}")),
    }
}

fn number(written: &Value) -> Result<u64, String> {
    written.as_u64().ok_or_else(|| format!("expected a value from 0 up, found {written}"))
}

fn read_clause(names: &Names, key: &str, value: u64) -> Result<Clause, String> {
    let Some((thread, register)) = key.split_once(':') else {
        let at = position(&names.locations, key).ok_or("no thread uses this location")?;
        return Ok(Clause::Location { at: Addr::from(at as u64), value });
    };
    let thread: usize = thread.parse().map_err(|_| "expected `thread:register`")?;
    let registers = names.registers.get(thread).ok_or("there is no such thread")?;
    let register = position(registers, register).ok_or("the thread does not set this register")?;
    Ok(Clause::Register { thread, register, value })
}

/// A JSON object of values. A repeated key is an error.
#[derive(Default)]
struct Pairs(Vec<(String, u64)>);

impl<'de> Deserialize<'de> for Pairs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(PairsVisitor)
    }
}

struct PairsVisitor;

impl<'de> Visitor<'de> for PairsVisitor {
    type Value = Pairs;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of values from 0 up")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Pairs, M::Error> {
        let (mut pairs, mut seen) = (Vec::new(), BTreeSet::new());
        while let Some((key, value)) = map.next_entry::<String, u64>()? {
            if !seen.insert(key.clone()) {
                return Err(de::Error::custom(format!("`{key}` is there twice")));
            }
            pairs.push((key, value));
        }
        Ok(Pairs(pairs))
    }
}
