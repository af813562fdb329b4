//! Partition: whether an implementation is the top or the bottom end of the layers for one key, and checks of the names that it mentions.
//!
//! An implementation with an `#[abstraction]` function, which selects the state of one key, is the bottom; one without is the top.

use std::collections::BTreeMap;

use super::{
    declared::ItemRef,
    implementations::{Key, Sides},
    lowering::Package,
    report::{DiagnosticExt, error},
    ty::{Con, Ty},
    types::TypeInfoKind,
};
use crate::{
    diagnostics::codes,
    index::{ImplementAttribute, Name, Role},
    ir::{Code, Partition, PartitionEnd},
};

impl Package {
    pub(super) fn partition(
        &mut self,
        file: u32,
        block: u32,
        name: &Name,
        attribute: &ImplementAttribute,
        sides: Sides,
    ) -> Option<Partition> {
        // The grammar of `partition(key)` has the key.
        let key_name = attribute.key.as_ref()?;
        let Some(check) = &attribute.check else {
            let message = "malformed attribute: a partition names the operation that checks whether a key is valid";
            let spot = self.name_spot(file, &attribute.by_name);
            self.report(error(codes::CS0207, spot, message).help("write `check = operation`"));
            return None;
        };
        let relation =
            self.members(file, block).into_iter().find(|it| self.function_item(*it).role == Role::Abstraction);
        let (key, code, end) = match relation {
            Some(relation) => {
                let key = self.slice_key(relation, &key_name.text, sides)?;
                self.check_of(file, check, sides.lower, &key)?;
                let code = self.procedures(file, block, name, attribute, sides, Some(&key));
                (key, code, PartitionEnd::Bottom { slice: self.request(relation)? })
            }
            None => {
                let (map, ty) = self.map_of(file, attribute, sides)?;
                let key = Key { name: key_name.text.clone(), ty };
                self.check_of(file, check, sides.upper, &key)?;
                let code = self.routes(file, block, name, attribute, sides, &key);
                (key, code, PartitionEnd::Top { map })
            }
        };
        let key_type = key.ty.to_type()?;
        Some(Partition { key: key.name, key_type, check: Some(check.text.clone()), code, end })
    }

    /// The key of `fn slice(lo: &Lower, key: &Key) -> Option<Slice>`.
    fn slice_key(&mut self, item: ItemRef, key: &str, sides: Sides) -> Option<Key> {
        let signature = self.signature(item)?;
        let (lo, hi) = (self.layers[sides.lower].state.clone(), self.layers[sides.upper].state.clone());
        if let [all, one] = signature.parameters.as_slice()
            && (all.name.as_str(), one.name.as_str()) == ("lo", key)
            && all.ty == lo
            && signature.result == Ty::option(hi.clone())
            && !signature.is_method
        {
            return Some(Key { name: key.to_owned(), ty: one.ty.clone() });
        }
        let name = self.function_item(item).name.clone();
        let message = format!("`{}` does not select the state of one `{key}` from the state for all", name.text);
        let (lo, hi) = (self.type_name_of(&lo), self.type_name_of(&hi));
        let help = format!("write `fn {}(lo: &{lo}, {key}: &Key) -> Option<{hi}>`", name.text);
        self.report(error(codes::CS0205, self.name_spot(item.file, &name), message).help(help));
        None
    }

    /// The fields that lead to the map of one-key states in the state of the upper layer, and the type of its keys.
    fn map_of(&mut self, file: u32, attribute: &ImplementAttribute, sides: Sides) -> Option<(Vec<u32>, Ty)> {
        let (all, one) = (self.layers[sides.upper].state.clone(), self.layers[sides.lower].state.clone());
        let key_of = |ty: &Ty| match ty {
            Ty::Con(Con::Map, types) if types[1] == one => Some(types[0].clone()),
            _ => None,
        };
        if let Some(key) = key_of(&all) {
            return Some((Vec::new(), key));
        }
        let fields = match &all {
            Ty::Con(Con::User(id), _) => match &self.type_info(*id).kind {
                TypeInfoKind::Struct(fields) => fields.clone(),
                _ => Vec::new(),
            },
            _ => Vec::new(),
        };
        let found: Vec<(Vec<u32>, Ty)> =
            (0..).zip(&fields).filter_map(|(number, (_, ty))| Some((vec![number], key_of(ty)?))).collect();
        if let [only] = found.as_slice() {
            return Some(only.clone());
        }
        let message = format!(
            "the state `{}` of `{}` has {} maps to the state `{}` of `{}`: a partition needs one",
            self.type_name_of(&all),
            self.layer_name(sides.upper),
            if found.is_empty() { "no" } else { "several" },
            self.type_name_of(&one),
            self.layer_name(sides.lower)
        );
        let help = format!(
            "give it one field of type `Map<Key, {}>`; if this is the bottom of a partition, write an `#[abstraction]` function",
            self.type_name_of(&one)
        );
        self.report(error(codes::CS0204, self.name_spot(file, &attribute.over), message).help(help));
        None
    }

