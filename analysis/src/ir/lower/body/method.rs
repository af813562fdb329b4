//! Method calls: on the package's own types, and on the types of the language by the table in docs/language.md.

use super::{Body, expr::arguments};
use crate::{
    index::ImplRole,
    ir::lower::{
        declared::{ItemRef, Owner},
        names::Entry,
        report::did_you_mean,
        spot::Spot,
        ty::{Con, Ty},
    },
    ir::{Argument, Arith, BitCount, Expr, ExprKind, Literal, Mutation, Overflow, Pattern, Place, Prim, Stmt},
    syntax::{
        AstNode,
        ast::{self, HasGenericArgs},
    },
};

/// The receiver of a method call.
pub(super) enum Receiver {
    Place(Place, Ty, Spot),
    /// A value, and whether a `&mut` may be in it.
    Value(Expr, bool),
}

/// Methods that return their receiver: references and copies are erased.
const TRANSPARENT: &[&str] = &["clone", "to_owned", "to_string", "as_str", "as_ref", "borrow"];

/// The rank of a function of another layer among those that a name may refer to.
const OF_ANOTHER_LAYER: u32 = 3;

impl Body<'_> {
    pub(super) fn method_call(&mut self, call: &ast::MethodCallExpr, expected: Option<&Ty>) -> Expr {
        let spot = self.spot(call.syntax());
        let (Some(target), Some(name)) = (call.receiver(), call.name_ref()) else {
            return self.required(None, spot, None);
        };
        let name = name.text().to_string();
        if self.is_lower(&target) {
            return self.perform(call, &name, spot);
        }
        if let (ast::Expr::MethodCallExpr(parse), "ok") = (&target, name.as_str())
            && parse.name_ref().is_some_and(|it| it.text() == "parse")
        {
            return self.parse(parse, spot);
        }
        if self.returns_reference(call) {
            return self.read_referent(&ast::Expr::MethodCallExpr(call.clone()));
        }
        let mut statements = Vec::new();
        let receiver = if self.is_referent(&target) {
            let place = self.referent(&target, &mut statements);
            let spot = self.spot(target.syntax());
            place.map(|(place, ty)| Receiver::Place(place, ty, spot))
        } else {
            self.receiver(&target)
        };
        let Some(receiver) = receiver else { return self.unsupported_at(spot) };
        let converts = matches!(name.as_str(), "into" | "try_into") && arguments(call).is_empty();
        let value = if converts && !self.has_method(&receiver, &name) {
            let value = self.value(receiver);
            self.into(value, &name, expected, spot)
        } else {
            self.method_of(call, receiver, &name, spot)
        };
        self.after(statements, value, spot)
    }

    /// Whether the type of the receiver, a type of the package, has a method of its own.
    fn has_method(&self, receiver: &Receiver, name: &str) -> bool {
        let ty = match receiver {
            Receiver::Place(_, ty, _) => self.infer.shallow(ty),
            Receiver::Value(value, _) => self.ty(value),
        };
        let Ty::Con(Con::User(id), _) = ty else { return false };
        let owner = Owner::Entry(Entry::Type(self.package.type_info(id).item));
        !self.methods(&owner, name).is_empty()
    }

    fn method_of(&mut self, call: &ast::MethodCallExpr, receiver: Receiver, name: &str, spot: Spot) -> Expr {
        let ty = match &receiver {
            Receiver::Place(_, ty, _) => self.infer.shallow(ty),
            Receiver::Value(value, _) => self.ty(value),
        };
        match &ty {
            Ty::Error => self.unsupported_at(spot),
            Ty::Con(Con::User(id), _) => {
                let owner = Owner::Entry(Entry::Type(self.package.type_info(*id).item));
                self.user_method(call, receiver, owner, &ty, name, spot)
            }
            Ty::Var(_) if TRANSPARENT.contains(&name) => self.value(receiver),
            Ty::Var(_) if !self.infer.is_integer_variable(&ty) => {
                self.type_error(spot, format!("the type of the receiver of `{name}` must be known here"))
            }
            _ => self.language_method(call, receiver, &ty, name, spot),
        }
    }

    fn receiver(&mut self, target: &ast::Expr) -> Option<Receiver> {
        if !self.is_place(target) {
            if let ast::Expr::RefExpr(it) = target
                && it.mut_token().is_some()
            {
                return self.receiver(&it.expr()?);
            }
            if let ast::Expr::ParenExpr(it) = target {
                return self.receiver(&it.expr()?);
            }
            let holds = self.holds_reference(target);
            return Some(Receiver::Value(self.expr(target, None), holds));
        }
        let spot = self.spot(target.syntax());
        let (place, ty) = self.place(target)?;
        Some(Receiver::Place(place, ty, spot))
    }

    /// Lowers a call `text.parse::<T>().ok()`.
    fn parse(&mut self, parse: &ast::MethodCallExpr, spot: Spot) -> Expr {
        let written = parse.generic_arg_list().and_then(|it| it.generic_args().next());
        let ty = match written {
            Some(ast::GenericArg::TypeArg(it)) => it.ty().map_or(Ty::Error, |it| self.written_type(&it)),
            _ => self.infer.fresh(),
        };
        let text = self.required(parse.receiver(), spot, Some(&Ty::STR));
        self.make(spot, Ty::option(ty), ExprKind::Prim(Prim::Parse, vec![text]))
    }

    /// `text.split_once(separator)`, where the separator may be a character.
    fn split_once(&mut self, text: Expr, separator: &ast::Expr, spot: Spot) -> Expr {
        let separator = match separator {
            ast::Expr::Literal(literal) if let ast::LiteralKind::Char(it) = literal.kind() => match it.value() {
                Ok(value) => {
                    let text = Literal::Str(value.to_string());
                    self.make(self.spot(literal.syntax()), Ty::STR, ExprKind::Literal(text))
                }
                Err(_) => return self.type_error(spot, "this character has an invalid escape"),
            },
            other => self.check(other, &Ty::STR),
        };
        let ty = Ty::option(Ty::tuple(vec![Ty::STR, Ty::STR]));
        self.make(spot, ty, ExprKind::Prim(Prim::SplitOnce, vec![text, separator]))
    }

    pub(super) fn value(&mut self, receiver: Receiver) -> Expr {
        match receiver {
            Receiver::Place(place, ty, spot) => self.make(spot, ty, ExprKind::Read(place)),
            Receiver::Value(value, _) => value,
        }
    }

    /// The place that a method changes; a value is stored in a new variable first. `None` if it must not change.
    pub(super) fn changed(&mut self, receiver: Receiver, spot: Spot, statements: &mut Vec<Stmt>) -> Option<Place> {
        match receiver {
            Receiver::Place(place, ..) => self.changeable(&place, spot).then_some(place),
            Receiver::Value(_, true) => {
                let help = "change the place itself, or bind it with `let name = &mut place;`";
                self.unsupported(spot, "changing a value that may hold a `&mut`", help);
                None
            }
            Receiver::Value(value, false) => {
                let ty = self.ty(&value);
                let local = self.fresh_local("temporary", ty, true);
                statements.push(Stmt::Let(Pattern::Bind(local), value));
                Some(Place { local, path: Vec::new() })
            }
        }
    }

    fn user_method(
        &mut self,
        call: &ast::MethodCallExpr,
        receiver: Receiver,
        owner: Owner,
        ty: &Ty,
        name: &str,
        spot: Spot,
    ) -> Expr {
        let candidates = self.methods(&owner, name);
        let item = match candidates.as_slice() {
            [] if TRANSPARENT.contains(&name) => return self.value(receiver),
            [] => {
                if let Ok(value) = self.ordered_method(call, receiver, ty, name, spot) {
                    return value;
                }
                let members = self.package.functions_of.keys();
                let known = members.filter(|(it, _)| *it == owner).map(|(_, name)| name.as_str());
                let help = did_you_mean(name, known);
                let what = format!("method of `{}`:", self.package.type_name_of(ty));
                let spot = self.name_spot(call, spot);
                return self.unknown_name(spot, &what, name, help);
            }
            [item] => *item,
            [one, other, ..] => return self.several(name, spot, [one, other].map(|it| Entry::Function(*it))),
        };
        let Some(signature) = self.package.signature(item) else { return self.unsupported_at(spot) };
        if let Some(other) = self.other_receiver(&owner, name, item) {
            return self.several(name, spot, [item, other].map(Entry::Function));
        }
        if !signature.is_method {
            let owner = self.package.type_name_of(ty);
            return self.type_error(spot, format!("`{name}` is not a method: call it as `{owner}::{name}(…)`"));
        }
        let mut statements = Vec::new();
        let argument = if signature.parameters[0].inout {
            match self.changed(receiver, spot, &mut statements) {
                Some(place) => Argument::InOut(place),
                None => return self.unsupported_at(spot),
            }
        } else {
            Argument::Value(self.value(receiver))
        };
        let value = self.call_function(item, Some(argument), &arguments(call), spot);
        self.after(statements, value, spot)
    }

    /// A method of the name that takes `self` in another way. Which of the two Rust calls depends on how often the receiver is borrowed.
    fn other_receiver(&self, owner: &Owner, name: &str, item: ItemRef) -> Option<ItemRef> {
        let form = |it: ItemRef| self.package.signature(it).and_then(|it| it.receiver);
        let all = self.package.functions_of.get(&(owner.clone(), name.to_owned()))?;
        all.iter().copied().find(|it| *it != item && self.is_in_scope(*it) && form(*it) != form(item))
    }

    /// Whether it is not a helper of another layer.
    fn is_in_scope(&self, item: ItemRef) -> bool {
        self.rank(item) < OF_ANOTHER_LAYER
    }

    /// The methods that a name may refer to.
    fn methods(&self, owner: &Owner, name: &str) -> Vec<ItemRef> {
        let key = (owner.clone(), name.to_owned());
        self.best(self.package.functions_of.get(&key).map_or(&[], Vec::as_slice))
    }

    /// Of associated functions of one type and name, those that a call refers to: of the type itself, else of the same block, else of the
    /// type's traits, else of other layers over it.
    pub(super) fn best(&self, candidates: &[ItemRef]) -> Vec<ItemRef> {
        let best = candidates.iter().map(|it| self.rank(*it)).min();
        candidates.iter().copied().filter(|it| Some(self.rank(*it)) == best).collect()
    }

    fn rank(&self, item: ItemRef) -> u32 {
        let here = self.package.function_item(self.item).owner;
        let block = self.package.owner(item);
        let same = item.file == self.item.file && self.package.function_item(item).owner == here && here.is_some();
        match block.map(|it| (&it.role, &it.trait_name)) {
            Some((ImplRole::Plain, None)) => 0,
            _ if same => 1,
            Some((ImplRole::Plain, Some(_))) => 2,
            _ => OF_ANOTHER_LAYER,
        }
    }

    fn language_method(
        &mut self,
        call: &ast::MethodCallExpr,
        receiver: Receiver,
        ty: &Ty,
        name: &str,
        spot: Spot,
    ) -> Expr {
        if let Some((mutation, operands, result)) = mutation(ty, name) {
            return self.mutation(call, receiver, (mutation, ty), &operands, result, spot);
        }
        let receiver = match self.collection_change(call, receiver, ty, name, spot) {
            Ok(changed) => return changed,
            Err(receiver) => *receiver,
        };
        let is_string = matches!(ty, Ty::Con(Con::Str, _));
        if name == "to_string" {
            let value = self.value(receiver);
            return self.text(value, spot);
        }
        if is_string
            && name == "split_once"
            && let [separator] = arguments(call).as_slice()
        {
            let text = self.value(receiver);
            return self.split_once(text, separator, spot);
        }
        if TRANSPARENT.contains(&name) {
            return self.value(receiver);
        }
        let receiver = match ty {
            Ty::Con(Con::Ordering, _) => match self.ordering_method(call, receiver, name, spot) {
                Ok(value) => return value,
                Err(receiver) => *receiver,
            },
            _ => receiver,
        };
        if let Some((prim, operands, result)) = pure(ty, name) {
            let mut values = vec![self.value(receiver)];
            let Some(arguments) = self.operands(call, name, &operands, spot) else { return self.unsupported_at(spot) };
            values.extend(arguments);
            return self.make(spot, result, ExprKind::Prim(prim, values));
        }
        let receiver = match self.ordered_method(call, receiver, ty, name, spot) {
            Ok(value) => return value,
            Err(receiver) => *receiver,
        };
        match ty {
            Ty::Con(Con::Option, types) => self.option_method(call, receiver, &types[0].clone(), name, spot),
            Ty::Con(Con::Result, types) => {
                let value = self.value(receiver);
                self.result_method(call, value, (&types[0].clone(), &types[1].clone()), name, spot)
            }
            Ty::Con(Con::Seq | Con::Set | Con::Map, _) => {
                let is_place = matches!(receiver, Receiver::Place(..));
                let value = self.value(receiver);
                self.iterator_method(call, value, is_place, name, spot)
            }
            Ty::Con(Con::Bool, _) if matches!(name, "then" | "then_some") => self.then(call, receiver, name, spot),
            _ => self.no_such_method(call, ty, name, spot),
        }
    }

    /// `condition.then(|| value)`, and `condition.then_some(value)`, which always evaluates the value.
    fn then(&mut self, call: &ast::MethodCallExpr, receiver: Receiver, name: &str, spot: Spot) -> Expr {
        let condition = self.value(receiver);
        let mut statements = Vec::new();
        let (condition, value) = match arguments(call).as_slice() {
            [value] if name == "then_some" => {
                let condition = self.stored("condition", condition, spot, &mut statements);
                let value = self.expr(value, None);
                (condition, self.stored("value", value, spot, &mut statements))
            }
            [closure] => match self.thunk(closure, None) {
                Some(value) => (condition, value),
                None => return self.unsupported_at(spot),
            },
            values => {
                return self.type_error(spot, format!("`{name}` takes 1 arguments, found {}", values.len()));
            }
        };
        let some = self.some_of(value, spot);
        let ty = self.ty(&some);
        let none = self.make(spot, ty.clone(), ExprKind::Variant(0, Vec::new()));
        let chosen = self.make(spot, ty, ExprKind::If(Box::new(condition), Box::new(some), Box::new(none)));
        self.after(statements, chosen, spot)
    }

    fn operands(&mut self, call: &ast::MethodCallExpr, name: &str, types: &[Ty], spot: Spot) -> Option<Vec<Expr>> {
        let values = arguments(call);
        if values.len() != types.len() {
            self.type_error(spot, format!("`{name}` takes {} arguments, found {}", types.len(), values.len()));
            return None;
        }
        Some(values.iter().zip(types).map(|(value, ty)| self.check(value, ty)).collect())
    }

    fn mutation(
        &mut self,
        call: &ast::MethodCallExpr,
        receiver: Receiver,
        (mutation, of): (Mutation, &Ty),
        types: &[Ty],
        result: Ty,
        spot: Spot,
    ) -> Expr {
        let name = call.name_ref().map(|it| it.text().to_string()).unwrap_or_default();
        let mut statements = Vec::new();
        let Some(place) = self.changed(receiver, spot, &mut statements) else { return self.unsupported_at(spot) };
        if matches!(mutation, Mutation::Insert | Mutation::Remove) && !self.is_discarded(call) {
            return self.entry_before(call, (place, of), mutation, types, statements, spot);
        }
        let Some(values) = self.operands(call, &name, types, spot) else { return self.unsupported_at(spot) };
        let value = self.make(spot, result, ExprKind::Mutate(mutation, place, values));
        self.after(statements, value, spot)
    }

    /// `insert` or `remove` whose result is used: what was at the key before; of a set, whether it has changed.
    fn entry_before(
        &mut self,
        call: &ast::MethodCallExpr,
        (place, collection): (Place, &Ty),
        mutation: Mutation,
        types: &[Ty],
        mut statements: Vec<Stmt>,
        spot: Spot,
    ) -> Expr {
        let name = if mutation == Mutation::Insert { "insert" } else { "remove" };
        let place = self.borrowed(place, collection, spot, &mut statements);
        let Some(values) = self.operands(call, name, types, spot) else { return self.unsupported_at(spot) };
        let values: Vec<Expr> = values.into_iter().map(|it| self.stored("entry", it, spot, &mut statements)).collect();
        let read = self.make(spot, collection.clone(), ExprKind::Read(place.clone()));
        let looked_up = vec![read, values[0].clone()];
        let old = match collection {
            Ty::Con(Con::Map, types) => {
                self.make(spot, Ty::option(types[1].clone()), ExprKind::Prim(Prim::Get, looked_up))
            }
            _ => {
                let before = self.make(spot, Ty::BOOL, ExprKind::Prim(Prim::Contains, looked_up));
                match mutation {
                    Mutation::Insert => self.make(spot, Ty::BOOL, ExprKind::Prim(Prim::Not, vec![before])),
                    _ => before,
                }
            }
        };
        let old = self.stored("old", old, spot, &mut statements);
        let change = self.make(spot, Ty::UNIT, ExprKind::Mutate(mutation, place, values));
        statements.push(Stmt::Expr(change));
        self.after(statements, old, spot)
    }

    /// The place of the method's name.
    pub(super) fn name_spot(&self, call: &ast::MethodCallExpr, whole: Spot) -> Spot {
        call.name_ref().map_or(whole, |it| self.spot(it.syntax()))
    }

    pub(super) fn no_such_method(&mut self, call: &ast::MethodCallExpr, ty: &Ty, name: &str, spot: Spot) -> Expr {
        let spot = self.name_spot(call, spot);
        let written = self.package.type_name_of(&self.infer.resolve(ty));
        let what = format!("the method `{name}` of `{written}`");
        let help = match name {
            "get_mut" | "first_mut" | "last_mut" | "as_mut" => {
                format!("write `if let Some(name) = place.{name}(…)`, `match` or `let … else`, and change `*name`")
            }
            "product" => "use `fold`".to_owned(),
            "step_by" => "use `filter`, or a `while` loop".to_owned(),
            "entry" => "write `map.entry(key).or_insert(value)`, or `or_insert_with`, or `or_default`".to_owned(),
            "iter_mut" | "values_mut" => "change the elements in place: `map[&key] = value`".to_owned(),
            "insert" if matches!(ty, Ty::Con(Con::Option, _)) => {
                "write `option.insert(value);` as a statement, and read the option afterwards".to_owned()
            }
            "parse" => "write `parse::<T>().ok()`".to_owned(),
            _ => did_you_mean(name, methods_of(&self.infer.shallow(ty)).filter(|it| *it != name))
                .unwrap_or_else(|| "see the table of types in docs/language.md".to_owned()),
        };
        self.unsupported(spot, &what, &help)
    }
}

