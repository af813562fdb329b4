//! Counterexamples as data: the starting state, the steps, and the step that goes wrong.
//!
//! An obligation builds its counterexample after replaying it on concrete values. A counterexample holds values, not prose, so that front
//! ends can show two orders side by side, mark differences and link each step to its place. [`Counterexample::lines`] is the only rendering
//! as text. This module does not know how a counterexample was found, and knows nothing of terminals or editors.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ir::Span;

/// A self-contained value of the program: it names its types and fields.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Datum {
    /// The unit value, `()`.
    Unit,
    /// A truth value, of type `bool`.
    Bool(bool),
    /// An integer of any type.
    Int(i128),
    Str(String),
    /// A string that contains the decimal digits of a process or of some number.
    Text(Vec<TextPart>),
    /// A process, by its number.
    Pid(u32),
    /// A value of a `#[scalar]` type that the code names: the type, and the text of its operand.
    Named(String, String),
    /// Some other value of a `#[scalar]` type, different from those with other numbers.
    Fresh(String, u32),
    Tuple(Vec<Datum>),
    /// A struct: its name, and its fields.
    Struct(String, Vec<(String, Datum)>),
    /// A variant of an enum: the enum, the variant, the payload. Also of `Option`.
    Variant(String, String, Vec<Datum>),
    /// A sequence of values.
    Seq(Vec<Datum>),
    Set(Vec<Datum>),
    /// A map, in the order of its keys.
    Map(Vec<(Datum, Datum)>),
    /// A total function: the entries that differ from its default.
    Total(Vec<(Datum, Datum)>),
    /// A value that cannot be shown.
    Opaque,
}

/// A part of a built string.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TextPart {
    /// Characters that are known.
    Characters(String),
    /// The digits of this process or number, or an unknown string.
    Of(Datum),
}

/// A run that refutes an obligation. Until it is shown, its places may be of any kind that is stable while text moves.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Counterexample<P = Span> {
    /// Values that belong to no state: the key of a partition, another key.
    pub values: Vec<(String, Datum)>,
    /// The run that happens, and the one that should be possible instead: two orders, a run below and one above, a procedure and its end.
    pub runs: Vec<Run<P>>,
    /// What is wrong, in one sentence.
    pub conclusion: String,
}

/// The role of a run in its counterexample.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum RunRole {
    /// The run that happens.
    Possible,
    /// The same steps in another order, which should be possible as well.
    OtherOrder,
    /// A step that was possible, after one of another process.
    ButAfter,
    /// The state in which a step should be possible.
    There,
    /// The calls of a procedure.
    Procedure,
    /// The calls of a turn of a retry loop.
    Turn,
    /// The calls of an earlier turn, after which the loop continued.
    EarlierTurn,
    /// It happens in the layer below.
    Below,
    /// The step that the layer above should be able to take.
    Above,
    /// The step that the layer should be able to take.
    Wanted,
    /// It happens at the bottom of a stack.
    AtTheBottom,
    /// It happens at the top of a stack.
    AtTheTop,
}

impl RunRole {
    const ALL: [RunRole; 12] = [
        RunRole::Possible,
        RunRole::OtherOrder,
        RunRole::ButAfter,
        RunRole::There,
        RunRole::Procedure,
        RunRole::Turn,
        RunRole::EarlierTurn,
        RunRole::Below,
        RunRole::Above,
        RunRole::Wanted,
        RunRole::AtTheBottom,
        RunRole::AtTheTop,
    ];

    /// The label of such a run.
    pub fn words(self) -> &'static str {
        match self {
            RunRole::Possible => "possible",
            RunRole::OtherOrder => "other order",
            RunRole::ButAfter => "but after",
            RunRole::There => "there",
            RunRole::Procedure => "the procedure",
            RunRole::Turn => "a turn",
            RunRole::EarlierTurn => "an earlier turn",
            RunRole::Below => "below",
            RunRole::Above => "above",
            RunRole::Wanted => "wanted",
            RunRole::AtTheBottom => "at the bottom",
            RunRole::AtTheTop => "at the top",
        }
    }

    /// Whether it does not happen, but should be possible.
    pub fn is_wanted(self) -> bool {
        matches!(self, RunRole::OtherOrder | RunRole::Above | RunRole::Wanted)
    }

    /// Whether its steps are the calls of a procedure.
    pub fn is_procedure(self) -> bool {
        matches!(self, RunRole::Procedure | RunRole::Turn | RunRole::EarlierTurn)
    }
}

