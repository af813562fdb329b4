//! Random bodies of operations: guards, reads, conditional and multi-variable updates over a few kinds of state.
//!
//! A body is a small tree, so that it can be printed in several ways: as it is, without what an abstraction hides, or for the
//! entry of a key.

use fastrand::Rng;

/// The kind of state that a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A counter, of type `u64`.
    Number,
    /// A flag, of type `bool`.
    Flag,
    /// The owner of a lock: `Option<Pid>`.
    Owner,
    /// A number for each process: `Map<Pid, u64>`.
    Own,
    /// A set of processes: `Set<Pid>`.
    Marks,
    /// A scalar, of type `Tok`.
    Token,
    /// A number for each scalar: `Map<Tok, u64>`.
    Table,
    /// A queue of numbers: `Seq<u64>`.
    Queue,
}

impl Kind {
    pub const ALL: [Kind; 8] =
        [Kind::Number, Kind::Flag, Kind::Owner, Kind::Own, Kind::Marks, Kind::Token, Kind::Table, Kind::Queue];

    /// The type as Rust code.
    pub fn ty(self) -> &'static str {
        match self {
            Kind::Number => "u64",
            Kind::Flag => "bool",
            Kind::Owner => "Option<Pid>",
            Kind::Own => "Map<Pid, u64>",
            Kind::Marks => "Set<Pid>",
            Kind::Token => "Tok",
            Kind::Table => "Map<Tok, u64>",
            Kind::Queue => "Seq<u64>",
        }
    }
}

/// The type of an argument or a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ty {
    /// No value, of type `()`.
    Unit,
    /// A truth value: `bool`.
    Bool,
    /// A number, of type `u64`.
    Num,
    /// A scalar, of type `Tok`.
    Tok,
}

impl Ty {
    /// The type as Rust code.
    pub fn name(self) -> &'static str {
        match self {
            Ty::Unit => "()",
            Ty::Bool => "bool",
            Ty::Num => "u64",
            Ty::Tok => "Tok",
        }
    }

    /// A constant of the type.
    pub fn constant(self, random: &mut Rng) -> String {
        match self {
            Ty::Unit => "()".to_owned(),
            Ty::Bool => random.bool().to_string(),
            Ty::Num => random.u8(..3).to_string(),
            Ty::Tok => "TOK".to_owned(),
        }
    }
}

