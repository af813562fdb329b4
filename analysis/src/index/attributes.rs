//! The grammar of `#[layer(…)]`, `#[op(…)]`, `#[implement(…)]`, `#[allowed(…)]`, `#[client(…)]` and `#[stack]`. This module checks only the
//! form; names are resolved later.

use std::ops::Range;

use super::{By, ImplRole, ImplementAttribute, Indexed, Inherit, LayerAttribute, Name, Role};
use crate::{
    diagnostics::{Diagnostic, codes},
    ir::{Claim, Question, Span},
    syntax::{
        self, AstNode, SyntaxToken,
        ast::{self, HasAttrs, HasGenericArgs, HasGenericParams},
    },
};

/// The first attribute whose last path segment is one of `words`.
pub(super) fn find(item: &impl HasAttrs, words: &[&str]) -> Option<(String, ast::Attr)> {
    item.attrs().find_map(|attr| {
        let word = attr.path()?.segment()?.name_ref()?.text().to_string();
        words.contains(&word.as_str()).then_some((word, attr))
    })
}

/// The file named by `#[path = "…"]`.
pub(super) fn path_attribute(item: &impl HasAttrs) -> Option<String> {
    let (_, attr) = find(item, &["path"])?;
    let text = attr.syntax().text().to_string();
    let (_, rest) = text.split_once('"')?;
    Some(rest.split_once('"')?.0.to_owned())
}

/// Whether there is a `#[derive(…)]` of a trait.
pub(super) fn derives(item: &impl HasAttrs, name: &str) -> bool {
    let derived = item.attrs().filter(|attr| attr.simple_name().is_some_and(|it| it == "derive"));
    derived.map(|it| it.syntax().text().to_string()).any(|text| {
        let mut words = text.split(|it: char| !it.is_alphanumeric());
        words.any(|it| it == name)
    })
}

/// Attributes of the language and its tools, which do not change the meaning of a layer or a procedure.
const OF_THE_LANGUAGE: &[&str] = &[
    "allow",
    "automatically_derived",
    "bench",
    "cfg",
    "cfg_attr",
    "cold",
    "debugger_visualizer",
    "default",
    "deny",
    "deprecated",
    "derive",
    "doc",
    "expect",
    "export_name",
    "feature",
    "forbid",
    "ignore",
    "inline",
    "instruction_set",
    "link",
    "link_name",
    "link_section",
    "macro_export",
    "macro_use",
    "must_use",
    "no_mangle",
    "no_std",
    "non_exhaustive",
    "path",
    "recursion_limit",
    "repr",
    "should_panic",
    "target_feature",
    "test",
    "track_caller",
    "type_length_limit",
    "used",
    "warn",
];

/// The first segments of attributes that tools read.
const OF_TOOLS: &[&str] = &["clippy", "diagnostic", "miri", "rust_analyzer", "rustfmt"];

/// The attributes inside an item that `#[layer]`, `#[implement]` and the others read. They are not macros.
const READ_BY_OURS: &[&str] =
    &["abstraction", "allowed", "always", "background", "idle", "init", "invariant", "never", "op"];

/// The attributes of an item that are macros: those of cspec, and unknown ones.
pub(super) fn macros(item: &impl HasAttrs, indexed: &mut Indexed) -> Vec<Name> {
    let paths = item.attrs().filter_map(|it| it.path());
    let is_known = |path: &ast::Path| {
        let first = path.segments().next().map(|it| it.syntax().text().to_string()).unwrap_or_default();
        match path.qualifier() {
            None => [OF_THE_LANGUAGE, READ_BY_OURS].concat().contains(&first.as_str()),
            Some(_) => OF_TOOLS.contains(&first.as_str()),
        }
    };
    let macros: Vec<ast::Path> = paths.filter(|it| !is_known(it)).collect();
    macros.iter().filter_map(|it| indexed.positions.path(it)).collect()
}

const ROLES: &[&str] =
    &["op", "init", "idle", "background", "invariant", "allowed", "abstraction", "client", "never", "always"];