impl From<RunRole> for String {
    fn from(role: RunRole) -> String {
        role.words().to_owned()
    }
}

impl TryFrom<String> for RunRole {
    type Error = String;

    fn try_from(words: String) -> Result<RunRole, String> {
        RunRole::ALL.into_iter().find(|it| it.words() == words).ok_or_else(|| format!("no run is called {words:?}"))
    }
}

/// Steps from one state on.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Run<P = Span> {
    /// The role of the run in the counterexample.
    #[serde(rename = "title")]
    pub role: RunRole,
    /// The layer whose state it is.
    pub layer: String,
    /// The state it starts from.
    pub from: Datum,
    /// The steps of the run.
    pub steps: Vec<Step<P>>,
}

/// A step of a process.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Step<P = Span> {
    /// The process that makes it; `None` for a condition on the state alone.
    pub process: Option<Datum>,
    /// The name of the operation.
    pub operation: String,
    pub arguments: Vec<Datum>,
    /// The end of the step.
    pub end: StepEnd,
    /// Whether the rules of a nilpotent protocol layer do not allow it: then it changes nothing, and may return anything.
    #[serde(default)]
    pub against_rules: bool,
    /// The events that it emits: each a call of an external operation, `[name, arguments, result]`, or `["emit", value]`.
    pub events: Vec<Datum>,
    /// The choices that it makes, in order.
    pub choices: Vec<Choice<P>>,
    /// The state after it, if there is one.
    pub after: Option<Datum>,
    /// What the step would have to do to match the other run.
    pub mismatch: Option<Mismatch>,
    /// The place of its call, or of the declaration of the operation.
    pub place: Option<P>,
}

/// The end of a step.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StepEnd {
    /// The step returns this value.
    Returns(Datum),
    /// It does not exist in this state.
    Disabled,
    /// The rules of the layer do not allow it in this state.
    NotAllowed,
    /// An `assert!` does not hold.
    Fails,
    /// The code panics, for this reason.
    Panics(String),
}

/// A choice within a step.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Choice<P = Span> {
    /// The place of the choice.
    pub place: Option<P>,
    /// The alternative that was chosen.
    pub chosen: Chosen,
}

/// The result of a choice.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Chosen {
    /// The result of `maybe()`.
    Maybe(bool),
    /// The result of `any()`.
    Any(Datum),
    /// The index of the element that `choose()` took, from 0.
    Element(usize),
}

/// The first mismatch of a run.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mismatch {
    /// The step would have to return this result.
    Result(Datum),
    /// The step would have to emit these events.
    Events(Vec<Datum>),
    /// The run would have to end in this state.
    State(Datum),
}

impl<P> Counterexample<P> {
    /// The same counterexample, with other places.
    pub fn at<Q>(&self, place: impl Fn(&P) -> Option<Q>) -> Counterexample<Q> {
        let choice = |it: &Choice<P>| Choice { place: it.place.as_ref().and_then(&place), chosen: it.chosen.clone() };
        let step = |it: &Step<P>| Step {
            process: it.process.clone(),
            operation: it.operation.clone(),
            arguments: it.arguments.clone(),
            end: it.end.clone(),
            against_rules: it.against_rules,
            events: it.events.clone(),
            choices: it.choices.iter().map(choice).collect(),
            after: it.after.clone(),
            mismatch: it.mismatch.clone(),
            place: it.place.as_ref().and_then(&place),
        };
        let run = |it: &Run<P>| Run {
            role: it.role,
            layer: it.layer.clone(),
            from: it.from.clone(),
            steps: it.steps.iter().map(step).collect(),
        };
        Counterexample {
            values: self.values.clone(),
            runs: self.runs.iter().map(run).collect(),
            conclusion: self.conclusion.clone(),
        }
    }

    /// Whether both have the same runs, whatever their layers and conclusions are called.
    pub fn tells_the_same(&self, other: &Counterexample<P>) -> bool {
        let same_step = |(one, other): (&Step<P>, &Step<P>)| {
            one.call() == other.call() && one.end == other.end && one.events == other.events && one.after == other.after
        };
        let same_run = |(one, other): (&Run<P>, &Run<P>)| {
            (one.role, &one.from, one.steps.len()) == (other.role, &other.from, other.steps.len())
                && one.steps.iter().zip(&other.steps).all(same_step)
        };
        self.values == other.values
            && self.runs.len() == other.runs.len()
            && self.runs.iter().zip(&other.runs).all(same_run)
    }