/// The methods of a type of the language, except those that compute with integers.
fn methods_of(ty: &Ty) -> impl Iterator<Item = &'static str> {
    let (own, shared): (&[&str], &[&str]) = match ty {
        Ty::Con(Con::Option, _) => (super::option::METHODS, &[]),
        Ty::Con(Con::Result, _) => (super::result::METHODS, &[]),
        Ty::Con(Con::Map, _) => (MAP, COLLECTION),
        Ty::Con(Con::Set, _) => (SET, COLLECTION),
        Ty::Con(Con::Seq, _) => (SEQ, COLLECTION),
        Ty::Con(Con::Total, _) => (&["get", "is_default", "support", "clone"], &[]),
        Ty::Con(Con::Str, _) => (&["split_once", "to_string", "parse", "clone"], &[]),
        Ty::Con(Con::Bool, _) => (&["then", "then_some", "clone"], &[]),
        Ty::Con(Con::Int { .. }, _) | Ty::Var(_) => (INTEGER, &[]),
        _ => (&["clone"], &[]),
    };
    own.iter().chain(shared).copied()
}

/// What all collections have, and their iterators.
const COLLECTION: &[&str] = &[
    "contains",
    "remove",
    "retain",
    "extend",
    "len",
    "is_empty",
    "clear",
    "iter",
    "map",
    "filter",
    "filter_map",
    "all",
    "any",
    "count",
    "find",
    "position",
    "enumerate",
    "zip",
    "skip",
    "take",
    "fold",
    "for_each",
    "max",
    "min",
    "sum",
    "next",
    "rev",
    "collect",
    "cloned",
    "copied",
    "clone",
];