/// The role that a function's attributes give it.
pub(super) fn role(item: &ast::Fn, indexed: &mut Indexed) -> Role {
    let Some((word, attr)) = find(item, ROLES) else { return Role::Plain };
    let mut arguments = Arguments::new(&attr);
    let role = match word.as_str() {
        "op" => op(&mut arguments, indexed),
        "init" => arguments.end().map(|()| Role::Init),
        "background" => arguments.end().map(|()| Role::Background),
        "invariant" => arguments.end().map(|()| Role::Invariant),
        "idle" => arguments.end().map(|()| Role::Idle),
        "never" => arguments.end().map(|()| Role::Question(Question::Never)),
        "always" => arguments.end().map(|()| Role::Question(Question::Always)),
        "abstraction" => arguments.end().map(|()| Role::Abstraction),
        "allowed" => arguments.names(indexed).and_then(|names| arguments.end().map(|()| Role::Allowed(names))),
        _ => client(&mut arguments, indexed),
    };
    role.unwrap_or_else(|malformed| {
        report(indexed, malformed, usage(&word));
        Role::Malformed
    })
}

/// The role that an `impl` block's attributes give it.
pub(super) fn impl_role(item: &ast::Impl, indexed: &mut Indexed) -> ImplRole {
    let Some((word, attr)) = find(item, &["layer", "implement"]) else { return ImplRole::Plain };
    let mut arguments = Arguments::new(&attr);
    let role = if word == "layer" {
        layer(&mut arguments, indexed).map(ImplRole::Layer)
    } else {
        implement(&mut arguments, indexed).map(ImplRole::Implement)
    };
    role.unwrap_or_else(|malformed| {
        report(indexed, malformed, usage(&word));
        ImplRole::Malformed
    })
}

fn usage(word: &str) -> &'static str {
    match word {
        "op" => "write `#[op]`, `#[op(right)]`, `#[op(left)]`, `#[op(both)]`, `#[op(non)]` or `#[op(external)]`",
        "allowed" => "write `#[allowed(op, op)]`",
        "client" => "write `#[client(Stack, processes(2, 3))]`, or `#[client(Stack, processes(2), may_wait)]`",
        "layer" => "write `#[layer]` with any of `inherit(Layer: op)`, `ops = Layer`, `protocol = Layer`, `nilpotent`",
        "implement" => {
            "write `#[implement(Upper, over = Lower, by = movers, pass(op))]`, or `by = partition(key), check = op`"
        }
        _ => "this attribute takes no arguments",
    }
}

/// A token that does not fit, and the expected one.
struct Malformed {
    range: Range<u32>,
    expected: String,
}

fn report(indexed: &mut Indexed, malformed: Malformed, help: &str) {
    let span = Span { file: 0, start: malformed.range.start, end: malformed.range.end };
    indexed.diagnostics.push(Diagnostic {
        help: Some(help.to_owned()),
        ..Diagnostic::error(codes::CS0207, span, format!("malformed attribute: {}", malformed.expected))
    });
}

type Parsed<T> = Result<T, Malformed>;

/// The tokens between the parentheses of an attribute.
struct Arguments {
    tokens: Vec<SyntaxToken>,
    next: usize,
    /// The range to report when the tokens are used up.
    end: Range<u32>,
}

impl Arguments {
    fn new(attr: &ast::Attr) -> Self {
        let tree = attr.meta().and_then(|meta| match meta {
            ast::Meta::TokenTreeMeta(it) => it.token_tree(),
            _ => None,
        });
        let mut tokens: Vec<SyntaxToken> = tree.map_or_else(Vec::new, |tree| {
            let elements = tree.syntax().descendants_with_tokens();
            elements.filter_map(|it| it.into_token()).filter(|it| !it.kind().is_trivia()).collect()
        });
        if !tokens.is_empty() {
            tokens.remove(0);
        }
        tokens.pop();
        Arguments { tokens, next: 0, end: syntax::range(attr.syntax().text_range()) }
    }

    fn peek(&self, ahead: usize) -> &str {
        self.tokens.get(self.next + ahead).map_or("", |it| it.text())
    }

    fn eat(&mut self, text: &str) -> bool {
        let eaten = self.peek(0) == text;
        self.next += usize::from(eaten);
        eaten
    }

    fn malformed<T>(&self, expected: &str) -> Parsed<T> {
        let token = self.tokens.get(self.next);
        let range = token.map_or_else(|| self.end.clone(), |it| syntax::range(it.text_range()));
        let found = token.map_or("the end".to_owned(), |it| format!("`{}`", it.text()));
        Err(Malformed { range, expected: format!("expected {expected}, found {found}") })
    }

    fn expect(&mut self, text: &str) -> Parsed<()> {
        if self.eat(text) { Ok(()) } else { self.malformed(&format!("`{text}`")) }
    }

