//! Implementations, stacks and clients: checks that everything they name exists and has the right signature.
//!
//! Their claims are not checked here; that is up to the obligations.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
};

use super::{
    declared::{Declared, ItemRef},
    layers::OperationInfo,
    lowering::Package,
    names::{Entry, Meaning, Namespace, ScopeId},
    reach::Reached,
    report::{DiagnosticExt, error},
    spot::Spot,
    ty::Ty,
};
use crate::{
    diagnostics::codes,
    index::{By, ImplRole, ImplementAttribute, Name, Role, StackItem},
    ir::{Abstraction, Client, Code, Implementation, ImplementationId, Justification, Program, SourceMap, Stack},
};

/// The resolved implementations, stacks and clients.
#[derive(Default)]
pub(super) struct Parts {
    implementations: Vec<Resolved>,
    /// The implementations by `impl` block, without those that are left out.
    implementation_of: HashMap<ItemRef, ImplementationId>,
    /// The stack, its spot, and the spots of its links.
    stacks: Vec<(Stack, Spot, Vec<Spot>)>,
    /// The stacks by declaration, without those that are left out.
    stack_of: HashMap<ItemRef, u32>,
    clients: Vec<(Client, Spot)>,
}

/// An implementation, with its positions.
struct Resolved {
    implementation: Implementation,
    spot: Spot,
    /// The operations that it passes on, with the positions of their names.
    passes: Vec<(String, Spot)>,
}

impl Parts {
    /// The implementation of an `impl` block.
    pub(super) fn implementation(&self, block: ItemRef) -> Option<ImplementationId> {
        self.implementation_of.get(&block).copied()
    }

    /// The stack of a declaration.
    pub(super) fn stack(&self, item: ItemRef) -> Option<u32> {
        self.stack_of.get(&item).copied()
    }
}

/// Writes implementations, stacks and clients into the program.
pub(super) fn emit(parts: &Parts, reached: &Reached, program: &mut Program, places: &mut SourceMap<Spot>) {
    for Resolved { implementation, spot, passes } in &parts.implementations {
        program.implementations.push(reached.implementation(implementation));
        places.implementations.push(*spot);
        let passed = |name: &str| passes.iter().find(|it| it.0 == name).map(|it| it.1);
        let upper = &program.layers[implementation.upper.0 as usize];
        places.passes.push(upper.operations.iter().map(|it| passed(&it.name)).collect());
    }
    for (stack, spot, links) in &parts.stacks {
        program.stacks.push(stack.clone());
        places.stacks.push(*spot);
        places.links.push(links.clone());
    }
    for (client, spot) in &parts.clients {
        // The parts of a client were requested.
        program.clients.extend(reached.function(client.function).map(|function| Client { function, ..client.clone() }));
        places.clients.push(*spot);
    }
}

/// Resolves all implementations, then the stacks, then the clients.
pub(super) fn resolve(package: &mut Package) {
    let names = Shared::of(package);
    let files = 0..package.files.len() as u32;
    for file in files.clone() {
        let index = Arc::clone(&package.files[file as usize].index);
        for (block, declared) in index.impls.iter().enumerate() {
            if let (ImplRole::Implement(attribute), Some(name)) = (&declared.role, &declared.self_type) {
                let name = names.shown(package, package.names.scope(file, declared.scope), name);
                package.declare_implementation(file, block as u32, &name, attribute);
            }
        }
    }
    for file in files.clone() {
        let index = Arc::clone(&package.files[file as usize].index);
        for (number, stack) in index.stacks.iter().enumerate() {
            let name = names.shown(package, package.names.scope(file, stack.scope), &stack.name);
            package.declare_stack(ItemRef { file, index: number as u32 }, &name, stack);
        }
    }
    for file in files {
        let index = Arc::clone(&package.files[file as usize].index);
        for (declared, number) in index.functions.iter().zip(0..) {
            let item = ItemRef { file, index: number };
            if let Role::Client { stacks, processes, may_wait } = &declared.role {
                let name = names.shown(package, package.names.scope(file, declared.scope), &declared.name);
                for stack in stacks {
                    package.declare_client(item, &name, stack, (processes, *may_wait));
                }
            }
        }
    }
}