const MAP: &[&str] = &[
    "get",
    "get_mut",
    "contains_key",
    "insert",
    "entry",
    "keys",
    "values",
    "iter_mut",
    "values_mut",
    "first_key_value",
    "last_key_value",
    "pop_first",
    "pop_last",
];

const SET: &[&str] = &["insert", "first", "last", "pop_first", "pop_last"];

const SEQ: &[&str] = &[
    "get",
    "get_mut",
    "push",
    "push_back",
    "push_front",
    "pop",
    "pop_back",
    "pop_front",
    "insert",
    "truncate",
    "reverse",
    "swap",
    "first",
    "first_mut",
    "front",
    "last",
    "last_mut",
    "back",
    "iter_mut",
];

const INTEGER: &[&str] = &[
    "saturating_sub",
    "saturating_add",
    "saturating_mul",
    "wrapping_add",
    "wrapping_sub",
    "wrapping_mul",
    "checked_add",
    "checked_sub",
    "checked_mul",
    "overflowing_add",
    "overflowing_sub",
    "abs_diff",
    "pow",
    "rotate_left",
    "rotate_right",
    "count_ones",
    "leading_zeros",
    "trailing_zeros",
    "min",
    "max",
    "to_string",
    "clone",
];

/// Methods that change a collection, with the types of their arguments and result.
fn mutation(ty: &Ty, name: &str) -> Option<(Mutation, Vec<Ty>, Ty)> {
    let Ty::Con(con, types) = ty else { return None };
    let of = |number: usize| types[number].clone();
    Some(match (con, name) {
        (Con::Map, "insert") => (Mutation::Insert, vec![of(0), of(1)], Ty::UNIT),
        (Con::Set, "insert") => (Mutation::Insert, vec![of(0)], Ty::UNIT),
        (Con::Map | Con::Set, "remove") => (Mutation::Remove, vec![of(0)], Ty::UNIT),
        (Con::Seq, "push" | "push_back") => (Mutation::Push, vec![of(0)], Ty::UNIT),
        (Con::Seq, "pop" | "pop_back") => (Mutation::Pop, Vec::new(), Ty::option(of(0))),
        (Con::Seq, "pop_front") => (Mutation::PopFront, Vec::new(), Ty::option(of(0))),
        (Con::Map | Con::Set | Con::Seq, "clear") => (Mutation::Clear, Vec::new(), Ty::UNIT),
        _ => return None,
    })
}