/// A condition, as an expression of type `bool`.
#[derive(Clone, Debug)]
pub enum Cond {
    /// A nondeterministic choice: `maybe()`.
    Maybe,
    /// The negation of a condition: `!…`.
    Not(Box<Cond>),
    /// A conjunction: `… && …`.
    And(Box<Cond>, Box<Cond>),
    /// A disjunction: `… || …`.
    Or(Box<Cond>, Box<Cond>),
    /// A condition on a field, with `@` for the field.
    About(usize, &'static str),
    /// A comparison: `field == token`.
    TokenIs(usize, Token),
    /// Whether a table has an entry: `table.contains(&token)`.
    Holds(usize, Token),
    /// A condition on the argument.
    Arg(&'static str),
}

/// A number, as an expression of type `u64`.
#[derive(Clone, Debug)]
pub enum Num {
    /// A constant of one digit.
    Const(u8),
    /// An arbitrary number: `any()`.
    Any,
    /// An expression with a field, with `@` for the field.
    Of(usize, &'static str),
    /// An entry of a table, 0 by default: `table.get(&token).copied().unwrap_or(0)`.
    Entry(usize, Token),
    /// The argument of the operation.
    Arg,
}

#[derive(Clone, Debug)]
pub enum Token {
    /// The named constant `TOK`.
    Const,
    /// An arbitrary scalar: `any()`.
    Any,
    Field(usize),
    /// The argument of the operation.
    Arg,
}

/// A statement of a body.
#[derive(Clone, Debug)]
pub enum Stmt {
    /// A guard of the step: `when(…);`.
    When(Cond),
    /// An assertion, which may fail: `assert!(…);`.
    Assert(Cond),
    /// An event with a number: `emit(…);`.
    Emit(Num),
    /// A branch: `if … { … } else { … }`.
    If(Cond, Vec<Stmt>, Vec<Stmt>),
    /// An early return: `if … { return …; }`.
    Leave(Cond, Value),
    /// A change of a field, with `@` for the field.
    Do(usize, &'static str),
    /// A change of a field with a number, with `@` for the field and `#` for the number.
    DoNum(usize, &'static str, Num),
    /// An assignment: `flag = …;`.
    SetFlag(usize, Cond),
    /// An assignment: `token = …;`.
    SetToken(usize, Token),
    /// An insertion: `table.insert(…, …);`.
    Insert(usize, Token, Num),
    /// A removal from a table: `table.remove(&…);`.
    Remove(usize, Token),
    /// A loop: `for it in queue { if it == 1 { … } }`.
    ForEach(usize, Vec<Stmt>),
}

/// The value that a body returns.
#[derive(Clone, Debug)]
pub enum Value {
    /// No value, of type `()`.
    Unit,
    /// A truth value: a condition.
    Bool(Cond),
    /// A number: an expression.
    Num(Num),
    Tok(Token),
}

/// The body of an operation, with its signature.
#[derive(Clone, Debug)]
pub struct Body {
    /// The name of the operation.
    pub name: String,
    /// The type of its argument, if it has one.
    pub argument: Option<Ty>,
    /// The type of its result.
    pub result: Ty,
    /// The statements, in order.
    pub statements: Vec<Stmt>,
    /// The value that it returns.
    pub value: Value,
}

/// The way in which a body is printed.
#[derive(Clone, Copy)]
pub struct View<'v> {
    pub fields: &'v [Kind],
    /// A field that does not exist: reads of it return anything, and writes to it are omitted.
    pub hidden: Option<usize>,
    /// Whether fields are maps, and the body is about the entries at `user`.
    pub keyed: bool,
}

impl View<'_> {
    /// The expression for a field.
    pub fn name(&self, field: usize) -> String {
        let letter = match self.fields[field] {
            Kind::Number => "number",
            Kind::Flag => "flag",
            Kind::Owner => "owner",
            Kind::Own => "own",
            Kind::Marks => "marks",
            Kind::Token => "token",
            Kind::Table => "table",
            Kind::Queue => "queue",
        };
        format!("{letter}{field}")
    }

    fn hides(&self, field: usize) -> bool {
        self.hidden == Some(field)
    }

    fn place(&self, field: usize) -> String {
        if self.keyed { format!("self.{}[&user]", self.name(field)) } else { format!("self.{}", self.name(field)) }
    }

    fn at(&self, text: &str, field: usize) -> String {
        text.replace('@', &self.place(field))
    }

    /// A condition as Rust code.
    pub fn cond(&self, cond: &Cond) -> String {
        match cond {
            Cond::Maybe => "maybe()".to_owned(),
            Cond::Not(inner) => format!("!({})", self.cond(inner)),
            Cond::And(a, b) => format!("({} && {})", self.cond(a), self.cond(b)),
            Cond::Or(a, b) => format!("({} || {})", self.cond(a), self.cond(b)),
            Cond::About(field, _) | Cond::TokenIs(field, _) | Cond::Holds(field, _) if self.hides(*field) => {
                "maybe()".to_owned()
            }
            Cond::About(field, text) => self.at(text, *field),
            Cond::TokenIs(field, token) => format!("{} == {}", self.place(*field), self.token(token)),
            Cond::Holds(field, token) => format!("{}.contains(&{})", self.place(*field), self.token(token)),
            Cond::Arg(text) => (*text).to_owned(),
        }
    }

    fn num(&self, num: &Num) -> String {
        match num {
            Num::Const(it) => it.to_string(),
            Num::Any => "any::<u64>()".to_owned(),
            Num::Of(field, _) | Num::Entry(field, _) if self.hides(*field) => "any::<u64>()".to_owned(),
            Num::Of(field, text) => self.at(text, *field),
            Num::Entry(field, token) => {
                format!("{}.get(&{}).copied().unwrap_or(0)", self.place(*field), self.token(token))
            }
            Num::Arg => "arg".to_owned(),
        }
    }

    fn token(&self, token: &Token) -> String {
        match token {
            Token::Const => "TOK".to_owned(),
            Token::Any => "any::<Tok>()".to_owned(),
            Token::Field(field) if self.hides(*field) => "any::<Tok>()".to_owned(),
            Token::Field(field) => self.place(*field),
            Token::Arg => "arg".to_owned(),
        }
    }

    fn value(&self, value: &Value) -> String {
        match value {
            Value::Unit => "()".to_owned(),
            Value::Bool(it) => self.cond(it),
            Value::Num(it) => self.num(it),
            Value::Tok(it) => self.token(it),
        }
    }

    fn statements(&self, statements: &[Stmt]) -> String {
        statements.iter().map(|it| self.statement(it)).collect::<Vec<_>>().join(" ")
    }

    /// A statement as Rust code.
    pub fn statement(&self, statement: &Stmt) -> String {
        match statement {
            Stmt::When(it) => format!("when({});", self.cond(it)),
            Stmt::Assert(it) => format!("assert!({});", self.cond(it)),
            Stmt::Emit(it) => format!("emit({});", self.num(it)),
            Stmt::If(cond, then, otherwise) if otherwise.is_empty() => {
                format!("if {} {{ {} }}", self.cond(cond), self.statements(then))
            }
            Stmt::If(cond, then, otherwise) => {
                format!(
                    "if {} {{ {} }} else {{ {} }}",
                    self.cond(cond),
                    self.statements(then),
                    self.statements(otherwise)
                )
            }
            Stmt::Leave(cond, Value::Unit) => format!("if {} {{ return; }}", self.cond(cond)),
            Stmt::Leave(cond, value) => format!("if {} {{ return {}; }}", self.cond(cond), self.value(value)),
            Stmt::ForEach(field, inner) => {
                let over = if self.hides(*field) { "any::<Seq<u64>>()".to_owned() } else { self.place(*field) };
                format!("for it in {over}.clone() {{ if it == 1 {{ {} }} }}", self.statements(inner))
            }
            Stmt::Do(field, ..)
            | Stmt::DoNum(field, ..)
            | Stmt::SetFlag(field, _)
            | Stmt::SetToken(field, _)
            | Stmt::Insert(field, ..)
            | Stmt::Remove(field, _)
                if self.hides(*field) =>
            {
                String::new()
            }
            Stmt::Do(field, text) => self.at(text, *field),
            Stmt::DoNum(field, text, num) => self.at(text, *field).replace('#', &self.num(num)),
            Stmt::SetFlag(field, cond) => format!("{} = {};", self.place(*field), self.cond(cond)),
            Stmt::SetToken(field, token) => format!("{} = {};", self.place(*field), self.token(token)),
            Stmt::Insert(field, token, num) => {
                format!("{}.insert({}, {});", self.place(*field), self.token(token), self.num(num))
            }
            Stmt::Remove(field, token) => format!("{}.remove(&{});", self.place(*field), self.token(token)),
        }
    }

    /// The statements and the value of a body, as Rust code.
    pub fn body(&self, body: &Body) -> String {
        format!("{} {}", self.statements(&body.statements), self.value(&body.value))
    }

    /// The parameters of a body after `self`, as Rust code.
    pub fn parameters(body: &Body) -> String {
        let argument = body.argument.map(|it| format!(", arg: {}", it.name())).unwrap_or_default();
        format!("me: Pid{argument}")
    }
}

/// Generates random bodies over these fields.
pub struct Bodies<'r> {
    /// The random number generator.
    pub random: &'r mut Rng,
    /// The fields of the state.
    pub fields: Vec<Kind>,
    /// The percentage of operations that emit or assert something.
    pub effects: u32,
}

impl Bodies<'_> {
    /// Two or three fields of different kinds.
    pub fn fields(random: &mut Rng) -> Vec<Kind> {
        let mut kinds = Kind::ALL.to_vec();
        random.shuffle(&mut kinds);
        kinds.truncate(2 + usize::from(random.u8(..3) == 0));
        // Without state that processes share, there is little to find.
        if !kinds.iter().any(|it| matches!(it, Kind::Number | Kind::Flag | Kind::Owner)) {
            kinds[0] = random.choice([Kind::Number, Kind::Flag, Kind::Owner]).unwrap_or(Kind::Flag);
        }
        kinds
    }

    /// True with a probability of this many percent.
    pub fn percent(&mut self, percent: u32) -> bool {
        self.random.u32(..100) < percent
    }

    fn pick<T: Clone>(&mut self, all: &[T]) -> T {
        all[self.random.usize(..all.len())].clone()
    }

    /// A field of this kind, if there is one.
    pub fn field(&mut self, kind: Kind) -> Option<usize> {
        let all: Vec<usize> = (0..self.fields.len()).filter(|it| self.fields[*it] == kind).collect();
        self.random.choice(all)
    }

    /// A random condition. With `of_states`, it makes no choices and does not depend on a process.
    pub fn cond(&mut self, argument: Option<Ty>, depth: u32, of_states: bool) -> Cond {
        if depth > 0 {
            let inner = |it: &mut Self| Box::new(it.cond(argument, depth - 1, of_states));
            match self.random.u8(..8) {
                0 => return Cond::Not(inner(self)),
                1 => return Cond::And(inner(self), inner(self)),
                2 => return Cond::Or(inner(self), inner(self)),
                _ => {}
            }
        }
        if !of_states {
            match (argument, self.random.u8(..10)) {
                (_, 0) => return Cond::Maybe,
                (Some(Ty::Num), 1..=2) => return Cond::Arg(self.pick(&["arg == 0", "arg == 1", "arg < 2"])),
                (Some(Ty::Bool), 1..=2) => return Cond::Arg("arg"),
                _ => {}
            }
        }
        let field = self.random.usize(..self.fields.len());
        let texts: &[&'static str] = match self.fields[field] {
            Kind::Number => &["@ == 0", "@ == 1", "@ < 2", "@ != 2"],
            Kind::Flag => &["@", "!@"],
            Kind::Owner if of_states => &["@.is_none()", "@.is_some()"],
            Kind::Owner => &["@ == Some(me)", "@.is_none()", "@ == Some(me)"],
            Kind::Own if of_states => {
                &["@.is_empty()", "@.values().all(|it| *it == 0)", "@.values().any(|it| *it == 1)"]
            }
            Kind::Own => {
                &["@.contains(&me)", "@.get(&me) == Some(&1)", "@.is_empty()", "@.values().all(|it| *it == 0)"]
            }
            Kind::Marks if of_states => &["@.is_empty()", "@.len() < 2"],
            Kind::Marks => &["@.contains(&me)", "@.is_empty()", "@.iter().any(|it| *it != me)"],
            Kind::Queue => &["@.is_empty()", "@.contains(&1)", "@.first() == Some(&1)"],
            Kind::Table if of_states || self.random.bool() => {
                &["@.is_empty()", "@.keys().contains(&TOK)", "@.values().all(|it| *it == 0)"]
            }
            Kind::Token => return Cond::TokenIs(field, self.token(argument, of_states)),
            Kind::Table => return Cond::Holds(field, self.token(argument, of_states)),
        };
        Cond::About(field, self.pick(texts))
    }

    fn token(&mut self, argument: Option<Ty>, of_states: bool) -> Token {
        if argument == Some(Ty::Tok) && !of_states && self.percent(70) {
            return Token::Arg;
        }
        match self.field(Kind::Token) {
            Some(field) if self.random.bool() => Token::Field(field),
            _ => Token::Const,
        }
    }

    fn num(&mut self, argument: Option<Ty>) -> Num {
        if argument == Some(Ty::Num) && self.percent(50) {
            return Num::Arg;
        }
        if self.percent(5) {
            return Num::Any;
        }
        let field = self.random.usize(..self.fields.len());
        match self.fields[field] {
            Kind::Number => Num::Of(field, self.pick(&["@", "(@ + 1) % 3", "@.saturating_sub(1)", "@"])),
            Kind::Own => Num::Of(field, "@.get(&me).copied().unwrap_or(0)"),
            Kind::Queue => Num::Of(field, "@.first().copied().unwrap_or(0)"),
            Kind::Table => Num::Entry(field, self.token(argument, false)),
            _ => Num::Const(self.random.u8(..3)),
        }
    }

    /// A statement that changes this field.
    fn change(&mut self, field: usize, argument: Option<Ty>) -> Stmt {
        match self.fields[field] {
            Kind::Number => Stmt::DoNum(field, "@ = #;", self.num(argument)),
            Kind::Flag => match self.random.u8(..3) {
                0 => Stmt::SetFlag(field, self.cond(argument, 0, false)),
                1 => Stmt::Do(field, "@ = true;"),
                _ => Stmt::Do(field, "@ = false;"),
            },
            Kind::Owner => Stmt::Do(field, self.pick(&["@ = Some(me);", "@ = None;"])),
            Kind::Own => match self.random.u8(..4) {
                0 => Stmt::Do(field, "@.remove(&me);"),
                1 => Stmt::Do(field, "@ = Map::new();"),
                _ => Stmt::DoNum(field, "@.insert(me, #);", self.num(argument)),
            },
            Kind::Marks => Stmt::Do(field, self.pick(&["@.insert(me);", "@.remove(&me);", "@ = Set::new();"])),
            Kind::Token => {
                let token = if self.percent(15) { Token::Any } else { self.token(argument, false) };
                Stmt::SetToken(field, token)
            }
            Kind::Table => match self.token(argument, false) {
                token if self.percent(30) => Stmt::Remove(field, token),
                token => Stmt::Insert(field, token, self.num(argument)),
            },
            Kind::Queue => match self.random.u8(..4) {
                0 => Stmt::Do(field, "@.pop_front();"),
                1 => Stmt::Do(field, "@.clear();"),
                _ => Stmt::DoNum(field, "@.push(#);", self.num(argument)),
            },
        }
    }

    /// A random statement that changes or checks something.
    pub fn statement(&mut self, argument: Option<Ty>, depth: u32) -> Stmt {
        let field = self.random.usize(..self.fields.len());
        match self.random.u8(..10) {
            0..=2 if depth > 0 => {
                let then = vec![self.statement(argument, depth - 1)];
                let otherwise = if self.percent(30) { vec![self.statement(argument, depth - 1)] } else { vec![] };
                Stmt::If(self.cond(argument, 1, false), then, otherwise)
            }
            3 if depth > 0 => match self.field(Kind::Queue) {
                Some(queue) => Stmt::ForEach(queue, vec![self.change(field, argument)]),
                None => self.change(field, argument),
            },
            _ => self.change(field, argument),
        }
    }

    /// A random value of this type.
    pub fn value(&mut self, ty: Ty, argument: Option<Ty>) -> Value {
        match ty {
            Ty::Unit => Value::Unit,
            Ty::Bool => Value::Bool(self.cond(argument, 1, false)),
            Ty::Num => Value::Num(self.num(argument)),
            Ty::Tok => Value::Tok(self.token(argument, false)),
        }
    }

    /// A signature: the argument and the result.
    fn signature(&mut self) -> (Option<Ty>, Ty) {
        let argument = match self.random.u8(..6) {
            0 => Some(Ty::Num),
            1 => Some(Ty::Bool),
            2 if self.fields.iter().any(|it| matches!(it, Kind::Token | Kind::Table)) => Some(Ty::Tok),
            _ => None,
        };
        let result = self.pick(&[Ty::Unit, Ty::Unit, Ty::Bool, Ty::Num, Ty::Bool]);
        (argument, result)
    }

    /// A body of one of the usual kinds in layers, or an entirely random one.
    pub fn body(&mut self, name: &str) -> Body {
        let (argument, result) = self.signature();
        let owner = self.field(Kind::Owner);
        let own = self.field(Kind::Own).or_else(|| self.field(Kind::Marks));
        let mut body = Body { name: name.to_owned(), argument, result, statements: Vec::new(), value: Value::Unit };
        match (self.random.u8(..10), owner, own) {
            // Acquires a lock, perhaps without waiting.
            (0..=1, Some(owner), _) => {
                body.result = if self.random.bool() { Ty::Unit } else { Ty::Bool };
                body.statements = match body.result {
                    Ty::Bool if self.percent(60) => {
                        vec![Stmt::Leave(Cond::About(owner, "@.is_some()"), Value::Bool(Cond::Arg("false")))]
                    }
                    _ => vec![Stmt::When(Cond::About(owner, "@.is_none()"))],
                };
                if body.result == Ty::Bool {
                    body.value = Value::Bool(Cond::Arg("true"));
                }
                body.statements.push(Stmt::Do(owner, "@ = Some(me);"));
                return body;
            }
            // Releases a lock, perhaps another process's.
            (2..=3, Some(owner), _) => {
                body.result = Ty::Unit;
                if self.percent(60) {
                    body.statements.push(Stmt::When(Cond::About(owner, "@ == Some(me)")));
                }
                body.statements.push(Stmt::Do(owner, "@ = None;"));
                return body;
            }
            // Changes guarded state.
            (4..=5, Some(owner), _) => {
                body.statements.push(Stmt::When(Cond::About(owner, "@ == Some(me)")));
                if self.percent(70) {
                    body.statements.push(self.statement(argument, 1));
                }
            }
            // Changes the process's own state.
            (4..=6, _, Some(own)) => {
                body.statements.push(self.change(own, argument));
                if self.percent(70) {
                    body.result = Ty::Unit;
                }
            }
            // Reads, and perhaps emits what it reads, or fails on it.
            (7..=8, ..) => match self.random.u8(..6) {
                0..=1 if self.effects > 0 => body.statements.push(Stmt::Emit(self.num(argument))),
                2..=4 if self.effects > 0 => {
                    body.statements.push(Stmt::Assert(self.cond(argument, 0, false)));
                    // Then the failure is its only visible effect.
                    body.result = if self.percent(70) { Ty::Unit } else { result };
                }
                _ => {}
            },
            _ => {
                if self.percent(35) {
                    let guard = self.cond(argument, 1, false);
                    body.statements.push(if self.percent(70) {
                        Stmt::When(guard)
                    } else {
                        Stmt::Leave(guard, self.value(body.result, argument))
                    });
                }
                for _ in 0..self.random.u8(1..3) {
                    body.statements.push(self.statement(argument, 1));
                }
            }
        }
        if self.percent(self.effects) {
            let effect = match self.random.u8(..3) {
                0 => Stmt::Assert(self.cond(argument, 1, false)),
                _ => Stmt::Emit(self.num(argument)),
            };
            let at = self.random.usize(..=body.statements.len());
            body.statements.insert(at, effect);
        }
        body.value = self.value(body.result, argument);
        body
    }

    /// The body with one random change.
    pub fn mutated(&mut self, body: &Body) -> Body {
        let mut body = body.clone();
        match self.random.u8(..3) {
            0 if !body.statements.is_empty() => {
                let at = self.random.usize(..body.statements.len());
                body.statements.remove(at);
            }
            1 => {
                let at = self.random.usize(..=body.statements.len());
                body.statements.insert(at, self.statement(body.argument, 1));
            }
            _ => body.value = self.value(body.result, body.argument),
        }
        body
    }
}
