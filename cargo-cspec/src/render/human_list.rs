//! `list` for people: layers with their operations, implementations, stacks, and on request the matrix of each layer.
//!
//! The contents of stacks come first, in the order of each stack; then the rest in source order.

use std::io::{self, Write};

use cspec_analysis::{
    ir::Claim,
    report::{ListedImplementation, ListedLayer, ListedOperation, Listing, Movers},
    verdict::Scope,
};

use super::{excerpt, paint::Paint, place::Place};

/// The human format of `list`.
pub struct HumanList<'a> {
    /// Whether to use colour.
    pub colour: bool,
    /// Whether to show the matrices.
    pub matrix: bool,
    /// Whether to show nothing but diagnostics.
    pub only_problems: bool,
    /// The scope in which the mover types were inferred.
    pub scope: &'a Scope,
}

impl HumanList<'_> {
    /// Prints the layers, implementations and stacks of one package.
    pub fn package(&self, listing: &Listing, out: &mut dyn Write) -> io::Result<()> {
        let paint = Paint(self.colour);
        for found in &listing.diagnostics {
            writeln!(out, "{}", excerpt::diagnostic(&listing.files, found, paint))?;
        }
        if self.only_problems {
            return Ok(());
        }
        writeln!(out, "{}", paint.bold(&format!("package {}", listing.title)))?;
        if !listing.layers.is_empty() {
            writeln!(out, "  mover types were inferred within {}; change this with --scope", inferred(self.scope))?;
            if self.matrix {
                writeln!(
                    out,
                    "  matrix: how the row's operation moves past the column's of another process; - neither way, ? undecided"
                )?;
            }
        }
        for layer in layers(listing) {
            self.layer(listing, layer, out)?;
        }
        let (implementations, stacks) = (implementations(listing), &listing.stacks);
        if !implementations.is_empty() {
            writeln!(out, "\n{}", paint.bold("implementations"))?;
            let rows = implementations
                .iter()
                .map(|it| [it.name.clone(), format!("{} over {}", it.to, it.from), it.pattern.to_owned()]);
            table(&rows.collect::<Vec<_>>(), out)?;
        }
        for stack in stacks {
            writeln!(out, "\n{}", paint.bold(&format!("stack {}", stack.name)))?;
            let below = stack.implementations.iter().cloned().chain([String::new()]);
            table(&stack.layers.iter().cloned().zip(below).map(|(layer, by)| [layer, by]).collect::<Vec<_>>(), out)?;
        }
        Ok(())
    }

    /// A layer, with a line for each operation.
    fn layer(&self, listing: &Listing, layer: &ListedLayer, out: &mut dyn Write) -> io::Result<()> {
        let paint = Paint(self.colour);
        let place = Place::find(&listing.files, layer.span)
            .map(|place| format!("  {}:{}", place.path, place.start().line))
            .unwrap_or_default();
        let protocol = layer.protocol.as_ref().map(|raw| format!(", protocol of {raw}")).unwrap_or_default();
        writeln!(out, "\n{}{protocol}{}", paint.bold(&format!("layer {}", layer.name)), paint.faint(&place))?;
        let rows = layer.operations.iter().map(|it| [format!("{}{}", it.name, it.signature), moves(it)]);
        table(&rows.collect::<Vec<_>>(), out)?;
        if self.matrix && layer.operations.iter().any(|it| !it.external) {
            writeln!(out)?;
            table(&matrix(layer), out)?;
        }
        Ok(())
    }
}

/// The human format of `matrix`.
pub struct HumanMatrix<'a> {
    /// Whether to use colour.
    pub colour: bool,
    /// The layers to print; if empty, all.
    pub layers: &'a [String],
    /// The scope in which the mover types were inferred.
    pub scope: &'a Scope,
}

impl HumanMatrix<'_> {
    /// Prints the matrices of one package.
    pub fn package(&self, listing: &Listing, out: &mut dyn Write) -> io::Result<()> {
        let paint = Paint(self.colour);
        for found in &listing.diagnostics {
            writeln!(out, "{}", excerpt::diagnostic(&listing.files, found, paint))?;
        }
        let wanted = |layer: &&ListedLayer| self.layers.is_empty() || self.layers.contains(&layer.name);
        for layer in layers(listing).into_iter().filter(wanted) {
            let protocol = layer.protocol.as_ref().map(|raw| format!(", protocol of {raw}")).unwrap_or_default();
            writeln!(out, "{}{protocol}", paint.bold(&format!("{}: layer {}", listing.title, layer.name)))?;
            let mut rows = matrix(layer);
            let inferred = layer.operations.iter().filter(|it| !it.external).map(moves);
            for (row, moves) in rows.iter_mut().zip([String::new()].into_iter().chain(inferred)) {
                row.push(moves);
            }
            table(&rows, out)?;
            writeln!(out)?;
        }
        writeln!(
            out,
            "How the row's operation moves past the column's of another process: right, left, both, - neither way, ? undecided;"
        )?;
        writeln!(
            out,
            "the last column is its mover type. Inferred within {}; change this with --scope.",
            inferred(self.scope)
        )
    }
}