/// Methods without side effects, with the types of their arguments and result.
fn pure(ty: &Ty, name: &str) -> Option<(Prim, Vec<Ty>, Ty)> {
    if let Some(found) = integer(ty, name) {
        return Some(found);
    }
    let Ty::Con(con, types) = ty else { return None };
    let of = |number: usize| types[number].clone();
    let none = Vec::new;
    Some(match (con, name) {
        (Con::Map, "get") => (Prim::Get, vec![of(0)], Ty::option(of(1))),
        (Con::Seq, "get") => (Prim::Get, vec![Ty::U64], Ty::option(of(0))),
        (Con::Total, "get") => (Prim::Index, vec![of(0)], of(1)),
        (Con::Map, "contains_key") => (Prim::Contains, vec![of(0)], Ty::BOOL),
        (Con::Map | Con::Set | Con::Seq, "contains") => (Prim::Contains, vec![of(0)], Ty::BOOL),
        (Con::Map | Con::Set | Con::Seq, "len") => (Prim::Len, none(), Ty::U64),
        (Con::Seq, "count") => (Prim::Len, none(), Ty::U64),
        (Con::Map | Con::Set | Con::Seq, "is_empty") => (Prim::IsEmpty, none(), Ty::BOOL),
        (Con::Total, "is_default") => (Prim::IsEmpty, none(), Ty::BOOL),
        (Con::Map, "keys") | (Con::Total, "support") => (Prim::Keys, none(), Ty::Con(Con::Set, vec![of(0)])),
        (Con::Map, "values") => (Prim::Values, none(), Ty::seq(of(1))),
        (Con::Seq, "first" | "front") => (Prim::First, none(), Ty::option(of(0))),
        (Con::Seq, "last" | "back") => (Prim::Last, none(), Ty::option(of(0))),
        (Con::Seq, "rev") => (Prim::Rev, none(), ty.clone()),
        _ => return None,
    })
}