    /// The counterexample as text, line by line; each line begins with a label.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        let mut say = |word: &str, what: String| lines.push(format!("{word:<13} {what}"));
        for (name, value) in &self.values {
            say(name, value.to_string());
        }
        // The state that was shown last.
        let mut shown: Option<&Datum> = None;
        for run in &self.runs {
            if shown != Some(&run.from) && run.from != Datum::Opaque {
                say("in the state", run.from.to_string());
                shown = Some(&run.from);
            }
            for (number, step) in run.steps.iter().enumerate() {
                // A step that is impossible or goes wrong refers to the state before it.
                let before = run.before(number);
                let stands_apart = number > 0 && step.after.is_none() && shown != Some(before);
                if stands_apart {
                    say("ending in", before.to_string());
                    shown = Some(before);
                }
                let word = if stands_apart { "there" } else { "then" };
                say(if number == 0 { run.role.words() } else { word }, step.to_string());
            }
            let wanted = run.steps.last().and_then(|it| it.mismatch.as_ref());
            let end = run.end().unwrap_or(&run.from);
            if shown != Some(end) || matches!(wanted, Some(Mismatch::State(_))) {
                say("ending in", end.to_string());
                shown = Some(end);
            }
            if let Some(Mismatch::State(wanted)) = wanted {
                say("and not in", wanted.to_string());
            }
        }
        lines.push(self.conclusion.clone());
        lines
    }
}

impl<P> Run<P> {
    /// The run with these steps.
    #[must_use]
    pub fn with(self, steps: Vec<Step<P>>) -> Run<P> {
        Run { steps, ..self }
    }

    /// The state after the last step that has one.
    pub fn end(&self) -> Option<&Datum> {
        self.steps.iter().rev().find_map(|it| it.after.as_ref())
    }

    /// The state before a step, by its number.
    pub fn before(&self, step: usize) -> &Datum {
        self.steps[..step].iter().rev().find_map(|it| it.after.as_ref()).unwrap_or(&self.from)
    }
}

impl<P> Step<P> {
    /// The call alone: `p1: read(7)`.
    pub fn call(&self) -> String {
        let process = self.process.iter().map(|it| format!("{it}: ")).collect::<String>();
        format!("{process}{}({})", self.operation, joined(&self.arguments))
    }
}

impl<P> fmt::Display for Step<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.call())?;
        match &self.end {
            StepEnd::Returns(result) => write!(f, " → {result}")?,
            StepEnd::Disabled => f.write_str(" is not possible")?,
            StepEnd::NotAllowed => f.write_str(" is not allowed")?,
            StepEnd::Fails => f.write_str(" fails")?,
            StepEnd::Panics(why) => write!(f, " panics: {why}")?,
        }
        if self.against_rules {
            f.write_str(", against the rules")?;
        }
        if !self.events.is_empty() {
            write!(f, ", emits {}", emitted_in_words(&self.events))?;
        }
        match &self.mismatch {
            Some(Mismatch::Result(wanted)) => write!(f, ", not {wanted}"),
            Some(Mismatch::Events(wanted)) if wanted.is_empty() => f.write_str(", and should emit nothing"),
            Some(Mismatch::Events(wanted)) => write!(f, ", and should emit {}", emitted_in_words(wanted)),
            Some(Mismatch::State(_)) | None => Ok(()),
        }
    }
}

impl<P> Counterexample<P> {
    /// The differences between the end state and the wanted one.
    pub fn end_differences(&self) -> Vec<Difference> {
        let ends = self.runs.iter().filter_map(|run| match run.steps.last()?.mismatch.as_ref()? {
            Mismatch::State(wanted) => Some(wanted.differences(run.end()?)),
            _ => None,
        });
        ends.flatten().collect()
    }
}

/// A part in which two values differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The path to it: `owner`, `pending[p0][1]`. Empty for the whole value.
    pub path: String,
    /// Its value in the first, if it exists there.
    pub before: Option<Datum>,
    /// Its value in the second, if it exists there.
    pub after: Option<Datum>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |it: &Option<Datum>| it.as_ref().map_or_else(|| "nothing".to_owned(), Datum::to_string);
        let path = if self.path.is_empty() { "the state" } else { &self.path };
        write!(f, "{path}: {} → {}", shown(&self.before), shown(&self.after))
    }
}

