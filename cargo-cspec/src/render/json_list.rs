//! `list` for programs: a `compiler-message` for each diagnostic, then one `cspec-package` object. Described in `docs/json.md`.

use std::io::{self, Write};

use cspec_analysis::{
    ir::Claim,
    report::{ListedImplementation, ListedLayer, ListedOperation, ListedStack, Listing, SourceText},
    verdict::Scope,
    workspace,
};
use serde::Serialize;

use super::{
    human_list::claim_name,
    json::{CompilerMessage, LineSpan, Origin, ScopeObject, line},
    paint::Paint,
};

/// Prints one package and its diagnostics.
pub fn package(package: &workspace::Package, listing: &Listing, scope: &Scope, out: &mut dyn Write) -> io::Result<()> {
    let origin = Origin::of(package);
    for found in &listing.diagnostics {
        line(out, &CompilerMessage::new(&origin, &listing.files, found, Paint(false)))?;
    }
    line(out, &Package::new(package, listing, scope))
}

/// A line `{"reason":"cspec-package",…}`: the contents of one package.
#[derive(Serialize)]
struct Package<'a> {
    reason: &'static str,
    package: &'a str,
    target: String,
    manifest_path: &'a str,
    scope: ScopeObject<'a>,
    layers: Vec<Layer<'a>>,
    implementations: Vec<Implementation<'a>>,
    stacks: Vec<Stack<'a>>,
}

#[derive(Serialize)]
struct Layer<'a> {
    name: &'a str,
    protocol: Option<&'a str>,
    operations: Vec<Operation<'a>>,
    span: LineSpan<'a>,
}

#[derive(Serialize)]
struct Operation<'a> {
    name: &'a str,
    signature: &'a str,
    claimed: Option<&'static str>,
    inferred: &'static str,
    external: bool,
    row: Vec<Cell<'a>>,
    span: LineSpan<'a>,
}

/// Whether an operation moves past another.
#[derive(Serialize)]
struct Cell<'a> {
    against: &'a str,
    right: Option<bool>,
    left: Option<bool>,
}

#[derive(Serialize)]
struct Implementation<'a> {
    name: &'a str,
    pattern: &'static str,
    from: &'a str,
    to: &'a str,
    span: LineSpan<'a>,
}

#[derive(Serialize)]
struct Stack<'a> {
    name: &'a str,
    implementations: &'a [String],
    layers: &'a [String],
    span: LineSpan<'a>,
}

impl<'a> Package<'a> {
    fn new(package: &'a workspace::Package, listing: &'a Listing, scope: &'a Scope) -> Package<'a> {
        let files = &listing.files;
        Package {
            reason: "cspec-package",
            package: &listing.package,
            target: package.target.to_string(),
            manifest_path: package.manifest_path.as_str(),
            scope: ScopeObject(scope),
            layers: listing.layers.iter().map(|layer| Layer::new(files, layer)).collect(),
            implementations: listing.implementations.iter().map(|it| Implementation::new(files, it)).collect(),
            stacks: listing.stacks.iter().map(|stack| Stack::new(files, stack)).collect(),
        }
    }
}

impl<'a> Layer<'a> {
    fn new(files: &'a [SourceText], layer: &'a ListedLayer) -> Layer<'a> {
        Layer {
            name: &layer.name,
            protocol: layer.protocol.as_deref(),
            operations: layer.operations.iter().map(|operation| Operation::new(files, layer, operation)).collect(),
            span: LineSpan::new(files, layer.span),
        }
    }
}

impl<'a> Operation<'a> {
    fn new(files: &'a [SourceText], layer: &'a ListedLayer, operation: &'a ListedOperation) -> Operation<'a> {
        let others = layer.operations.iter().zip(&operation.row);
        Operation {
            name: &operation.name,
            signature: &operation.signature,
            claimed: operation.claim.map(|claim: Claim| claim_name(claim)),
            inferred: operation.inferred.name(),
            external: operation.external,
            row: others
                .map(|(other, moves)| Cell { against: &other.name, right: moves.right, left: moves.left })
                .collect(),
            span: LineSpan::new(files, operation.span),
        }
    }
}

impl<'a> Implementation<'a> {
    fn new(files: &'a [SourceText], it: &'a ListedImplementation) -> Implementation<'a> {
        let span = LineSpan::new(files, it.span);
        Implementation { name: &it.name, pattern: it.pattern, from: &it.from, to: &it.to, span }
    }
}

impl<'a> Stack<'a> {
    fn new(files: &'a [SourceText], stack: &'a ListedStack) -> Stack<'a> {
        let span = LineSpan::new(files, stack.span);
        Stack { name: &stack.name, implementations: &stack.implementations, layers: &stack.layers, span }
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::render::fixtures::{listing, package};

    #[test]
    fn one_object_for_a_package() {
        let package = package();
        let mut out = Vec::new();
        super::package(&package, &listing(), &Scope::default().smallest(), &mut out)
            .expect("writing to memory succeeds");
        expect![[r#"
            {"reason":"cspec-package","package":"demo","target":"lib","manifest_path":"/work/demo/Cargo.toml","scope":{"Pid":2,"entries":1,"int":1,"scalar":2,"budget":200000000},"layers":[{"name":"Lock","protocol":"RawLock","operations":[{"name":"write","signature":"(value: u64)","claimed":"right","inferred":"right","external":false,"row":[{"against":"write","right":true,"left":true},{"against":"read","right":true,"left":false}],"span":{"file":"demo/src/lock.rs","line":5,"column":8}},{"name":"read","signature":"() -> u64","claimed":null,"inferred":"undecided","external":false,"row":[{"against":"write","right":null,"left":false},{"against":"read","right":true,"left":true}],"span":{"file":"demo/src/lock.rs","line":10,"column":8}}],"span":{"file":"demo/src/lock.rs","line":3,"column":6}}],"implementations":[{"name":"Count","pattern":"movers","from":"Lock","to":"Counter","span":{"file":"demo/src/count.rs","line":2,"column":6}}],"stacks":[{"name":"Whole","implementations":["Count"],"layers":["Counter","Lock"],"span":{"file":"demo/src/count.rs","line":2,"column":1}}]}
        "#]].assert_eq(&String::from_utf8(out).expect("the output is UTF-8"));
    }
}
