//! Questions about whole collections: invariants, conditions and relations with `all` and `any`, also nested, and through helpers.

use std::fmt::Write;

use fastrand::Rng;

/// What the body of a quantifier may mention.
#[derive(Clone, Copy)]
struct Names {
    /// Whether the process is known.
    me: bool,
    /// A process that a quantifier ranges over.
    key: Option<&'static str>,
    /// A number that a quantifier ranges over.
    number: Option<&'static str>,
    /// How many quantifiers may be nested in it.
    depth: u32,
}

struct Text<'r> {
    random: &'r mut Rng,
}

impl Text<'_> {
    fn pick(&mut self, of: &[&'static str]) -> &'static str {
        of[self.random.usize(..of.len())]
    }

    fn percent(&mut self, percent: u8) -> bool {
        self.random.u8(..100) < percent
    }

    /// A condition on the state.
    fn condition(&mut self, names: Names) -> String {
        match self.random.u8(..10) {
            0 => format!("!{}", self.quantified(names)),
            1 => format!("({} || {})", self.atom(names), self.quantified(names)),
            2 => format!("({} && {})", self.quantified(names), self.quantified(names)),
            3 => self.atom(names),
            _ => self.quantified(names),
        }
    }

    fn quantified(&mut self, names: Names) -> String {
        let Some(depth) = names.depth.checked_sub(1) else { return self.atom(names) };
        let word = self.pick(&["all", "all", "any"]);
        let (key, number) = if depth == 0 { ("j", "w") } else { ("k", "v") };
        let with = |is_key: bool, is_number: bool| Names {
            key: if is_key { Some(key) } else { names.key },
            number: if is_number { Some(number) } else { names.number },
            depth,
            ..names
        };
        match self.random.u8(..8) {
            0 => format!("self.a.values().{word}(|{number}| {})", self.body(with(false, true))),
            1..=3 => format!("self.a.iter().{word}(|({key}, {number})| {})", self.body(with(true, true))),
            4 => format!("self.b.iter().{word}(|{key}| {})", self.body(with(true, false))),
            5 => format!("self.a.keys().iter().{word}(|{key}| {})", self.body(with(true, false))),
            6 => format!("self.t.values().{word}(|{key}| {})", self.body(with(true, false))),
            _ => format!("self.t.iter().{word}(|(_, {key})| {})", self.body(with(true, false))),
        }
    }

    fn body(&mut self, names: Names) -> String {
        match self.random.u8(..10) {
            0..5 => self.atom(names),
            5..7 => format!("{} || {}", self.atom(names), self.atom(names)),
            7 => format!("{} && {}", self.atom(names), self.atom(names)),
            8 => format!("!({})", self.atom(names)),
            _ => format!("{} || {}", self.atom(names), self.quantified(names)),
        }
    }

    fn atom(&mut self, names: Names) -> String {
        let mut all = vec!["self.f".to_owned(), "self.n == 0".to_owned()];
        if names.me {
            all.extend(
                ["self.b.contains(&me)", "self.a.contains(&me)", "self.a.get(&me) == Some(&1)"].map(str::to_owned),
            );
        }
        if let Some(key) = names.key {
            let weighed = [
                format!("self.b.contains({key})"),
                format!("self.b.contains({key})"),
                format!("self.a.contains({key})"),
                format!("self.a.get({key}) == Some(&0)"),
                format!("self.suits(*{key})"),
                format!("self.suits(*{key})"),
                format!("self.is_named(*{key})"),
            ];
            all.extend(weighed);
            if names.me {
                all.extend([format!("*{key} == me"), format!("*{key} != me")]);
            }
            if names.depth == 0 && key == "j" {
                all.push("self.t.get(&TOK) != Some(j)".to_owned());
            }
        }
        if let Some(number) = names.number {
            all.extend([
                format!("*{number} == 0"),
                format!("*{number} == self.n"),
                format!("*{number} != self.n"),
                format!("*{number} == 1"),
            ]);
        }
        let at = self.random.usize(..all.len());
        all.swap_remove(at)
    }

    fn number(&mut self) -> &'static str {
        self.pick(&["0", "1", "self.n", "arg", "arg"])
    }

    fn statement(&mut self, depth: u32) -> String {
        let names = Names { me: true, key: None, number: None, depth: 1 };
        match self.random.u8(..20) {
            0..4 => format!("self.a.insert(me, {}); ", self.number()),
            4..6 => "self.a.remove(&me); ".to_owned(),
            6..8 => "self.b.insert(me); ".to_owned(),
            8 => "self.b.remove(&me); ".to_owned(),
            9..11 => format!("self.t.insert({}, me); ", self.pick(&["tok", "TOK"])),
            11 => "self.t.remove(&tok); ".to_owned(),
            12 => format!("self.n = {}; ", self.number()),
            13 => self.pick(&["self.f = true; ", "self.f = false; ", "repeat(self, |it| it.f = maybe()); "]).to_owned(),
            14 => self.pick(&["self.a = Map::new(); ", "self.b = Set::new(); ", "self.b = self.a.keys(); "]).to_owned(),
            15..17 => format!("when({}); ", self.condition(names)),
            _ if depth == 0 => String::new(),
            _ => {
                let by_chance = self.pick(&["maybe()", "!maybe()"]).to_owned();
                let condition = if self.percent(20) { by_chance } else { self.condition(names) };
                let then = self.statement(0);
                let otherwise = if self.percent(30) { self.statement(0) } else { String::new() };
                format!("if {condition} {{ {then}}} else {{ {otherwise}}} ")
            }
        }
    }

    fn statements(&mut self, most: usize) -> Vec<String> {
        (0..self.random.usize(1..=most)).map(|_| self.statement(1)).collect()
    }

    /// The result of an operation, of type `bool`.
    fn result(&mut self) -> String {
        let names = Names { me: true, key: None, number: None, depth: 1 };
        match self.random.u8(..8) {
            0..3 => "true".to_owned(),
            3 => "self.f".to_owned(),
            4 => self.condition(names),
            // A set that is large enough.
            5 => format!(
                "let some: Set<Pid> = any(); when(self.a.keys().iter().all(|k| {}some.contains(k))); some.contains(&me)",
                self.pick(&["*k == me || ", "*k != me || ", ""])
            ),
            _ => "maybe()".to_owned(),
        }
    }
}