    fn end(&self) -> Parsed<()> {
        if self.next < self.tokens.len() { self.malformed("nothing more") } else { Ok(()) }
    }

    /// Parses an identifier; of a path, the last segment.
    fn name(&mut self, what: &str, indexed: &mut Indexed) -> Parsed<Name> {
        // In token trees `::` is two tokens.
        let mut qualifier = Vec::new();
        if self.peek(0) == ":" && self.peek(1) == ":" {
            self.next += 2;
            qualifier.push(String::new());
        }
        while self.peek(1) == ":" && self.peek(2) == ":" {
            qualifier.push(self.peek(0).to_owned());
            self.next += 3;
        }
        match self.tokens.get(self.next) {
            Some(token) if is_identifier(token.text()) => {
                self.next += 1;
                let name = indexed.positions.name(token.text(), syntax::range(token.text_range()));
                Ok(Name { qualifier, ..name })
            }
            _ => self.malformed(what),
        }
    }

    /// Names separated by commas, until something else.
    fn names(&mut self, indexed: &mut Indexed) -> Parsed<Vec<Name>> {
        let mut names = vec![self.name("the name of an operation", indexed)?];
        while self.eat(",") && is_identifier(self.peek(0)) {
            names.push(self.name("the name of an operation", indexed)?);
        }
        Ok(names)
    }
}

fn is_identifier(text: &str) -> bool {
    text.starts_with(|it: char| it.is_alphabetic() || it == '_')
}

fn op(arguments: &mut Arguments, indexed: &mut Indexed) -> Parsed<Role> {
    let mut claim = None;
    let mut external = false;
    while arguments.next < arguments.tokens.len() {
        let found = match arguments.peek(0) {
            "right" => Some(Claim::Right),
            "left" => Some(Claim::Left),
            "both" => Some(Claim::Both),
            "non" => Some(Claim::Non),
            "external" => None,
            _ => return arguments.malformed("a mover type or `external`"),
        };
        let word = arguments.name("a mover type", indexed)?;
        match found {
            Some(found) => claim = Some((found, word)),
            None => external = true,
        }
        if !arguments.eat(",") {
            arguments.end()?;
        }
    }
    Ok(Role::Op { claim, external })
}

fn client(arguments: &mut Arguments, indexed: &mut Indexed) -> Parsed<Role> {
    let mut stacks = vec![arguments.name("the name of a stack", indexed)?];
    arguments.expect(",")?;
    while !(arguments.peek(0) == "processes" && arguments.peek(1) == "(") {
        stacks.push(arguments.name("the name of a stack or `processes(…)`", indexed)?);
        arguments.expect(",")?;
    }
    arguments.next += 2;
    let mut processes = Vec::new();
    while !arguments.eat(")") {
        match arguments.peek(0).parse() {
            Ok(count @ 1..) => processes.push(count),
            _ => return arguments.malformed("a number of processes"),
        }
        arguments.next += 1;
        if !arguments.eat(",") && arguments.peek(0) != ")" {
            return arguments.malformed("`,` or `)`");
        }
    }
    let mut may_wait = false;
    while arguments.eat(",") && !may_wait {
        may_wait = arguments.eat("may_wait");
    }
    arguments.end()?;
    Ok(Role::Client { stacks, processes, may_wait })
}

fn layer(arguments: &mut Arguments, indexed: &mut Indexed) -> Parsed<LayerAttribute> {
    let mut layer = LayerAttribute::default();
    while arguments.next < arguments.tokens.len() {
        if arguments.eat("inherit") {
            arguments.expect("(")?;
            layer.inherit.push(inherit(arguments, indexed)?);
        } else if arguments.eat("ops") {
            arguments.expect("=")?;
            layer.ops = Some(arguments.name("the name of a layer", indexed)?);
        } else if arguments.eat("protocol") {
            arguments.expect("=")?;
            layer.protocol = Some(arguments.name("the name of a layer", indexed)?);
        } else if arguments.eat("nilpotent") {
            layer.nilpotent = true;
        } else {
            return arguments.malformed("`inherit(…)`, `ops = …`, `protocol = …` or `nilpotent`");
        }
        if !arguments.eat(",") {
            arguments.end()?;
        }
    }
    Ok(layer)
}

