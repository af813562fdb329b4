//! Finds the parts of the program: everything that layers, implementations and clients refer to.
//!
//! Layers, implementations and clients are numbered in the order of their declarations; types and functions, in the order in which they are
//! reached. So an edit of a body that does not change its references leaves all numbers unchanged.

use std::collections::HashSet;

use rustc_hash::FxHashMap;

use super::{
    Deferred,
    declared::{Declared, ItemRef},
    lowering::{Touch, Trace},
};
use crate::ir::{
    Abstraction, Code, Function, FunctionId, Implementation, Justification, LayerId, Partition, PartitionEnd, Type,
    TypeId,
    renumber::{self, Ids},
};

/// The types and functions of the program, and their numbers in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reached {
    /// The declared functions, by their ids in the program.
    pub(super) functions: Vec<FunctionId>,
    pub(super) types: Vec<TypeId>,
    /// Functions whose signatures were read.
    pub(super) signatures: Vec<ItemRef>,
    function_numbers: FxHashMap<FunctionId, FunctionId>,
    type_numbers: FxHashMap<TypeId, TypeId>,
}

impl Reached {
    /// Follows references. `trace_of` returns the references of a function's body.
    pub(super) fn from<'t>(declared: &'t Declared, trace_of: impl Fn(FunctionId) -> &'t Trace) -> Reached {
        let mut reached = Reached::default();
        let mut seen = HashSet::new();
        reached.follow(declared, &declared.trace, &mut seen);
        let mut next = 0;
        while let Some(function) = reached.functions.get(next) {
            reached.follow(declared, trace_of(*function), &mut seen);
            next += 1;
        }
        reached
    }

    fn follow<'t>(&mut self, declared: &'t Declared, trace: &'t Trace, seen: &mut HashSet<ItemRef>) {
        let mut open: Vec<&Touch> = trace.touched.iter().rev().collect();
        while let Some(touched) = open.pop() {
            let further = match *touched {
                Touch::Function(id) => {
                    let number = FunctionId(self.functions.len() as u32);
                    self.function_numbers.entry(id).or_insert_with(|| {
                        self.functions.push(id);
                        number
                    });
                    continue;
                }
                Touch::Type(id) if self.type_numbers.contains_key(&id) => continue,
                Touch::Type(id) => {
                    self.type_numbers.insert(id, TypeId(self.types.len() as u32));
                    self.types.push(id);
                    &declared.type_info(id).trace
                }
                Touch::Signature(item) if !seen.insert(item) => continue,
                Touch::Signature(item) => {
                    self.signatures.push(item);
                    declared.trace_of_signature(item)
                }
            };
            open.extend(further.touched.iter().rev());
        }
    }

    /// The id in the program of a declared function, if it is part of the program.
    pub(super) fn function(&self, id: FunctionId) -> Option<FunctionId> {
        self.function_numbers.get(&id).copied()
    }

    /// Closures, with the numbering of the program.
    pub(super) fn deferred(&self, closures: &[Deferred]) -> Vec<Deferred> {
        let numbered = |it: &Deferred| {
            let calls = it.calls.iter().filter_map(|it| self.function(*it)).collect();
            Deferred { calls, ..it.clone() }
        };
        closures.iter().map(numbered).collect()
    }

    /// A body, with the numbering of the program.
    pub(super) fn body(&self, function: &Function) -> Function {
        renumber::function(function, &mut Numbers(self))
    }

    /// A type, with the numbering of the program.
    pub(super) fn renumbered(&self, mut ty: Type) -> Type {
        renumber::ty(&mut ty, &mut Numbers(self));
        ty
    }

    /// The definitions of the types of the program.
    pub(super) fn type_definitions(&self, declared: &Declared) -> Vec<crate::ir::TypeDef> {
        let definitions = declared.type_definitions(&self.types);
        definitions.iter().map(|it| renumber::type_def(it, &mut Numbers(self))).collect()
    }

    /// An implementation, with the numbering of the program.
    pub(super) fn implementation(&self, declared: &Implementation) -> Implementation {
        let mut implementation = declared.clone();
        let mut numbers = Numbers(self);
        let mut renumber = |id: &mut FunctionId| *id = numbers.of_function(*id);
        match &mut implementation.by {
            Justification::Movers(code) | Justification::Retry(code) | Justification::Search(code) => {
                procedures(code).for_each(&mut renumber);
            }
            Justification::Abstraction(Abstraction::Up(it) | Abstraction::Down(it) | Abstraction::Predicate(it)) => {
                renumber(it);
            }
            Justification::Partition(Partition { key_type, code, end, .. }) => {
                procedures(code).for_each(&mut renumber);
                if let PartitionEnd::Bottom { slice } = end {
                    renumber(slice);
                }
                renumber::ty(key_type, &mut numbers);
            }
        }
        implementation
    }
}

fn procedures(code: &mut std::collections::BTreeMap<String, Code>) -> impl Iterator<Item = &mut FunctionId> {
    code.values_mut().filter_map(|it| match it {
        Code::Procedure(id) => Some(id),
        Code::Pass => None,
    })
}

/// The numbers in the program. Everything that an item mentions has been reached, so it has a number.
struct Numbers<'r>(&'r Reached);

impl Ids for Numbers<'_> {
    fn of_type(&mut self, id: TypeId) -> TypeId {
        self.0.type_numbers[&id]
    }

    fn of_function(&mut self, id: FunctionId) -> FunctionId {
        self.0.function_numbers[&id]
    }

    fn of_layer(&mut self, id: LayerId) -> LayerId {
        id
    }
}