/// `High` over the same state as `Low`, with an invariant about whole collections.
pub fn whole(random: &mut Rng) -> (String, Vec<&'static str>) {
    let mut make = Text { random };
    let of_state = Names { me: false, key: None, number: None, depth: 2 };
    let invariant = make.condition(of_state);
    let keeps = make.random.u8(..100);
    let mut source = String::from(
        "\n#[state]\npub struct Store {\n    pub a: Map<Pid, u64>,\n    pub b: Set<Pid>,\n    pub t: Map<Tok, Pid>,\n    pub n: u64,\n    pub f: bool,\n}\n\nimpl Store {\n",
    );
    let suits =
        make.pick(&["self.b.contains(&who)", "self.f || self.b.contains(&who)", "self.a.get(&who) == Some(&self.n)"]);
    let _ = writeln!(source, "    fn suits(&self, who: Pid) -> bool {{\n        {suits}\n    }}");
    let named = make.pick(&["self.t.values().any(|it| *it == who)", "self.t.values().all(|it| *it != who)"]);
    let _ = writeln!(source, "    fn is_named(&self, who: Pid) -> bool {{\n        {named}\n    }}");
    let _ = writeln!(source, "    fn is_good(&self) -> bool {{\n        {invariant}\n    }}\n}}");
    let names = &super::NAMES[..make.random.usize(1..=3)];
    let (mut below, mut above) = (String::new(), String::new());
    let claims = make.percent(25);
    for name in names {
        let mut statements = make.statements(4);
        let result = make.result();
        let head = |claim: &str| {
            format!("    #[op{claim}]\n    fn {name}(&mut self, me: Pid, arg: u64, tok: Tok) -> bool {{\n        ")
        };
        let claim = if claims { make.pick(&["", "(right)", "(left)"]) } else { "" };
        let mut upper = statements.clone();
        if make.percent(15) {
            let at = make.random.usize(..upper.len());
            upper[at] = make.statement(1);
        }
        if make.percent(keeps) {
            // Steps that would break the invariant are often disabled below as well.
            let condition = if make.percent(80) { "self.is_good()".to_owned() } else { invariant.clone() };
            statements.push(format!("when({condition}); "));
        }
        let _ = writeln!(below, "{}{}{result}\n    }}", head(claim), statements.concat());
        let _ = writeln!(above, "{}{}{result}\n    }}", head(""), upper.concat());
    }
    let start = match make.random.u8(..3) {
        0 => "self.a.is_empty() && self.b.is_empty() && self.t.is_empty() && !self.f".to_owned(),
        1 => "self.is_good()".to_owned(),
        _ => make.condition(of_state),
    };
    let also = if make.percent(20) {
        format!(" && {}", make.condition(of_state).replace("self.", "lo."))
    } else {
        String::new()
    };
    let relation = match make.random.u8(..3) {
        0 if also.is_empty() => "fn same(lo: &Store) -> Store {\n        lo.clone()\n    }".to_owned(),
        _ => format!("fn same(lo: &Store, hi: &Store) -> bool {{\n        lo == hi{also}\n    }}"),
    };
    let init = format!("    #[init]\n    fn init(&self) -> bool {{\n        {start}\n    }}\n");
    let _ = write!(
        source,
        "\n#[layer]\nimpl Low for Store {{\n{init}{below}}}\n\n#[layer(ops = Low)]\nimpl High for Store {{\n{init}    #[invariant]
    fn holds(&self) -> bool {{\n        {}\n    }}\n{above}}}\n
#[implement(High, over = Low, by = abstraction)]\nimpl Same {{\n    #[abstraction]\n    {relation}\n}}\n",
        if make.percent(50) { "self.is_good()" } else { &invariant },
    );
    (source, vec!["Same"])
}
