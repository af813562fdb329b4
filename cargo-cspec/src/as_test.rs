//! `cargo cspec replay FILE --as-test`: a counterexample as a Rust test over the executable models of its layers.
//!
//! The test makes the steps of the file on the layers as rustc compiles them: each step that happened must be possible, and the missing
//! one must be impossible, whatever the layer chooses. So it passes as long as the source has the counterexample, and does not depend on
//! how that was found. It is a module for the file that states the obligation, where all names are visible.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    io::Write as _,
    process::{Command, Stdio},
};

use camino::Utf8Path;
use cspec_analysis::{
    counterexample::{Datum, Mismatch, Run, RunRole, Step, StepEnd, TextPart},
    index::{ImplItem, ImplRole},
    ir::{Abstraction, Code, FunctionId, Implementation, Justification, Layer, Program, TypeDefKind},
    session::PackageSnapshot,
};

use crate::saved::{Position, Saved};

/// The test, as the text of a module. The error is a finished message.
pub fn module(saved: &Saved, package: &PackageSnapshot) -> Result<String, String> {
    let program = package.program();
    let mut names = saved.obligation.split(':').skip(2);
    let (of, layer) = (names.next().unwrap_or_default(), names.next().unwrap_or_default());
    let source_map = package.source_map();
    let of = program.implementations.iter().position(|it| it.name == of);
    let layer = program.layers.iter().position(|it| it.name == layer);
    let place = of.map(|it| source_map.implementations[it]).or_else(|| layer.map(|it| source_map.layers[it]));
    let file = place.map_or(0, |it| it.file);
    let implementation = of.map(|it| &program.implementations[it]);
    let mut writer = Writer { program, implementation, fresh: fresh(saved), names: BTreeSet::new() };
    let body = writer.body(saved)?;
    let uses = uses(package, file, &writer.names, &body);
    let name: String = saved.obligation.chars().map(|it| if it.is_alphanumeric() { it } else { '_' }).collect();
    let name = name.trim_matches('_').to_lowercase();
    let shown = &package.files[file as usize].shown;
    let text = format!(
        "\n// {}\n// A module for {shown}, made by `cargo cspec replay --as-test`: it passes as long as the layers can do this.\n\
         #[cfg(test)]\nmod counterexample_{name} {{\n{uses}\n#[test]\nfn it_happens() {{\n{body}}}\n}}\n",
        one_line(&saved.message)
    );
    Ok(formatted(&text, &package.package.edition))
}

/// The values of scalar types that the code does not name: for each type their numbers, in order.
type Fresh = BTreeMap<String, Vec<u32>>;

fn fresh(saved: &Saved) -> Fresh {
    let mut fresh = Fresh::new();
    for_each(saved, &mut |datum| {
        if let Datum::Fresh(ty, number) = datum {
            let known = fresh.entry(ty.clone()).or_default();
            if let Err(at) = known.binary_search(number) {
                known.insert(at, *number);
            }
        }
    });
    fresh
}

/// Visits every value of a counterexample, with all that is in it.
fn for_each(saved: &Saved, visit: &mut dyn FnMut(&Datum)) {
    for run in &saved.counterexample.runs {
        run.from.for_each_part(visit);
        for step in &run.steps {
            let result = match &step.end {
                StepEnd::Returns(result) => Some(result),
                _ => None,
            };
            let wanted = match &step.mismatch {
                Some(Mismatch::Result(it) | Mismatch::State(it)) => Some(it),
                _ => None,
            };
            let all = step.process.iter().chain(&step.arguments).chain(result).chain(&step.after).chain(wanted);
            all.for_each(|it| it.for_each_part(visit));
        }
    }
}

/// Writes Rust.
struct Writer<'a> {
    program: &'a Program,
    implementation: Option<&'a Implementation>,
    fresh: Fresh,
    /// The types, layers and implementations that the text names.
    names: BTreeSet<String>,
}