impl Datum {
    /// Visits the value and all of its parts, including keys.
    pub fn for_each_part(&self, visit: &mut dyn FnMut(&Datum)) {
        visit(self);
        match self {
            Datum::Tuple(all) | Datum::Seq(all) | Datum::Set(all) | Datum::Variant(_, _, all) => {
                all.iter().for_each(|it| it.for_each_part(visit));
            }
            Datum::Struct(_, fields) => fields.iter().for_each(|(_, it)| it.for_each_part(visit)),
            Datum::Map(all) | Datum::Total(all) => all.iter().for_each(|(key, value)| {
                key.for_each_part(visit);
                value.for_each_part(visit);
            }),
            Datum::Text(parts) => parts.iter().for_each(|it| {
                if let TextPart::Of(it) = it {
                    it.for_each_part(visit);
                }
            }),
            _ => {}
        }
    }

    /// The smallest parts in which `other` differs, in order.
    pub fn differences(&self, other: &Datum) -> Vec<Difference> {
        let mut found = Vec::new();
        compare(String::new(), Some(self), Some(other), &mut found);
        found
    }
}

fn compare(path: String, before: Option<&Datum>, after: Option<&Datum>, found: &mut Vec<Difference>) {
    if before == after {
        return;
    }
    match (before, after) {
        (Some(Datum::Struct(name, before)), Some(Datum::Struct(other, after))) if name == other => {
            for ((field, before), (_, after)) in before.iter().zip(after) {
                let path = if path.is_empty() { field.clone() } else { format!("{path}.{field}") };
                compare(path, Some(before), Some(after), found);
            }
        }
        (Some(Datum::Map(before)), Some(Datum::Map(after)))
        | (Some(Datum::Total(before)), Some(Datum::Total(after))) => {
            let at = |entries: &[(Datum, Datum)], key: &Datum| entries.iter().position(|(it, _)| it == key);
            let new = after.iter().filter(|(key, _)| at(before, key).is_none());
            for (key, _) in before.iter().chain(new) {
                let value = |entries: &'_ [(Datum, Datum)]| at(entries, key);
                let (old, new) = (value(before).map(|it| &before[it].1), value(after).map(|it| &after[it].1));
                compare(format!("{path}[{key}]"), old, new, found);
            }
        }
        (Some(Datum::Tuple(before)), Some(Datum::Tuple(after))) if before.len() == after.len() => {
            for (number, (before, after)) in before.iter().zip(after).enumerate() {
                compare(format!("{path}.{number}"), Some(before), Some(after), found);
            }
        }
        _ => found.push(Difference { path, before: before.cloned(), after: after.cloned() }),
    }
}

/// Events as text: `print(7)`, `receive() → 1`, `emit(Some(2))`.
pub fn emitted_in_words(events: &[Datum]) -> String {
    let event = |event: &Datum| match event {
        Datum::Tuple(parts) => match &parts[..] {
            [Datum::Str(name), arguments, result] => {
                let arguments = match arguments {
                    Datum::Tuple(all) => joined(all),
                    Datum::Unit => String::new(),
                    other => other.to_string(),
                };
                let result = if *result == Datum::Unit { String::new() } else { format!(" → {result}") };
                format!("{name}({arguments}){result}")
            }
            [Datum::Str(name), value] => format!("{name}({value})"),
            _ => event.to_string(),
        },
        _ => event.to_string(),
    };
    events.iter().map(event).collect::<Vec<_>>().join(", ")
}

fn joined(all: &[Datum]) -> String {
    all.iter().map(Datum::to_string).collect::<Vec<_>>().join(", ")
}

fn entries(all: &[(Datum, Datum)]) -> String {
    all.iter().map(|(key, value)| format!("{key}: {value}")).collect::<Vec<_>>().join(", ")
}