/// Names shared by more than one implementation, stack or client.
struct Shared(HashSet<String>);

impl Shared {
    fn of(package: &Declared) -> Shared {
        let mut seen = HashSet::new();
        let mut shared = HashSet::new();
        for index in package.files.iter().map(|it| &it.index) {
            let implementations = index.impls.iter().filter(|it| matches!(it.role, ImplRole::Implement(_)));
            let implementations =
                implementations.filter_map(|it| Some(("implementation", &it.self_type.as_ref()?.text)));
            let stacks = index.stacks.iter().map(|it| ("stack", &it.name.text));
            let clients = index.functions.iter().filter(|it| matches!(it.role, Role::Client { .. }));
            let clients = clients.map(|it| ("client", &it.name.text));
            for (kind, name) in implementations.chain(stacks).chain(clients) {
                if !seen.insert((kind, name)) {
                    shared.insert(name.clone());
                }
            }
        }
        Shared(shared)
    }

    /// The name as shown.
    fn shown(&self, package: &Declared, scope: ScopeId, name: &Name) -> Name {
        Name { text: package.shown_name(scope, &name.text, self.0.contains(&name.text)), ..name.clone() }
    }
}

/// The two layers of an implementation.
#[derive(Clone, Copy)]
pub(super) struct Sides {
    pub(super) upper: usize,
    pub(super) lower: usize,
}

/// The key of a partition.
pub(super) struct Key {
    pub(super) name: String,
    pub(super) ty: Ty,
}

impl Package {
    fn declare_implementation(&mut self, file: u32, block: u32, name: &Name, attribute: &ImplementAttribute) {
        let item = ItemRef { file, index: block };
        if self.is_rejected(Entry::Implementation(item)) {
            return;
        }
        let spot = self.name_spot(file, name);
        if let Some(resolved) = self.implementation(file, block, name, attribute) {
            let id = ImplementationId(self.parts.implementations.len() as u32);
            self.parts.implementation_of.insert(item, id);
            let passes = attribute.pass.iter().map(|it| (it.text.clone(), self.name_spot(file, it))).collect();
            self.parts.implementations.push(Resolved { implementation: resolved, spot, passes });
        }
    }

    fn implementation(
        &mut self,
        file: u32,
        block: u32,
        name: &Name,
        attribute: &ImplementAttribute,
    ) -> Option<Implementation> {
        let site = self.block_site(file, block);
        let upper = self.find_layer(site, &attribute.upper);
        let lower = self.find_layer(site, &attribute.over);
        let sides = Sides { upper: upper?, lower: lower? };
        let (upper_id, lower_id) = (self.layer_id(sides.upper)?, self.layer_id(sides.lower)?);
        if let (Some(check), true) = (&attribute.check, attribute.by != By::Partition) {
            let message = "malformed attribute: `check` names the operation that checks the keys of a partition";
            let spot = self.name_spot(file, check);
            self.report(error(codes::CS0207, spot, message).help("remove it, or write `by = partition(key)`"));
        }
        let by = match attribute.by {
            By::Movers | By::Retry if self.layers[sides.upper].state != self.layers[sides.lower].state => {
                self.report_state_mismatch(file, attribute, sides);
                return None;
            }
            By::Movers => Justification::Movers(self.procedures(file, block, name, attribute, sides, None)),
            By::Retry => Justification::Retry(self.procedures(file, block, name, attribute, sides, None)),
            By::Abstraction => Justification::Abstraction(self.abstraction(file, block, name, attribute, sides)?),
            By::Search => Justification::Search(self.procedures(file, block, name, attribute, sides, None)),
            By::Partition => Justification::Partition(self.partition(file, block, name, attribute, sides)?),
        };
        Some(Implementation { name: name.text.clone(), upper: upper_id, lower: lower_id, by })
    }