impl Writer<'_> {
    /// The statements of the test.
    fn body(&mut self, saved: &Saved) -> Result<String, String> {
        let mut text = self.domain(saved);
        let mut taken = BTreeSet::new();
        let mut last = None;
        for run in saved.counterexample.runs.iter().filter(|it| !it.steps.is_empty()) {
            let mut variable = run.role.words().replace(' ', "_");
            while !taken.insert(variable.clone()) {
                variable.push_str("_then");
            }
            self.run(&mut text, run, &variable)?;
            if run.role.is_procedure() {
                self.procedure(&mut text, saved, run)?;
            }
            last = Some((run, variable));
        }
        if let (Some((run, variable)), [below, _]) = (last, &saved.counterexample.runs[..]) {
            self.unrelated(&mut text, below, run, &variable)?;
        }
        let _ = writeln!(text, "// {}", one_line(&saved.counterexample.conclusion));
        Ok(text)
    }

    /// `let domain = …;` with all values that occur, and the values that the code does not name.
    fn domain(&mut self, saved: &Saved) -> String {
        let (mut pids, mut integers, mut strings, mut entries) = (2, BTreeSet::from([0, 1]), BTreeSet::new(), 2);
        for_each(saved, &mut |datum| match datum {
            Datum::Pid(number) => pids = pids.max(number + 1),
            Datum::Int(number) => drop(integers.insert(*number)),
            Datum::Str(text) => drop(strings.insert(text.clone())),
            Datum::Seq(all) | Datum::Set(all) => entries = entries.max(all.len()),
            Datum::Map(all) | Datum::Total(all) => entries = entries.max(all.len()),
            _ => {}
        });
        // Scalars are made of integers or strings: there must be enough of both.
        let scalars = self.fresh.values().map(Vec::len).max().unwrap_or_default();
        // Small ones may be named by code that the counterexample does not show.
        let mut next = 100;
        while scalars > 0 && integers.len() < scalars + 2 {
            integers.insert(next);
            next += 1;
        }
        strings.extend(["", "a"].map(str::to_owned));
        if scalars > 0 {
            strings.extend((0..scalars + 2).map(|it| format!("other {it}")));
        }
        let integers = listed(integers.iter().map(i128::to_string));
        let strings = listed(strings.iter().map(|it| format!("{it:?}.to_owned()")));
        let mut text = format!(
            "let domain = Domain {{ pids: {pids}, integers: vec![{integers}], strings: vec![{strings}], \
             entries: {entries}, length: {entries}, ..Domain::default() }};\n"
        );
        let fresh: Vec<String> = self.fresh.keys().cloned().collect();
        for ty in fresh {
            let mut known = BTreeSet::new();
            for_each(saved, &mut |datum| match datum {
                Datum::Named(of, literal) if *of == ty => drop(known.insert(scalar(&ty, literal))),
                _ => {}
            });
            let (variable, known) = (variable_of(&ty), listed(known.into_iter()));
            let _ = writeln!(text, "let {variable} = others::<{ty}>(&domain, &[{known}]);");
            self.names.insert(ty);
        }
        text
    }

    /// A run: where it starts, and what each step does.
    fn run(&mut self, text: &mut String, run: &Run<Position>, variable: &str) -> Result<(), String> {
        let layer = self.program.layers.iter().find(|it| it.name == run.layer);
        let layer = layer.ok_or_else(|| format!("the source has changed: there is no layer `{}`", run.layer))?;
        self.names.extend([layer.name.clone(), format!("__{}", layer.name)]);
        // What should be possible must be so in no way; what happened need only be in one.
        let is_wanted = run.role.is_wanted();
        let from = self.expression(&run.from)?;
        let _ = writeln!(
            text,
            "\n// {}\nlet mut {variable} = Replay::<dyn {}>::new(&domain, {from});",
            run.role.words(),
            layer.name
        );
        for step in &run.steps {
            let _ = writeln!(text, "// {}", one_line(&step.to_string()));
            let mut call = self.step(layer, step, variable)?;
            let is_told = step.mismatch.is_none() && step.operation != "init" && !is_wanted;
            if let (StepEnd::Returns(_), Some(after), true) = (&step.end, &step.after, is_told) {
                let _ = write!(call, ".reaches({})", self.expression(after)?);
            }
            let _ = writeln!(text, "{call};");
            if let Some(Mismatch::State(wanted)) = &step.mismatch {
                let _ = writeln!(text, "{variable}.does_not_reach({});", self.expression(wanted)?);
            }
        }
        Ok(())
    }

    /// What a step does, or cannot do, as a call.
    fn step(&mut self, layer: &Layer, step: &Step<Position>, variable: &str) -> Result<String, String> {
        let Some(process) = &step.process else {
            return Ok(match (step.operation.as_str(), &step.end) {
                ("init", StepEnd::Returns(holds)) => format!("{variable}.is_initial({holds})"),
                _ => format!("{variable}.background()"),
            });
        };
        if !layer.operations.iter().any(|it| it.name == step.operation) {
            return Err(format!("the source has changed: `{}` has no operation `{}`", layer.name, step.operation));
        }
        let operation = format!("__{}::{}", layer.name, step.operation);
        let process = self.expression(process)?;
        let arguments = self.arguments(step)?;
        let is_nilpotent = layer.protocol.as_ref().is_some_and(|it| it.nilpotent);
        let call =
            |method: &str, more: &str| format!("{variable}.{method}::<{operation}>({process}, {arguments}{more})");
        Ok(match (&step.end, &step.mismatch) {
            (_, Some(Mismatch::Result(wanted))) => call("cannot_return", &format!(", {}", self.expression(wanted)?)),
            (StepEnd::Returns(result), _) => {
                let result = self.expression(result)?;
                match step.events.len() {
                    0 => call("does", &format!(", {result}")),
                    events => call("emits", &format!(", {result}, {events}")),
                }
            }
            (StepEnd::Disabled, _) => call("cannot", ""),
            (StepEnd::NotAllowed, _) if is_nilpotent => call("does_nothing", ""),
            (StepEnd::NotAllowed, _) => call("cannot", ""),
            (StepEnd::Fails | StepEnd::Panics(_), _) => call("fails", ""),
        })
    }

    /// That the procedure makes the calls of a run, if they are answered so; and, where that is what is wrong, that it then returns what it
    /// may not return.
    fn procedure(&mut self, text: &mut String, saved: &Saved, run: &Run<Position>) -> Result<(), String> {
        let mut names = saved.obligation.split(':').skip(1);
        let (kind, operation) = (names.next().unwrap_or_default(), names.nth(2).unwrap_or_default());
        let Some(implementation) = self.implementation else { return Ok(()) };
        let (Justification::Movers(code) | Justification::Retry(code)) = &implementation.by else { return Ok(()) };
        let Some(Code::Procedure(function)) = code.get(operation) else { return Ok(()) };
        let layer = &self.program.layers[implementation.lower.0 as usize].name;
        let own = run.steps.last().and_then(|it| it.process.as_ref());
        let mut calls = "Calls::default()".to_owned();
        for step in run.steps.iter().filter(|it| it.process.as_ref() == own) {
            let arguments = self.arguments(step)?;
            let _ = match &step.end {
                StepEnd::Returns(result) => {
                    let result = self.expression(result)?;
                    write!(calls, ".answered::<__{layer}::{}>({arguments}, {result})", step.operation)
                }
                _ => write!(calls, ".made::<__{layer}::{}>({arguments})", step.operation),
            };
        }
        let parameters = self.program.functions[function.0 as usize].parameters as usize;
        let arguments = vec![", any()"; parameters].concat();
        let call = format!("|lo| {}::<()>::{operation}(lo{arguments})", implementation.name);
        self.names.insert(implementation.name.clone());
        let returned = saved.counterexample.runs.last().filter(|it| kind == "atomic-spec" && it.role == RunRole::Above);
        let returned = match returned.and_then(|it| it.steps.last()).map(|it| (&it.mismatch, &it.end)) {
            Some((Some(Mismatch::Result(wanted)), _)) => Some(wanted),
            Some((_, StepEnd::Returns(result))) => Some(result),
            _ => None,
        };
        let _ = match returned {
            Some(result) => {
                let result = self.expression(result)?;
                writeln!(text, "assert!({calls}.return_from(&domain, {call}, {result}));")
            }
            None => writeln!(text, "assert!({calls}.are_made_by(&domain, {call}));"),
        };
        Ok(())
    }

    /// The arguments of a step, as a tuple.
    fn arguments(&mut self, step: &Step<Position>) -> Result<String, String> {
        let arguments: Vec<String> = step.arguments.iter().map(|it| self.expression(it)).collect::<Result<_, _>>()?;
        Ok(match arguments.as_slice() {
            [one] => format!("({one},)"),
            all => format!("({})", all.join(", ")),
        })
    }

    /// Where a step above ends as it should, what is wrong is the relation between the two states.
    fn unrelated(
        &mut self,
        text: &mut String,
        below: &Run<Position>,
        above: &Run<Position>,
        variable: &str,
    ) -> Result<(), String> {
        let is_done =
            above.steps.last().is_some_and(|it| it.mismatch.is_none() && matches!(it.end, StepEnd::Returns(_)));
        let Some(Implementation { name, by: Justification::Abstraction(relation), .. }) = self.implementation else {
            return Ok(());
        };
        let (true, true, Some(lo)) = (above.role == RunRole::Above, is_done, below.end()) else { return Ok(()) };
        let function = |id: &FunctionId| format!("{name}::<()>::{}", self.program.functions[id.0 as usize].name);
        let related = match relation {
            Abstraction::Up(id) => format!("{}(&lo) == *hi", function(id)),
            Abstraction::Down(id) => format!("{}(hi) == lo", function(id)),
            Abstraction::Predicate(id) => format!("{}(&lo, hi)", function(id)),
        };
        let lo = self.expression(lo)?;
        self.names.insert(name.clone());
        let _ = writeln!(text, "let lo = {lo};\n{variable}.is_never(|hi| {related});");
        Ok(())
    }

    /// A value as an expression.
    fn expression(&mut self, datum: &Datum) -> Result<String, String> {
        Ok(match datum {
            Datum::Unit => "()".to_owned(),
            Datum::Bool(it) => it.to_string(),
            Datum::Int(it) => it.to_string(),
            Datum::Str(it) => format!("{it:?}.to_owned()"),
            Datum::Text(text) => format!("{:?}.to_owned()", characters(text)?),
            Datum::Pid(number) => format!("Pid({number})"),
            Datum::Named(ty, literal) => {
                self.names.insert(ty.clone());
                scalar(ty, literal)
            }
            Datum::Fresh(ty, number) => {
                let known = self.fresh.get(ty).and_then(|it| it.binary_search(number).ok()).unwrap_or_default();
                format!("{}[{known}].clone()", variable_of(ty))
            }
            Datum::Tuple(fields) if fields.len() == 1 => format!("({},)", self.all(fields)?),
            Datum::Tuple(fields) => format!("({})", self.all(fields)?),
            Datum::Seq(elements) => format!("Seq::from([{}])", self.all(elements)?),
            Datum::Set(elements) => format!("Set::from([{}])", self.all(elements)?),
            Datum::Map(entries) => format!("Map::from([{}])", self.entries(entries)?),
            Datum::Total(entries) => format!("Total::from([{}])", self.entries(entries)?),
            Datum::Struct(name, fields) => {
                self.names.insert(name.clone());
                self.record(name, fields.iter().map(|(name, it)| (name.as_str(), it)))?
            }
            Datum::Variant(of, name, fields) if of == "Option" && fields.is_empty() => name.clone(),
            Datum::Variant(of, name, fields) if of == "Option" => format!("{name}({})", self.all(fields)?),
            Datum::Variant(of, name, fields) if fields.is_empty() => {
                self.names.insert(of.clone());
                format!("{of}::{name}")
            }
            Datum::Variant(of, name, fields) => {
                self.names.insert(of.clone());
                let names = self
                    .fields_of(of, name)
                    .ok_or_else(|| format!("the source has changed: there is no `{of}::{name}`"))?;
                let fields: Vec<(&str, &Datum)> = names.iter().map(String::as_str).zip(fields).collect();
                self.record(&format!("{of}::{name}"), fields.into_iter())?
            }
            Datum::Opaque => return Err("a value of this counterexample cannot be written down".to_owned()),
        })
    }

    fn all(&mut self, all: &[Datum]) -> Result<String, String> {
        let all: Vec<String> = all.iter().map(|it| self.expression(it)).collect::<Result<_, _>>()?;
        Ok(all.join(", "))
    }

    fn entries(&mut self, entries: &[(Datum, Datum)]) -> Result<String, String> {
        let entry =
            |(key, value): &(Datum, Datum)| Ok(format!("({}, {})", self.expression(key)?, self.expression(value)?));
        let entries: Result<Vec<String>, String> = entries.iter().map(entry).collect();
        Ok(entries?.join(", "))
    }

    /// `Name { field: value, … }` or `Name(value, …)`.
    fn record<'d>(&mut self, name: &str, fields: impl Iterator<Item = (&'d str, &'d Datum)>) -> Result<String, String> {
        let mut is_tuple = false;
        let mut written = Vec::new();
        for (field, value) in fields {
            is_tuple = field.starts_with(|it: char| it.is_ascii_digit());
            let value = self.expression(value)?;
            written.push(if is_tuple { value } else { format!("{field}: {value}") });
        }
        let written = written.join(", ");
        Ok(if is_tuple { format!("{name}({written})") } else { format!("{name} {{ {written} }}") })
    }

    /// The names of the fields of a variant.
    fn fields_of(&self, of: &str, variant: &str) -> Option<Vec<String>> {
        let def = self.program.types.iter().find(|it| it.name == of)?;
        let TypeDefKind::Enum(variants) = &def.kind else { return None };
        let variant = variants.iter().find(|it| it.name == variant)?;
        Some(variant.fields.iter().map(|it| it.name.clone()).collect())
    }
}