impl fmt::Display for Datum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Datum::Unit => f.write_str("()"),
            Datum::Bool(it) => write!(f, "{it}"),
            Datum::Int(it) => write!(f, "{it}"),
            Datum::Str(it) => write!(f, "{it:?}"),
            Datum::Text(parts) => {
                f.write_str("\"")?;
                for part in parts {
                    match part {
                        TextPart::Characters(text) => f.write_str(text)?,
                        TextPart::Of(Datum::Str(text)) => write!(f, "{{{text}}}")?,
                        TextPart::Of(number) => write!(f, "{{{number}}}")?,
                    }
                }
                f.write_str("\"")
            }
            Datum::Pid(number) => write!(f, "p{number}"),
            Datum::Named(name, text) => write!(f, "{name}({text})"),
            Datum::Fresh(name, number) => write!(f, "{name}({number})"),
            Datum::Tuple(fields) => write!(f, "({})", joined(fields)),
            Datum::Struct(name, fields) => {
                let fields: Vec<String> = fields.iter().map(|(name, value)| format!("{name}: {value}")).collect();
                write!(f, "{name} {{ {} }}", fields.join(", "))
            }
            Datum::Variant(_, name, fields) if fields.is_empty() => f.write_str(name),
            Datum::Variant(_, name, fields) => write!(f, "{name}({})", joined(fields)),
            Datum::Seq(elements) => write!(f, "[{}]", joined(elements)),
            Datum::Set(elements) => write!(f, "{{{}}}", joined(elements)),
            Datum::Map(all) | Datum::Total(all) => write!(f, "{{{}}}", entries(all)),
            Datum::Opaque => f.write_str("…"),
        }
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    fn owner(process: Option<u32>) -> Datum {
        let owner = match process {
            Some(it) => Datum::Variant("Option".to_owned(), "Some".to_owned(), vec![Datum::Pid(it)]),
            None => Datum::Variant("Option".to_owned(), "None".to_owned(), Vec::new()),
        };
        Datum::Struct("Lock".to_owned(), vec![("owner".to_owned(), owner)])
    }

    fn step(process: u32, operation: &str, after: Option<Datum>) -> Step<()> {
        Step {
            process: Some(Datum::Pid(process)),
            operation: operation.to_owned(),
            arguments: Vec::new(),
            end: after.as_ref().map_or(StepEnd::Disabled, |_| StepEnd::Returns(Datum::Unit)),
            against_rules: false,
            events: Vec::new(),
            choices: Vec::new(),
            after,
            mismatch: None,
            place: None,
        }
    }

    #[test]
    fn a_state_is_shown_whenever_it_is_another_one() {
        let run = |role, steps| Run { role, layer: "Lock".to_owned(), from: owner(None), steps };
        let told = Counterexample {
            values: Vec::new(),
            runs: vec![
                run(RunRole::Possible, vec![step(0, "acquire", Some(owner(Some(0))))]),
                run(RunRole::ButAfter, vec![step(1, "acquire", Some(owner(Some(1)))), step(0, "acquire", None)]),
            ],
            conclusion: "`acquire` has disabled `acquire`".to_owned(),
        };
        expect![[r"
            in the state  Lock { owner: None }
            possible      p0: acquire() → ()
            ending in     Lock { owner: Some(p0) }
            in the state  Lock { owner: None }
            but after     p1: acquire() → ()
            ending in     Lock { owner: Some(p1) }
            there         p0: acquire() is not possible
            `acquire` has disabled `acquire`"]]
        .assert_eq(&told.lines().join("\n"));
    }

    #[test]
    fn a_step_says_that_it_breaks_a_rule_and_what_it_emits() {
        let print = Datum::Tuple(vec![Datum::Str("print".to_owned()), Datum::Tuple(vec![Datum::Int(1)]), Datum::Unit]);
        let emit = Datum::Tuple(vec![Datum::Str("emit".to_owned()), Datum::Bool(true)]);
        let told = Step { against_rules: true, events: vec![print, emit], ..step(0, "look", Some(owner(None))) };
        expect!["p0: look() → (), against the rules, emits print(1), emit(true)"].assert_eq(&told.to_string());
    }

    #[test]
    fn what_another_layer_tells_may_be_the_same() {
        let told = |layer: &str, from| Counterexample {
            values: Vec::new(),
            runs: vec![Run {
                role: RunRole::Possible,
                layer: layer.to_owned(),
                from,
                steps: vec![step(0, "acquire", Some(owner(Some(0))))],
            }],
            conclusion: layer.to_owned(),
        };
        assert!(told("Raw", owner(None)).tells_the_same(&told("Ruled", owner(None))));
        assert!(!told("Raw", owner(None)).tells_the_same(&told("Raw", owner(Some(1)))));
    }
}