    /// The code of each upper operation, for patterns with code. With `key`, procedures take it first.
    pub(super) fn procedures(
        &mut self,
        file: u32,
        block: u32,
        name: &Name,
        attribute: &ImplementAttribute,
        sides: Sides,
        key: Option<&Key>,
    ) -> BTreeMap<String, Code> {
        let mut code = BTreeMap::new();
        // Operations with invalid code: they have a diagnostic, so they are not reported as missing.
        let mut wrong: Vec<String> = Vec::new();
        // Functions over a layer without the name of an operation.
        let mut others: Vec<ItemRef> = Vec::new();
        for passed in &attribute.pass {
            if self.check_pass(file, passed, sides) {
                code.insert(passed.text.clone(), Code::Pass);
            } else {
                wrong.push(passed.text.clone());
            }
        }
        for item in self.members(file, block) {
            let procedure = self.function_item(item).name.clone();
            if self.function_item(item).role == Role::Abstraction || self.is_helper(item, sides.upper) {
                continue;
            }
            if self.operation(sides.upper, &procedure.text).is_none() {
                others.push(item);
            } else if code.contains_key(&procedure.text) {
                let spot = self.name_spot(file, &procedure);
                let message =
                    format!("operation `{}` is declared twice: as a procedure and in `pass(…)`", procedure.text);
                self.report(error(codes::CS0203, spot, message).help("remove one of them"));
            } else if let Some(id) = self.check_procedure(item, sides, key).then(|| self.request(item)).flatten() {
                code.insert(procedure.text.clone(), Code::Procedure(id));
            } else {
                wrong.push(procedure.text.clone());
            }
        }
        let complete = !self.is_cut_short(file, block);
        let operations = self.layers[sides.upper].operations.clone();
        let is_missing = |it: &&OperationInfo| !code.contains_key(&it.name) && !wrong.contains(&it.name);
        let missing: Vec<&OperationInfo> = operations.iter().filter(is_missing).collect();
        for operation in missing.iter().filter(|_| complete) {
            self.report_missing(file, name, &operation.name, sides);
        }
        // If no operation is missing, they are helpers of the others.
        for item in others.iter().filter(|_| !missing.is_empty()) {
            self.unknown_operation(sides.upper, item.file, &self.function_item(*item).name.clone());
        }
        code
    }

    /// Whether the function is a helper: it does not run over a layer, and no operation has its name.
    fn is_helper(&mut self, item: ItemRef, upper: usize) -> bool {
        let name = &self.function_item(item).name.text;
        self.operation(upper, name).is_none() && self.signature(item).is_none_or(|it| it.lower.is_none())
    }

    /// Whether a member of the block has no name or an invalid header, so that it may have implemented any operation.
    pub(super) fn is_cut_short(&self, file: u32, block: u32) -> bool {
        let index = &self.files[file as usize].index;
        index.functions.iter().any(|it| it.owner == Some(block) && it.role == Role::Malformed)
    }

    pub(super) fn report_missing(&mut self, file: u32, name: &Name, operation: &str, sides: Sides) {
        let (upper, lower) = (self.layer_name(sides.upper), self.layer_name(sides.lower));
        let message =
            format!("`{}` does not implement operation `{operation}` of layer `{upper}` over `{lower}`", name.text);
        let help = if self.operation(sides.lower, operation).is_some() {
            format!(
                "write `fn {operation}(lo: &mut impl {lower}, …)`, or add `{operation}` to `pass(…)` if `{lower}` has it unchanged"
            )
        } else {
            format!(
                "write `fn {operation}(lo: &mut impl {lower}, …)`, or let `{lower}` inherit it and add it to `pass(…)`"
            )
        };
        let mut diagnostic = error(codes::CS0201, self.name_spot(file, name), message).help(help);
        if let Some(declared) = self.operation_spot(sides.upper, operation) {
            diagnostic = diagnostic.related(declared, "the operation");
        }
        self.report(diagnostic);
    }

    fn report_state_mismatch(&mut self, file: u32, attribute: &ImplementAttribute, sides: Sides) {
        let message = format!(
            "`by = {}` does not change the state, but `{}` is over `{}` and `{}` is over `{}`",
            attribute.by_name.text,
            self.layer_name(sides.upper),
            self.type_name_of(&self.layers[sides.upper].state),
            self.layer_name(sides.lower),
            self.type_name_of(&self.layers[sides.lower].state)
        );
        let spot = self.name_spot(file, &attribute.over);
        let diagnostic = error(codes::CS0204, spot, message).related(self.layer_spot(sides.upper), "the upper layer");
        let diagnostic = diagnostic.related(self.layer_spot(sides.lower), "the lower layer");
        self.report(diagnostic.help("relate the two states in a layer of its own with `by = abstraction`"));
    }