/// The value of a scalar type that is made of a literal.
fn scalar(ty: &str, literal: &str) -> String {
    let owned = if literal.starts_with('"') { ".to_owned()" } else { "" };
    format!("{ty}::from({literal}{owned})")
}

/// A made string: what it says, with the digits of the processes and numbers in it.
fn characters(text: &[TextPart]) -> Result<String, String> {
    let part = |part: &TextPart| match part {
        TextPart::Characters(text) | TextPart::Of(Datum::Str(text)) => Ok(text.clone()),
        TextPart::Of(Datum::Pid(number)) => Ok(number.to_string()),
        TextPart::Of(Datum::Int(number)) => Ok(number.to_string()),
        TextPart::Of(Datum::Named(_, literal)) => Ok(literal.clone()),
        TextPart::Of(_) => Err("a string of this counterexample cannot be written down".to_owned()),
    };
    text.iter().map(part).collect()
}

/// The variable that holds the values of a scalar type: `msg_id` for `MsgId`.
fn variable_of(ty: &str) -> String {
    let mut name = String::new();
    for it in ty.chars() {
        if it.is_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.extend(it.to_lowercase());
    }
    name
}

fn listed(all: impl Iterator<Item = String>) -> String {
    all.collect::<Vec<_>>().join(", ")
}