fn inherit(arguments: &mut Arguments, indexed: &mut Indexed) -> Parsed<Inherit> {
    let layer = arguments.name("the name of a layer", indexed)?;
    let field = if arguments.eat("in") { Some(arguments.name("the name of a field", indexed)?) } else { None };
    let key = if field.is_some() && arguments.eat("[") {
        let name = arguments.name("the name of a key", indexed)?;
        arguments.expect(":")?;
        let ty = arguments.name("the type of the key, by its name", indexed)?;
        arguments.expect("]")?;
        Some((name, ty))
    } else {
        None
    };
    arguments.expect(":")?;
    let names = arguments.names(indexed)?;
    arguments.expect(")")?;
    Ok(Inherit { layer, field, key, names })
}

fn implement(arguments: &mut Arguments, indexed: &mut Indexed) -> Parsed<ImplementAttribute> {
    let upper = arguments.name("the name of the upper layer", indexed)?;
    let (mut over, mut by, mut key, mut check, mut pass) = (None, None, None, None, Vec::new());
    while arguments.eat(",") && arguments.next < arguments.tokens.len() {
        if arguments.eat("over") {
            arguments.expect("=")?;
            over = Some(arguments.name("the name of the lower layer", indexed)?);
        } else if arguments.eat("by") {
            arguments.expect("=")?;
            by = Some(pattern(arguments, &mut key, indexed)?);
        } else if arguments.eat("check") {
            arguments.expect("=")?;
            check = Some(arguments.name("the name of an operation", indexed)?);
        } else if arguments.eat("pass") {
            arguments.expect("(")?;
            pass.extend(arguments.names(indexed)?);
            arguments.expect(")")?;
        } else {
            return arguments.malformed("`over = …`, `by = …`, `check = …` or `pass(…)`");
        }
    }
    arguments.end()?;
    match (over, by) {
        (Some(over), Some((by, by_name))) => Ok(ImplementAttribute { upper, over, by, by_name, key, check, pass }),
        (None, _) => arguments.malformed("`over = Layer`"),
        (_, None) => arguments
            .malformed("`by = movers`, `by = retry`, `by = abstraction`, `by = partition(key)` or `by = search`"),
    }
}

fn pattern(arguments: &mut Arguments, key: &mut Option<Name>, indexed: &mut Indexed) -> Parsed<(By, Name)> {
    let by = match arguments.peek(0) {
        "movers" => By::Movers,
        "retry" => By::Retry,
        "abstraction" => By::Abstraction,
        "partition" => By::Partition,
        "search" => By::Search,
        _ => return arguments.malformed("`movers`, `retry`, `abstraction`, `partition(key)` or `search`"),
    };
    let name = arguments.name("a proof pattern", indexed)?;
    if by == By::Partition {
        arguments.expect("(")?;
        *key = Some(arguments.name("the name of the key", indexed)?);
        arguments.expect(")")?;
    }
    Ok((by, name))
}

/// The implementations in `A<B<C<Below>>>`, down to the alias' own parameter.
pub(super) fn stack_links(item: &ast::TypeAlias, indexed: &mut Indexed) -> Option<Vec<Name>> {
    let links = nested_paths(item);
    let parameter =
        item.generic_param_list().and_then(|list| list.type_or_const_params().next()).and_then(|it| it.name());
    let ends_in_parameter = links.last().zip(parameter).is_some_and(|(last, it)| last.syntax().text() == it.text());
    if links.len() < 2 || !ends_in_parameter {
        let range = syntax::range(item.ty().map_or_else(|| item.syntax().text_range(), |it| it.syntax().text_range()));
        let malformed =
            Malformed { range, expected: "a stack consists of implementations around its own parameter".to_owned() };
        report(indexed, malformed, "write `#[stack] type Name<Below> = Top<Middle<Bottom<Below>>>;`");
        return None;
    }
    let above = &links[..links.len() - 1];
    above.iter().map(|it| indexed.positions.path(it)).collect()
}

fn nested_paths(item: &ast::TypeAlias) -> Vec<ast::Path> {
    let mut paths = Vec::new();
    let mut next = item.ty();
    while let Some(ast::Type::PathType(path)) = next.take() {
        let Some(path) = path.path() else { break };
        let Some(segment) = path.segment() else { break };
        paths.push(path);
        next = segment.generic_arg_list().and_then(|list| {
            list.generic_args().find_map(|it| match it {
                ast::GenericArg::TypeArg(it) => it.ty(),
                _ => None,
            })
        });
    }
    paths
}
