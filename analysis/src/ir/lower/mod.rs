//! From trees to the IR: resolves names, infers types, and reports and replaces everything outside the subset.
//!
//! Lowering has several steps, each a query of its own (see [`crate::db`]). None of them knows positions; they use [`Spot`]s instead.
//!
//! 1. `declared` holds the declarations of the package; in it, `layers` and `implementations` combine the attributes. It reads
//!    items without their bodies, so an edit of a body leaves it unchanged.
//! 2. `body` lowers one function.
//! 3. `reach` follows references from the layers. Code that no layer reaches is not part of the program, and its faults are not
//!    reported: the rest of a crate may be any Rust.
//! 4. [`build`] makes the program from the reached parts; `inline` puts helpers that make calls in loops into the procedures that call
//!    them. [`place`] finds the positions of the parts.

mod body;
mod declared;
mod finish;
mod implementations;
mod inline;
mod layers;
mod lift;
mod lowering;
mod named;
mod names;
mod partition;
mod reach;
mod report;
mod signature;
mod spot;
mod ty;
mod types;
mod unread;
mod words;

use std::sync::Arc;

use super::{Anchor, Function, FunctionId, NodeId, Program, SourceMap, Span};
use crate::{
    diagnostics::Diagnostic,
    index::{FileIndex, Indexed},
    syntax::ItemTree,
    workspace::Crates,
};

pub use declared::Declared;
pub use named::Named;
pub use reach::Reached;
pub use spot::Spot;

/// A package, lowered as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lowered {
    /// The program of the package.
    pub program: Arc<Program>,
    /// The same program, with all calls of helpers as they are written.
    pub written: Arc<Program>,
    /// The positions of its parts.
    pub source_map: Arc<SourceMap>,
    /// The findings in its source, in source order.
    pub diagnostics: Vec<Diagnostic>,
}

/// A function, lowered by itself. Types and functions have their declaration numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoweredBody {
    function: Function,
    /// The positions of its nodes.
    nodes: Arc<[Spot]>,
    deferred: Vec<Deferred>,
    trace: lowering::Trace,
}

/// The closure of an iterator that Rust may not call for each element.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Deferred {
    node: NodeId,
    /// Whether it may fail by itself.
    fails: bool,
    /// The functions that it calls.
    calls: Vec<FunctionId>,
}

/// The program of a package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Built {
    pub program: Arc<Program>,
    written: Arc<Program>,
    places: SourceMap<Spot>,
    /// Uses of `maybe`, `any` and the like where they are not allowed.
    misplaced: Vec<Diagnostic<Anchor>>,
}

/// Collects the declarations of files: their indexes and the heads of their items. `parents` has for each the `mod name;` that includes it:
/// a file, and an index into its modules; `None` for the root.
pub fn declare(
    files: Vec<(Arc<FileIndex>, Arc<Vec<ItemTree>>)>,
    parents: &[Option<(u32, u32)>],
    crates: Arc<Crates>,
) -> Declared {
    let files = files.into_iter().map(|(index, heads)| declared::Source { index, heads }).collect();
    Declared::new(files, parents, crates)
}

/// Where a function is written: a file, and the number of the declaration. `None` if it is generated from another one.
pub fn written(declared: &Declared, function: FunctionId) -> Option<(u32, u32)> {
    match declared.origin(function) {
        declared::Origin::Written(item) => Some((item.file, declared.function_item(item).declaration)),
        declared::Origin::Lifted(_) => None,
    }
}

/// Lowers one function from its syntax tree.
pub fn lower_body(declared: &Declared, function: FunctionId, tree: Option<&ItemTree>) -> LoweredBody {
    body::lower(declared, declared.origin(function), tree)
}

/// Follows references from the layers. `body` returns the lowered body of a function.
pub fn reach<'b>(declared: &'b Declared, body: impl Fn(FunctionId) -> &'b LoweredBody) -> Reached {
    Reached::from(declared, |function| &body(function).trace)
}

/// A function with the numbering of the program.
pub fn numbered(reached: &Reached, body: &LoweredBody) -> Function {
    reached.body(&body.function)
}

/// Builds the program from its reached parts.
pub fn build<'b>(
    declared: &Declared,
    reached: &Reached,
    function: impl Fn(FunctionId) -> Arc<Function>,
    body: impl Fn(FunctionId) -> &'b LoweredBody,
) -> Built {
    let mut program = Program {
        types: reached.type_definitions(declared),
        functions: reached.functions.iter().map(|it| function(*it)).collect(),
        ..Program::default()
    };
    let mut places = SourceMap {
        functions: reached.functions.iter().map(|it| declared.spot_of(declared.origin(*it))).collect(),
        nodes: reached.functions.iter().map(|it| Arc::clone(&body(*it).nodes)).collect(),
        ..SourceMap::default()
    };
    layers::emit(declared, reached, &mut program, &mut places);
    implementations::emit(&declared.parts, reached, &mut program, &mut places);
    let deferred: Vec<Vec<Deferred>> =
        reached.functions.iter().map(|it| reached.deferred(&body(*it).deferred)).collect();
    let misplaced = words::check(&mut program, &deferred);
    let written = Arc::new(program);
    let program = inline::helpers(&written, &mut places);
    Built { program, written, places, misplaced }
}

/// Finds the positions of the program's parts in the files, and its findings, in source order. `more` has the findings in the files
/// themselves.
pub fn place<'b>(
    declared: &Declared,
    reached: &Reached,
    built: &Built,
    body: impl Fn(FunctionId) -> &'b LoweredBody,
    files: &[&Indexed],
    more: Vec<Diagnostic>,
) -> Lowered {
    let source_map = built.places.map(|it| it.span(files));
    let mut diagnostics = more;
    let nowhere = Span { file: 0, start: 0, end: 0 };
    diagnostics.extend(built.misplaced.iter().map(|it| it.at(nowhere, |anchor| source_map.span(*anchor))));
    let of_types = reached.types.iter().map(|it| &declared.type_info(*it).trace);
    let of_signatures = reached.signatures.iter().map(|it| declared.trace_of_signature(*it));
    let of_bodies = reached.functions.iter().map(|it| &body(*it).trace);
    let traces = [&declared.trace].into_iter().chain(of_types).chain(of_signatures).chain(of_bodies);
    let problems = traces.flat_map(|it| &it.problems);
    diagnostics.extend(problems.map(|it| it.at(nowhere, |spot| Some(spot.span(files)))));
    for (file, number) in files.iter().zip(0..) {
        diagnostics.extend(file.diagnostics.iter().cloned().map(|mut it| {
            it.span.file = number;
            it
        }));
    }
    diagnostics
        .sort_by(|left, right| (left.span, left.code, &left.message).cmp(&(right.span, right.code, &right.message)));
    // Shared pieces, such as constants, are visited more than once.
    diagnostics
        .dedup_by(|left, right| (left.span, left.code, &left.message) == (right.span, right.code, &right.message));
    let (program, written) = (Arc::clone(&built.program), Arc::clone(&built.written));
    Lowered { program, written, source_map: Arc::new(source_map), diagnostics }
}