/// The text on one line, for a comment.
fn one_line(text: &str) -> String {
    text.chars().map(|it| if it.is_control() { ' ' } else { it }).collect()
}

/// The `use` items: the vocabulary as far as the text has it, and what other files declare of what it names.
fn uses(package: &PackageSnapshot, file: u32, names: &BTreeSet<String>, body: &str) -> String {
    let is_used = |it: &&str| body.contains(&format!("{it}::from(")) || body.contains(&format!("{it}("));
    let vocabulary = ["Map", "Pid", "Seq", "Set", "Total"].into_iter().filter(is_used);
    let calls = body.contains("Calls::").then_some("Calls");
    let others = body.contains("others::<").then_some("others");
    let model: Vec<&str> = calls.into_iter().chain(["Domain", "Replay"]).chain(others).collect();
    let any = body.contains("any()").then_some("any");
    let own = vocabulary.chain(any).map(|it| format!("{it}, ")).collect::<String>();
    let mut text = format!("use cspec::{{{own}model::{{{}}}}};\n\nuse super::*;\n", model.join(", "));
    for (number, other) in package.files.iter().enumerate().filter(|(number, _)| *number != file as usize) {
        let declares = |name: &&String| {
            let index = &other.indexed.index;
            let plain = name.trim_start_matches("__");
            let is_it = |it: &ImplItem| match &it.role {
                ImplRole::Layer(_) => it.trait_name.as_ref().is_some_and(|it| it.text == plain),
                ImplRole::Implement(_) => it.self_type.as_ref().is_some_and(|it| it.text == **name),
                _ => false,
            };
            index.types.iter().any(|it| it.name.text == **name) || index.impls.iter().any(is_it)
        };
        let declared: Vec<&str> = names.iter().filter(declares).map(String::as_str).collect();
        if !declared.is_empty() {
            let _ = writeln!(text, "use {}::{{{}}};", module_path(package, number), declared.join(", "));
        }
    }
    text
}

/// The path of a file's module: `crate::layers::lock`.
fn module_path(package: &PackageSnapshot, file: usize) -> String {
    let root = package.files[0].path.parent().unwrap_or(Utf8Path::new(""));
    let path = package.files[file].path.strip_prefix(root).unwrap_or(&package.files[file].path);
    let parts = path.with_extension("");
    let parts = parts.components().map(|it| it.as_str().to_owned()).filter(|it| it != "mod");
    let inner = if file == 0 { Vec::new() } else { parts.collect() };
    ["crate".to_owned()].into_iter().chain(inner).collect::<Vec<_>>().join("::")
}

/// The text as rustfmt has it; as it is, if there is no rustfmt.
fn formatted(text: &str, edition: &str) -> String {
    let formatted = || {
        let mut rustfmt = Command::new("rustfmt")
            .args(["--emit", "stdout", "--edition", edition])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        rustfmt.stdin.take()?.write_all(text.as_bytes()).ok()?;
        let output = rustfmt.wait_with_output().ok()?;
        String::from_utf8(output.stdout).ok().filter(|_| output.status.success())
    };
    formatted().map_or_else(|| text.to_owned(), |formatted| format!("\n{}", formatted.trim_start()))
}