    /// `check = operation`: the operation must take the key and return a `bool`.
    fn check_of(&mut self, file: u32, check: &Name, layer: usize, key: &Key) -> Option<()> {
        let Some(operation) = self.operation(layer, &check.text).cloned() else {
            self.unknown_operation(layer, file, check);
            return None;
        };
        if operation.signature.shape() == (vec![&key.ty], &Ty::BOOL) {
            return Some(());
        }
        let ty = self.type_name_of(&key.ty);
        let message = format!("`{}` does not tell whether a `{}` is valid", check.text, key.name);
        let help = format!("such an operation takes `{}: {ty}` and returns `bool`", key.name);
        self.report(error(codes::CS0205, self.name_spot(file, check), message).help(help));
        None
    }

    /// At the top, every operation is one of the layer below: for the key that it takes first, or without a key.
    fn routes(
        &mut self,
        file: u32,
        block: u32,
        name: &Name,
        attribute: &ImplementAttribute,
        sides: Sides,
        key: &Key,
    ) -> BTreeMap<String, Code> {
        // An operation that is named, even wrongly, is not reported as missing.
        let mut named: Vec<String> = attribute.pass.iter().chain(&attribute.check).map(|it| it.text.clone()).collect();
        for item in self.members(file, block) {
            let procedure = self.function_item(item).name.clone();
            named.push(procedure.text.clone());
            let message = "malformed attribute: the top of a partition has no procedures";
            let help = "name the operations in `pass(…)`; the bottom has an `#[abstraction]` function, too";
            self.report(error(codes::CS0207, self.name_spot(item.file, &procedure), message).help(help));
        }
        let mut code = BTreeMap::new();
        for passed in &attribute.pass {
            if self.check_route(file, passed, sides, key) {
                code.insert(passed.text.clone(), Code::Pass);
            }
        }
        for operation in self.layers[sides.upper].operations.clone() {
            if !named.contains(&operation.name) {
                self.report_missing(file, name, &operation.name, sides);
            }
        }
        code
    }

    fn check_route(&mut self, file: u32, name: &Name, sides: Sides, key: &Key) -> bool {
        let Some(upper) = self.operation(sides.upper, &name.text).cloned() else {
            self.unknown_operation(sides.upper, file, name);
            return false;
        };
        let Some(lower) = self.operation(sides.lower, &name.text).cloned() else {
            self.unknown_operation(sides.lower, file, name);
            return false;
        };
        let (mut taken, result) = upper.signature.shape();
        if upper.signature.parameters.get(2).is_some_and(|it| it.name == key.name && it.ty == key.ty) {
            taken.remove(0);
        }
        let same = (taken, result) == lower.signature.shape();
        if !same {
            let spot = self.name_spot(file, name);
            let message = format!(
                "`{}` of layer `{}` is not the operation of layer `{}` with `{}` before its arguments",
                name.text,
                self.layer_name(sides.upper),
                self.layer_name(sides.lower),
                key.name
            );
            let other = self.name_spot(lower.function.file, &self.function_item(lower.function).name);
            let help = format!(
                "inherit it: `inherit({} in field[{}: {}]: {})`",
                self.layer_name(sides.lower),
                key.name,
                self.type_name_of(&key.ty),
                name.text
            );
            self.report(error(codes::CS0205, spot, message).help(help).related(other, "the other one"));
        }
        same
    }
}
