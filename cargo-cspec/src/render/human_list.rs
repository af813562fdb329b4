//! `list` for people: layers with their operations, implementations, stacks, and on request the matrix of each layer.

use std::io::{self, Write};

use cspec_analysis::{
    ir::Claim,
    report::{ListedLayer, ListedOperation, Listing, Movers},
};

use super::{excerpt, paint::Paint, place::Place};

/// The human format of `list`.
pub struct HumanList {
    /// Whether to colour.
    pub colour: bool,
    /// Whether to show the matrices.
    pub matrix: bool,
    /// Whether to show nothing but diagnostics.
    pub only_problems: bool,
}

impl HumanList {
    /// Prints one package.
    pub fn package(&self, listing: &Listing, out: &mut dyn Write) -> io::Result<()> {
        let paint = Paint(self.colour);
        for found in &listing.diagnostics {
            writeln!(out, "{}", excerpt::diagnostic(&listing.files, found, paint))?;
        }
        if self.only_problems {
            return Ok(());
        }
        writeln!(out, "{}", paint.bold(&format!("package {}", listing.package)))?;
        for layer in &listing.layers {
            self.layer(listing, layer, out)?;
        }
        implementations(listing, out)?;
        stacks(listing, out)
    }

    /// A layer, with a line for each operation.
    fn layer(&self, listing: &Listing, layer: &ListedLayer, out: &mut dyn Write) -> io::Result<()> {
        let paint = Paint(self.colour);
        let place = Place::find(&listing.files, layer.span)
            .map(|place| format!("  {}:{}", place.path, place.start().line))
            .unwrap_or_default();
        let protocol = layer.protocol.as_ref().map(|raw| format!(", protocol of {raw}")).unwrap_or_default();
        writeln!(out, "\n{}{protocol}{}", paint.bold(&format!("layer {}", layer.name)), paint.faint(&place))?;
        let signatures: Vec<String> = layer.operations.iter().map(signature).collect();
        let wide = signatures.iter().map(|text| text.chars().count()).max().unwrap_or(0);
        for (operation, signature) in layer.operations.iter().zip(&signatures) {
            writeln!(out, "  {signature:wide$}  {}", moves(operation))?;
        }
        if self.matrix {
            matrix(layer, out)?;
        }
        Ok(())
    }
}

/// `read(at: Addr) -> u64`, whether or not the engine's signature begins with the name.
fn signature(operation: &ListedOperation) -> String {
    if operation.signature.starts_with(&operation.name) {
        operation.signature.clone()
    } else {
        format!("{}{}", operation.name, operation.signature)
    }
}

/// `right`, `both, claimed right`, `external`.
fn moves(operation: &ListedOperation) -> String {
    let inferred = operation.inferred.name();
    let mut words = vec![if operation.external { "external".to_owned() } else { inferred.to_owned() }];
    if let Some(claim) = operation.claim {
        words.push(format!("claimed {}", claim_name(claim)));
    }
    words.join(", ")
}

/// The matrix of a layer: a row for each operation, a column for each operation that it moves past.
fn matrix(layer: &ListedLayer, out: &mut dyn Write) -> io::Result<()> {
    let wide = layer.operations.iter().map(|operation| operation.name.chars().count()).max().unwrap_or(0);
    writeln!(out, "\n  row past column: R right, L left, - not, ? undecided")?;
    write!(out, "  {:wide$}", "")?;
    for other in &layer.operations {
        write!(out, "  {}", other.name)?;
    }
    writeln!(out)?;
    for operation in &layer.operations {
        write!(out, "  {:wide$}", operation.name)?;
        let last = operation.row.len().saturating_sub(1);
        for (at, (other, moves)) in layer.operations.iter().zip(&operation.row).enumerate() {
            let column = if at == last { 0 } else { other.name.chars().count() };
            write!(out, "  {:column$}", cell(*moves))?;
        }
        writeln!(out)?;
    }
    Ok(())
}

/// `RL`, `R-`, `-L`, `--`, with `?` for what is undecided.
fn cell(moves: Movers) -> String {
    let letter = |known: Option<bool>, letter: char| match known {
        Some(true) => letter,
        Some(false) => '-',
        None => '?',
    };
    [letter(moves.right, 'R'), letter(moves.left, 'L')].iter().collect()
}

/// A line for each implementation.
fn implementations(listing: &Listing, out: &mut dyn Write) -> io::Result<()> {
    if listing.implementations.is_empty() {
        return Ok(());
    }
    writeln!(out, "\nimplementations")?;
    let names = listing.implementations.iter().map(|it| it.name.chars().count()).max().unwrap_or(0);
    let links: Vec<String> = listing.implementations.iter().map(|it| format!("{} over {}", it.to, it.from)).collect();
    let wide = links.iter().map(|link| link.chars().count()).max().unwrap_or(0);
    for (it, link) in listing.implementations.iter().zip(&links) {
        writeln!(out, "  {:names$}  {link:wide$}  {}", it.name, it.pattern)?;
    }
    Ok(())
}

/// Each stack, a line for each of its layers, top to bottom.
fn stacks(listing: &Listing, out: &mut dyn Write) -> io::Result<()> {
    for stack in &listing.stacks {
        writeln!(out, "\nstack {}", stack.name)?;
        let wide = stack.layers.iter().map(|layer| layer.chars().count()).max().unwrap_or(0);
        for (at, layer) in stack.layers.iter().enumerate() {
            match stack.implementations.get(at) {
                Some(implementation) => writeln!(out, "  {layer:wide$}  {implementation}")?,
                None => writeln!(out, "  {layer}")?,
            }
        }
    }
    Ok(())
}

/// The word of a claim, as it is written in `#[op(…)]`.
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
        let human = HumanList { colour: false, matrix: true, only_problems: false };
        human.package(&listing(), &mut out).expect("writing to memory succeeds");
        expect![[r#"
            package demo

            layer Lock, protocol of RawLock  demo/src/lock.rs:3
              write(value: u64)  right, claimed right
              read() -> u64      undecided

              row past column: R right, L left, - not, ? undecided
                     write  read
              write  RL     R-
              read   ?-     RL

            implementations
              Count  Counter over Lock  movers

            stack Whole
              Counter  Count
              Lock
        "#]]
        .assert_eq(&String::from_utf8(out).expect("the output is UTF-8"));
    }
}