    /// `pass(op)`: checks that both layers have the operation, with the same signature.
    pub(super) fn check_pass(&mut self, file: u32, name: &Name, sides: Sides) -> bool {
        let Some(upper) = self.operation(sides.upper, &name.text).cloned() else {
            self.unknown_operation(sides.upper, file, name);
            return false;
        };
        let Some(lower) = self.operation(sides.lower, &name.text).cloned() else {
            self.unknown_operation(sides.lower, file, name);
            return false;
        };
        let same = upper.signature.shape() == lower.signature.shape();
        if !same {
            let spot = self.name_spot(file, name);
            let other = self.name_spot(lower.function.file, &self.function_item(lower.function).name);
            self.report_signatures(spot, &name.text, sides.upper, sides.lower, other);
        }
        same
    }

    /// Checks a procedure with the name of an upper operation: its signature, and that it is over the lower layer.
    fn check_procedure(&mut self, item: ItemRef, sides: Sides, key: Option<&Key>) -> bool {
        let name = self.function_item(item).name.clone();
        let Some(operation) = self.operation(sides.upper, &name.text).cloned() else { return false };
        let Some(signature) = self.signature(item) else { return false };
        let spot = self.name_spot(item.file, &name);
        if signature.is_method || signature.lower != Some(sides.lower) {
            let lower = self.layer_name(sides.lower);
            let message = format!("procedure `{}` does not take the lower layer `{lower}`", name.text);
            let help = format!("write `fn {}(lo: &mut impl {lower}, …)`", name.text);
            self.report(error(codes::CS0205, spot, message).help(help));
            return false;
        }
        let (mut taken, result) = signature.shape();
        let key_first = key.is_none_or(|key| match signature.parameters.first() {
            Some(it) if it.name == key.name && it.ty == key.ty => {
                taken.remove(0);
                true
            }
            _ => false,
        });
        if let (Some(key), false) = (key, key_first) {
            let message = format!("procedure `{}` does not take the key `{}` first", name.text, key.name);
            let (lower, ty) = (self.layer_name(sides.lower), self.type_name_of(&key.ty));
            let help = format!("write `fn {}(lo: &mut impl {lower}, {}: {ty}, …)`", name.text, key.name);
            self.report(error(codes::CS0205, spot, message).help(help));
            return false;
        }
        let same = (taken, result) == operation.signature.shape() && signature.parameters.iter().all(|it| !it.inout);
        if !same {
            let message = format!(
                "procedure `{}` does not have the signature of operation `{}` of layer `{}`",
                name.text,
                name.text,
                self.layer_name(sides.upper)
            );
            let declared = self.name_spot(operation.function.file, &self.function_item(operation.function).name);
            let diagnostic = error(codes::CS0205, spot, message).related(declared, "the operation");
            self.report(diagnostic.help("take its arguments without `self` and `me`, and return the same type"));
        }
        same
    }

    fn operation_spot(&self, layer: usize, operation: &str) -> Option<Spot> {
        let function = self.operation(layer, operation)?.function;
        Some(self.name_spot(function.file, &self.function_item(function).name))
    }

    fn abstraction(
        &mut self,
        file: u32,
        block: u32,
        name: &Name,
        attribute: &ImplementAttribute,
        sides: Sides,
    ) -> Option<Abstraction> {
        let by = self.name_spot(file, &attribute.by_name);
        for passed in &attribute.pass {
            let spot = self.name_spot(file, passed);
            let message = "malformed attribute: an abstraction changes no code, so there is nothing to pass";
            self.report(error(codes::CS0207, spot, message).help("remove `pass(…)`"));
        }
        self.check_same_operations(by, sides);
        let members = self.members(file, block);
        let relations: Vec<ItemRef> =
            members.iter().copied().filter(|it| self.function_item(*it).role == Role::Abstraction).collect();
        match relations.as_slice() {
            [relation] => self.relation(*relation, sides),
            [] => {
                let message = format!("`{}` has no `#[abstraction]` function", name.text);
                let help = "write `#[abstraction] fn name(lo: &Lower) -> Upper`, `(hi: &Upper) -> Lower` or `(lo: …, hi: …) -> bool`";
                self.report(error(codes::CS0207, self.name_spot(file, name), message).help(help));
                None
            }
            [first, second, ..] => {
                let first = self.name_spot(file, &self.function_item(*first).name);
                let second = self.function_item(*second).name.clone();
                self.declared_twice("the `#[abstraction]` function", file, &second, first);
                None
            }
        }
    }

