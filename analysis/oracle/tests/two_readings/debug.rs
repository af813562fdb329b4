//! Parses values from Rust's `{:?}` output, given their types: this is the one format that all values of all packages share.

use std::collections::{BTreeMap, BTreeSet};

use cspec_analysis::ir::{Field, Program, Type, TypeDefKind};
use cspec_oracle::value::Value;

/// Parses the output of one value.
pub struct Reader<'t, 'p> {
    pub program: &'p Program,
    /// The text of a scalar, given the name of its type and the output of its contents.
    pub scalar: &'t dyn Fn(&str, &str) -> String,
    pub rest: &'t str,
}

impl<'t> Reader<'t, '_> {
    /// Parses the whole text as one value.
    pub fn whole(mut self, ty: &Type) -> Value {
        let text = self.rest;
        let value = self.value(ty);
        assert!(self.rest.is_empty(), "`{}` is left of `{text}`, as a {ty:?}", self.rest);
        value
    }

    fn eat(&mut self, token: &str) -> bool {
        match self.rest.strip_prefix(token) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn expect(&mut self, token: &str) {
        assert!(self.eat(token), "`{token}` was expected before `{}`", self.rest);
    }

    fn word(&mut self) -> &'t str {
        let end = self.rest.find(|it: char| !it.is_alphanumeric() && it != '_' && it != '-');
        let (word, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = rest;
        word
    }

    /// Parses a comma-separated list in brackets.
    fn list<T>(&mut self, open: &str, close: &str, mut each: impl FnMut(&mut Self, usize) -> T) -> Vec<T> {
        self.expect(open);
        let mut all = Vec::new();
        while !self.eat(close) {
            all.push(each(self, all.len()));
            let _ = self.eat(", ") || self.eat(",");
        }
        all
    }

    fn value(&mut self, ty: &Type) -> Value {
        match ty {
            Type::Never => panic!("there is no such value"),
            Type::Bool => Value::Bool(self.word() == "true"),
            Type::Int { .. } => Value::Int(self.word().parse().expect("an integer")),
            Type::Str => Value::str(&self.string()),
            Type::Pid => Value::Pid(self.word()[1..].parse().expect("`p` and digits")),
            Type::Tuple(types) => Value::Tuple(self.list("(", ")", |it, index| it.value(&types[index]))),
            Type::Option(inner) => match self.word() {
                "None" => Value::option(None),
                _ => Value::option(self.list("(", ")", |it, _| it.value(inner)).pop()),
            },
            Type::Result(ok, err) => {
                let (tag, ty) = if self.word() == "Ok" { (0, ok) } else { (1, err) };
                Value::Variant(tag, self.list("(", ")", |it, _| it.value(ty)))
            }
            Type::Map(key, value) => Value::Map(self.entries(key, value)),
            Type::Total(key, value) => {
                // Every type with a total function here has a default of this form.
                let default = match **value {
                    Type::Int { .. } => Value::Int(0),
                    Type::Seq(_) => Value::Seq(Vec::new()),
                    ref other => panic!("the default of {other:?}"),
                };
                Value::Total(self.entries(key, value), Box::new(default))
            }
            Type::Set(element) => {
                Value::Set(self.list("{", "}", |it, _| it.value(element)).into_iter().collect::<BTreeSet<_>>())
            }
            Type::Seq(element) => Value::Seq(self.list("[", "]", |it, _| it.value(element))),
            Type::User(id) => self.user(id.0 as usize),
        }
    }

    fn entries(&mut self, key: &Type, value: &Type) -> BTreeMap<Value, Value> {
        let entries = self.list("{", "}", |it, _| {
            let key = it.value(key);
            it.expect(": ");
            (key, it.value(value))
        });
        entries.into_iter().collect()
    }

    fn user(&mut self, id: usize) -> Value {
        let program = self.program;
        let name = self.word();
        match &program.types[id].kind {
            TypeDefKind::Scalar => {
                self.expect("(");
                let end = self.closing();
                let (inner, rest) = self.rest.split_at(end);
                self.rest = &rest[1..];
                Value::Scalar((self.scalar)(name, inner).as_str().into())
            }
            TypeDefKind::Struct(fields) => Value::Tuple(self.fields(fields)),
            TypeDefKind::Enum(variants) => {
                let tag = variants.iter().position(|it| it.name == name).expect("a variant of this name");
                Value::Variant(tag as u32, self.fields(&variants[tag].fields))
            }
        }
    }

    /// Parses the fields of a struct or variant, named or not.
    fn fields(&mut self, fields: &[Field]) -> Vec<Value> {
        if self.eat(" { ") {
            let mut all = Vec::new();
            for field in fields {
                self.expect(&field.name);
                self.expect(": ");
                all.push(self.value(&field.ty));
                let _ = self.eat(", ");
            }
            self.expect(" }");
            all
        } else if self.rest.starts_with('(') {
            self.list("(", ")", |it, index| it.value(&fields[index].ty))
        } else {
            Vec::new()
        }
    }

    /// The offset of the bracket that closes the current one.
    fn closing(&self) -> usize {
        let (mut depth, mut quoted, mut escaped) = (0, false, false);
        for (at, letter) in self.rest.char_indices() {
            match letter {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                '"' => quoted = !quoted,
                '(' | '[' | '{' if !quoted => depth += 1,
                ')' | ']' | '}' if !quoted && depth == 0 => return at,
                ')' | ']' | '}' if !quoted => depth -= 1,
                _ => {}
            }
        }
        panic!("a bracket is open in `{}`", self.rest)
    }

    fn string(&mut self) -> String {
        self.expect("\"");
        let end = self.rest.find('"').expect("a closing quote");
        let text = self.rest[..end].to_owned();
        assert!(!text.contains('\\'), "there are no escapes in names");
        self.rest = &self.rest[end + 1..];
        text
    }
}