/// Methods of integers, with the types of their arguments and result.
pub(super) fn integer(ty: &Ty, name: &str) -> Option<(Prim, Vec<Ty>, Ty)> {
    if !matches!(ty, Ty::Con(Con::Int { .. }, _) | Ty::Var(_)) {
        return None;
    }
    if let Some((arith, overflow)) = arithmetic(name) {
        let argument = match arith {
            Arith::Pow | Arith::Shl | Arith::Shr => Ty::U32,
            _ => ty.clone(),
        };
        let result = match overflow {
            Overflow::Checked => Ty::option(ty.clone()),
            Overflow::Reports => Ty::tuple(vec![ty.clone(), Ty::BOOL]),
            _ => ty.clone(),
        };
        let arguments = if arith.operands() == 1 { Vec::new() } else { vec![argument] };
        return Some((Prim::Arith(arith, overflow), arguments, result));
    }
    let unsigned = || match ty {
        Ty::Con(Con::Int { bits, .. }, _) => Ty::int(*bits, false),
        other => other.clone(),
    };
    let count = |what| Some((Prim::Count(what), Vec::new(), Ty::U32));
    match name {
        "min" => Some((Prim::Min, vec![ty.clone()], ty.clone())),
        "max" => Some((Prim::Max, vec![ty.clone()], ty.clone())),
        "abs_diff" => Some((Prim::AbsDiff, vec![ty.clone()], unsigned())),
        "unsigned_abs" => Some((Prim::UnsignedAbs, Vec::new(), unsigned())),
        "rotate_left" => Some((Prim::RotateLeft, vec![Ty::U32], ty.clone())),
        "rotate_right" => Some((Prim::RotateRight, vec![Ty::U32], ty.clone())),
        "is_power_of_two" => Some((Prim::IsPowerOfTwo, Vec::new(), Ty::BOOL)),
        "count_ones" => count(BitCount::Ones),
        "count_zeros" => count(BitCount::Zeros),
        "leading_ones" => count(BitCount::LeadingOnes),
        "leading_zeros" => count(BitCount::LeadingZeros),
        "trailing_ones" => count(BitCount::TrailingOnes),
        "trailing_zeros" => count(BitCount::TrailingZeros),
        _ => None,
    }
}