    /// The code does not change under an abstraction, so the operations must be the same.
    fn check_same_operations(&mut self, by: Spot, sides: Sides) {
        let (upper, lower) = (self.layer_name(sides.upper).to_owned(), self.layer_name(sides.lower).to_owned());
        let help = format!("declare `{upper}` with `ops = {lower}`");
        for (here, there) in [(sides.upper, sides.lower), (sides.lower, sides.upper)] {
            if self.layers[here].incomplete || self.layers[there].incomplete {
                return;
            }
            for operation in self.layers[here].operations.clone() {
                let other = self.operation(there, &operation.name);
                if other.is_some_and(|it| it.signature.shape() == operation.signature.shape()) {
                    continue;
                }
                let lacks = if other.is_some() { "has another signature for" } else { "does not have" };
                let message = format!(
                    "an abstraction needs the same operations on both sides, but layer `{}` {lacks} `{}` of `{}`",
                    self.layer_name(there),
                    operation.name,
                    self.layer_name(here)
                );
                self.report(error(codes::CS0205, by, message).help(help.clone()));
            }
        }
    }

    /// The form of an abstraction function.
    fn relation(&mut self, item: ItemRef, sides: Sides) -> Option<Abstraction> {
        let signature = self.signature(item)?;
        let (lo, hi) = (self.layers[sides.lower].state.clone(), self.layers[sides.upper].state.clone());
        let names: Vec<&str> = signature.parameters.iter().map(|it| it.name.as_str()).collect();
        let types: Vec<&Ty> = signature.parameters.iter().map(|it| &it.ty).collect();
        let plain =
            !signature.is_method && signature.lower.is_none() && signature.parameters.iter().all(|it| !it.inout);
        let name = self.function_item(item).name.clone();
        let spot = self.name_spot(item.file, &name);
        type Form = fn(crate::ir::FunctionId) -> Abstraction;
        let (form, fits): (Form, bool) = match names.as_slice() {
            ["lo"] if plain => (Abstraction::Up, *types[0] == lo && signature.result == hi),
            ["hi"] if plain => (Abstraction::Down, *types[0] == hi && signature.result == lo),
            ["lo", "hi"] if plain => {
                (Abstraction::Predicate, *types[0] == lo && *types[1] == hi && signature.result == Ty::BOOL)
            }
            _ => {
                let message =
                    format!("the parameters of the abstraction `{}` are named `lo` and `hi`, in this order", name.text);
                let help = "write `fn name(lo: &Lower) -> Upper`, `fn name(hi: &Upper) -> Lower` or `fn name(lo: &Lower, hi: &Upper) -> bool`";
                self.report(error(codes::CS0207, spot, message).help(help));
                return None;
            }
        };
        if !fits {
            let message = format!(
                "the abstraction `{}` does not relate the states `{}` of `{}` and `{}` of `{}`",
                name.text,
                self.type_name_of(&lo),
                self.layer_name(sides.lower),
                self.type_name_of(&hi),
                self.layer_name(sides.upper)
            );
            let (lo, hi) = (self.type_name_of(&lo), self.type_name_of(&hi));
            let help =
                format!("write `(lo: &{lo}) -> {hi}`, `(hi: &{hi}) -> {lo}` or `(lo: &{lo}, hi: &{hi}) -> bool`");
            self.report(error(codes::CS0204, spot, message).help(help));
            return None;
        }
        self.request(item).map(form)
    }

