//! Layers for one key, between layers for all keys.

use std::fmt::Write;

use fastrand::Rng;

use super::{Bodies, Body, View, body::Kind, init, operation, state};

/// `All` over `One` at the top, `One` over `Table` at the bottom.
pub fn partition(random: &mut Rng) -> (String, Vec<&'static str>) {
    let kinds = [Kind::Number, Kind::Flag, Kind::Owner];
    let count = 1 + random.usize(..2);
    let mut fields = kinds.to_vec();
    random.shuffle(&mut fields);
    fields.truncate(count);
    let mut make = Bodies { random, fields: fields.clone(), effects: 8 };
    let names = 1 + make.random.usize(..3);
    let one: Vec<Body> = super::NAMES[..names].iter().map(|name| make.body(name)).collect();
    let below: Vec<Body> = one.iter().map(|it| if make.percent(20) { make.mutated(it) } else { it.clone() }).collect();
    let view = View { fields: &fields, hidden: None, keyed: false };
    let keyed = View { fields: &fields, hidden: None, keyed: true };
    let operations: String = one.iter().map(operation).collect();
    let starts = view.cond(&make.cond(None, 0, true));
    let text = format!(
        "\n#[scalar]\npub struct User(u64);\n{}\n#[layer]\nimpl Single for One {{\n{}{operations}}}\n{}{}",
        state("One", &view, &one),
        init(Some(&starts)),
        top(&mut make, &one),
        bottom(&mut make, &keyed, &below, &starts),
    );
    (text, vec!["ByUser", "Split"])
}

fn top(make: &mut Bodies, one: &[Body]) -> String {
    let names: Vec<&str> = one.iter().map(|it| it.name.as_str()).collect();
    let names = names.join(", ");
    let answer = make
        .random
        .choice(["self.ones.contains(&user)", "maybe() && self.ones.contains(&user)", "maybe()", "false"])
        .unwrap_or_default();
    let answer = if make.percent(60) { "maybe() && self.ones.contains(&user)" } else { answer };
    format!(
        "\n#[state]\npub struct Everyone {{\n    pub ones: Map<User, One>,\n}}\n
#[layer(inherit(Single in ones[user: User]: init, {names}))]\nimpl All for Everyone {{
    #[op]\n    fn knows(&mut self, me: Pid, user: User) -> bool {{\n        {answer}\n    }}\n}}\n
#[implement(All, over = Single, by = partition(user), check = knows, pass({names}))]\nimpl ByUser {{}}\n"
    )
}

fn bottom(make: &mut Bodies, keyed: &View, below: &[Body], starts: &str) -> String {
    let mut text = "\n#[state]\npub struct Table {\n    pub users: Set<User>,\n".to_owned();
    for (field, kind) in keyed.fields.iter().enumerate() {
        let _ = writeln!(text, "    pub {}: Map<User, {}>,", keyed.name(field), kind.ty());
    }
    text += "}\n\n#[layer]\nimpl Shared for Table {\n";
    let names: Vec<String> = (0..keyed.fields.len()).map(|it| keyed.name(it)).collect();
    // The table has an entry for each user, with few exceptions.
    let whole = make.percent(90);
    let all: Vec<String> = names.iter().map(|it| format!("self.{it}.contains(user)")).collect();
    let of_one = starts.to_owned();
    let start = start(make, keyed, &of_one);
    text += &init(Some(&start));
    let mut code = String::new();
    for body in below {
        let guard = if make.percent(92) { "when(self.users.contains(&user)); " } else { "" };
        let present: Vec<String> = names.iter().map(|it| format!("self.{it}.contains(&user)")).collect();
        let present = if whole { format!("when({}); ", present.join(" && ")) } else { String::new() };
        let slip = match make.random.u8(..24) {
            0 => format!("self.{} = Map::new(); ", names[0]),
            1 => "self.users.insert(user); ".to_owned(),
            2 => "self.users = Set::new(); ".to_owned(),
            3 => format!("for user in self.users.clone() {{ self.{}.remove(&user); }} ", names[0]),
            // Changes other keys only.
            4 => "for it in self.users.clone() { if it != user { self.users.remove(&it); } } ".to_owned(),
            5..=7 => format!(
                "for it in self.users.clone() {{ if it != user {{ self.{}.insert(it, {}); }} }} ",
                names[0],
                constant(keyed.fields[0])
            ),
            _ => String::new(),
        };
        let argument = body.argument.map(|it| format!(", arg: {}", it.name())).unwrap_or_default();
        let given = if body.argument.is_some() { ", arg" } else { "" };
        let (name, result) = (&body.name, body.result.name());
        let _ = write!(
            text,
            "    #[op]\n    fn {name}(&mut self, me: Pid, user: User{argument}) -> {result} {{
        {guard}{present}{slip}{}\n    }}\n",
            keyed.body(body)
        );
        let _ = write!(
            code,
            "    fn {name}(lo: &mut impl Shared, user: User{argument}) -> {result} {{\n        lo.{name}(user{given})\n    }}\n"
        );
    }
    let answer = make
        .random
        .choice([
            "self.users.contains(&user)",
            "maybe()",
            "let known = self.users.contains(&user); emit(1u64); known",
            "self.users.insert(user); true",
            "self.users.contains(&user) && maybe()",
        ])
        .unwrap_or_default();
    let present: Vec<String> = names.iter().map(|it| format!("self.{it}.contains(&user)")).collect();
    let valid_one = if whole {
        format!("self.users.contains(&user) && {}", present.join(" && "))
    } else {
        "self.users.contains(&user)".to_owned()
    };
    let answer = if make.percent(85) { valid_one.as_str() } else { answer };
    let _ = write!(
        text,
        "    #[op]\n    fn is_there(&mut self, me: Pid, user: User) -> bool {{\n        {answer}\n    }}\n}}\n"
    );
    let valid = if whole {
        format!("lo.users.contains(user) && {}", all.join(" && ").replace("self.", "lo."))
    } else {
        "lo.users.contains(user)".to_owned()
    };
    let fields: Vec<String> = names.iter().map(|it| format!("{it}: lo.{it}[user]")).collect();
    let _ = write!(
        text,
        "\n#[implement(Single, over = Shared, by = partition(user), check = is_there)]\nimpl Split {{
    #[abstraction]\n    fn slice(lo: &Table, user: &User) -> Option<One> {{
        if !({valid}) {{ return None; }}\n        Some(One {{ {} }})\n    }}\n{code}}}\n",
        fields.join(", ")
    );
    text
}

/// A value of a field.
fn constant(kind: Kind) -> &'static str {
    match kind {
        Kind::Number => "2",
        Kind::Flag => "true",
        _ => "None",
    }
}

/// A condition on initial tables: mostly that the state of every user is initial.
fn start(make: &mut Bodies, keyed: &View, of_one: &str) -> String {
    let mut of_entry = of_one.to_owned();
    for field in 0..keyed.fields.len() {
        let name = keyed.name(field);
        of_entry = of_entry.replace(&format!("self.{name}"), &format!("self.{name}[user]"));
    }
    let names: Vec<String> =
        (0..keyed.fields.len()).map(|it| format!("self.{}.contains(user)", keyed.name(it))).collect();
    let all = format!("self.users.iter().all(|user| {} && {of_entry})", names.join(" && "));
    if make.percent(90) { all } else { "true".to_owned() }
}