/// The scope in which mover types hold, and the scope in which none of them was refuted.
fn inferred(whole: &Scope) -> String {
    let smallest = whole.smallest();
    match smallest == *whole {
        true => scope(whole),
        false => format!("{} (none is refuted within {})", scope(&smallest), scope(whole)),
    }
}

/// A scope as text: `Pid ≤ 2, entries ≤ 1, int ≤ 1, scalar ≤ 2`.
fn scope(scope: &Scope) -> String {
    let mut bounds = vec![("Pid", scope.pids), ("entries", scope.entries), ("int", scope.ints)];
    bounds.extend(scope.scalars.iter().map(|(name, limit)| (name.as_str(), *limit)));
    bounds.push(("scalar", scope.scalars_default));
    bounds.iter().map(|(name, limit)| format!("{name} ≤ {limit}")).collect::<Vec<_>>().join(", ")
}

/// The layers: those of stacks first, top to bottom, each followed by the layer that it restricts.
fn layers(listing: &Listing) -> Vec<&ListedLayer> {
    let named = |name: &String| listing.layers.iter().find(|it| it.name == *name);
    let in_stacks = listing.stacks.iter().flat_map(|it| &it.layers).filter_map(named);
    let with_restricted = in_stacks.flat_map(|it| [Some(it), it.protocol.as_ref().and_then(named)]).flatten();
    once_each(with_restricted.chain(&listing.layers))
}

/// The implementations: those of stacks first, top to bottom.
fn implementations(listing: &Listing) -> Vec<&ListedImplementation> {
    let named = |name: &String| listing.implementations.iter().find(|it| it.name == *name);
    let in_stacks = listing.stacks.iter().flat_map(|it| &it.implementations).filter_map(named);
    once_each(in_stacks.chain(&listing.implementations))
}

/// Each item once, at its first position.
fn once_each<'a, T>(things: impl Iterator<Item = &'a T>) -> Vec<&'a T> {
    let mut kept: Vec<&T> = Vec::new();
    for thing in things {
        if !kept.iter().any(|it| std::ptr::eq(*it, thing)) {
            kept.push(thing);
        }
    }
    kept
}

/// The mover type of an operation as text: `right`, `both, claimed right`, `external`.
fn moves(operation: &ListedOperation) -> String {
    let moves = if operation.external { "external" } else { operation.inferred.name() };
    match operation.claim {
        Some(claim) => format!("{moves}, claimed {}", claim_name(claim)),
        None => moves.to_owned(),
    }
}

/// The matrix of a layer: a row for each operation, a column for each operation that it moves past. External operations are left out, since
/// they do not touch the state.
fn matrix(layer: &ListedLayer) -> Vec<Vec<String>> {
    let shown = || layer.operations.iter().enumerate().filter(|(_, it)| !it.external);
    let head = shown().map(|(_, it)| it.name.clone());
    let row = |operation: &ListedOperation| {
        let cells = shown().filter_map(|(at, _)| operation.row.get(at)).map(|it| cell(*it).to_owned());
        [operation.name.clone()].into_iter().chain(cells).collect()
    };
    [[String::new()].into_iter().chain(head).collect()].into_iter().chain(shown().map(|(_, it)| row(it))).collect()
}

/// The entry of the matrix for a pair: `right`, `left`, `both`, `-` or `?`.
fn cell(moves: Movers) -> &'static str {
    match moves.name() {
        "non" => "-",
        "undecided" => "?",
        word => word,
    }
}

/// Writes rows with their columns aligned.
fn table(rows: &[impl AsRef<[String]>], out: &mut dyn Write) -> io::Result<()> {
    let columns = rows.iter().map(|row| row.as_ref().len()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns)
        .map(|at| rows.iter().filter_map(|row| row.as_ref().get(at)).map(|it| it.chars().count()).max().unwrap_or(0))
        .collect();
    for row in rows {
        let cells: Vec<String> =
            row.as_ref().iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        writeln!(out, "  {}", cells.join("  ").trim_end())?;
    }
    Ok(())
}

/// The name of a claim, as written in `#[op(…)]`.
pub fn claim_name(claim: Claim) -> &'static str {
    match claim {
        Claim::Right => "right",
        Claim::Left => "left",
        Claim::Both => "both",
        Claim::Non => "non",
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::render::fixtures::listing;

    #[test]
    fn a_package_with_its_matrix() {
        let mut out = Vec::new();
        let scope = Scope::default().smallest();
        let human = HumanList { colour: false, matrix: true, only_problems: false, scope: &scope };
        human.package(&listing(), &mut out).expect("writing to memory succeeds");
        expect![[r#"
            package demo
              mover types were inferred within Pid ≤ 2, entries ≤ 1, int ≤ 1, scalar ≤ 2; change this with --scope
              matrix: how the row's operation moves past the column's of another process; - neither way, ? undecided

            layer Lock, protocol of RawLock  demo/src/lock.rs:3
              write(value: u64)  right, claimed right
              read() -> u64      undecided

                     write  read
              write  both   right
              read   ?      both

            implementations
              Count  Counter over Lock  movers

            stack Whole
              Counter  Count
              Lock
        "#]]
        .assert_eq(&String::from_utf8(out).expect("the output is UTF-8"));
    }
}