    fn declare_stack(&mut self, item: ItemRef, name: &Name, declared: &StackItem) {
        if self.is_rejected(Entry::Stack(item)) {
            return;
        }
        let scope = self.names.scope(item.file, declared.scope);
        let implementations: Vec<Option<ImplementationId>> =
            declared.links.iter().map(|it| self.link(item.file, scope, it)).collect();
        let whole: Option<Vec<ImplementationId>> = implementations.into_iter().collect();
        if let Some(implementations) = whole.filter(|it| !it.is_empty()) {
            let spot = self.name_spot(item.file, name);
            let links = declared.links.iter().map(|it| self.name_spot(item.file, it)).collect();
            let number = self.parts.stacks.len() as u32;
            self.parts.stack_of.insert(item, number);
            self.parts.stacks.push((Stack { name: name.text.clone(), implementations }, spot, links));
        }
    }

    fn link(&self, file: u32, scope: ScopeId, name: &Name) -> Option<ImplementationId> {
        match self.part(file, scope, name, "implementation", |it| matches!(it, Entry::Implementation(_)))? {
            Entry::Implementation(item) => self.parts.implementation(item),
            _ => None,
        }
    }

    /// The item that a name in a stack, or in the attribute of a client, refers to, if it is of this kind; otherwise that is reported.
    fn part(&self, file: u32, scope: ScopeId, name: &Name, what: &str, is_meant: fn(&Entry) -> bool) -> Option<Entry> {
        let (spot, path) = (self.name_spot(file, name), name.path());
        match self.names.meaning(scope, &path, Namespace::Types) {
            Meaning::Item(entry) if is_meant(&entry) => Some(entry),
            Meaning::Several(one, other) => {
                self.report_several(spot, &name.text, [one, other]);
                None
            }
            _ => {
                let help = self.advice(&name.text, Namespace::Types, is_meant, []);
                let message = format!("unknown {what} `{}`", path.join("::"));
                self.report(error(codes::CS0202, spot, message).maybe_help(help));
                None
            }
        }
    }

    fn declare_client(&mut self, item: ItemRef, name: &Name, stack: &Name, (processes, may_wait): (&[u32], bool)) {
        let scope = self.function_site(item).scope;
        let is_stack = |it: &Entry| matches!(it, Entry::Stack(_));
        let Some(Entry::Stack(stack)) = self.part(item.file, scope, stack, "stack", is_stack) else {
            return;
        };
        let Some(stack_id) = self.parts.stack(stack) else { return };
        if !self.check_client(item, stack_id) {
            return;
        }
        let Some(function) = self.request(item) else { return };
        let spot = self.name_spot(item.file, name);
        let processes = processes.to_vec();
        let client = Client { name: name.text.clone(), stack: stack_id, processes, may_wait, function };
        self.parts.clients.push((client, spot));
    }

    fn check_client(&mut self, item: ItemRef, stack: u32) -> bool {
        let Some(signature) = self.signature(item) else { return false };
        let (stack, ..) = &self.parts.stacks[stack as usize];
        // A declared stack has at least one implementation.
        let top = self.parts.implementations[stack.implementations[0].0 as usize].implementation.upper;
        let over_top = signature.lower.is_some_and(|it| self.layer_id(it) == Some(top));
        // The number of the process, and the number of processes.
        let takes_numbers = matches!(signature.parameters.len(), 1 | 2)
            && signature.parameters.iter().all(|it| it.ty == Ty::U64 && !it.inout);
        let fits = over_top && takes_numbers && !signature.is_method && signature.result == Ty::UNIT;
        if !fits {
            let name = self.function_item(item).name.clone();
            let top = self.layers.iter().position(|it| it.id == Some(top));
            let top = top.map_or("Layer", |it| self.layer_name(it)).to_owned();
            let message = format!("client `{}` does not have the signature of a client of `{}`", name.text, stack.name);
            let help = format!(
                "write `fn {0}(process: u64, top: &mut impl {top})`, or `fn {0}(process: u64, processes: u64, top: &mut impl {top})`",
                name.text
            );
            self.report(error(codes::CS0205, self.name_spot(item.file, &name), message).help(help));
        }
        fits
    }
}