/// `wrapping_add`, `pow` and the like.
fn arithmetic(name: &str) -> Option<(Arith, Overflow)> {
    let prefixes = [
        ("wrapping_", Overflow::Wraps),
        ("saturating_", Overflow::Saturates),
        ("checked_", Overflow::Checked),
        ("overflowing_", Overflow::Reports),
    ];
    let (overflow, operation) = prefixes
        .iter()
        .find_map(|(prefix, overflow)| Some((*overflow, name.strip_prefix(prefix)?)))
        .unwrap_or((Overflow::Panics, name));
    let has_operator = overflow == Overflow::Panics;
    let never_saturates = overflow == Overflow::Saturates;
    let arith = match operation {
        "add" if !has_operator => Arith::Add,
        "sub" if !has_operator => Arith::Sub,
        "mul" if !has_operator => Arith::Mul,
        "div" if !has_operator => Arith::Div,
        "neg" if !has_operator => Arith::Neg,
        "pow" => Arith::Pow,
        "abs" => Arith::Abs,
        "rem" if !has_operator && !never_saturates => Arith::Rem,
        "shl" if !has_operator && !never_saturates => Arith::Shl,
        "shr" if !has_operator && !never_saturates => Arith::Shr,
        "div_euclid" if !never_saturates => Arith::DivEuclid,
        "rem_euclid" if !never_saturates => Arith::RemEuclid,
        _ => return None,
    };
    Some((arith, overflow))
}
