//! `list --figure`: each stack as a Markdown table, top to bottom, in the form of Figures 7 and 16 of the CSPEC paper.
//!
//! A cell lists only differences from the layer above: added (`+`) and removed (`−`) operations, and the state if its type changes.

use std::io::{self, Write};

use crate::outline::{Box, Chain, Link};

/// Prints the tables of some stacks.
pub fn tables(chains: &[Chain], out: &mut dyn Write) -> io::Result<()> {
    for (at, chain) in chains.iter().enumerate() {
        if at > 0 {
            writeln!(out)?;
        }
        writeln!(out, "**{}**\n", chain.stack)?;
        table(chain, out)?;
    }
    Ok(())
}

fn table(chain: &Chain, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "| layer | operations | state | pattern |\n|---|---|---|---|")?;
    let above = [None].into_iter().chain(chain.layers.iter().map(Some));
    let links = chain.links.iter().map(Some).chain([None]);
    for ((layer, above), link) in chain.layers.iter().zip(above).zip(links) {
        let below = link.map_or_else(|| "trusted".to_owned(), |link| pattern(link, chain, layer));
        writeln!(out, "| `{}` | {} | {} | {below} |", layer.name, operations(layer, above), state(layer, above))?;
    }
    Ok(())
}

/// The implementation of a layer over the one below: the pattern, and the protocol if the layer below is a protocol layer.
fn pattern(link: &Link, chain: &Chain, layer: &Box) -> String {
    let at = chain.layers.iter().position(|it| it.name == layer.name);
    let below = at.and_then(|it| chain.layers.get(it + 1));
    let rules = if below.is_some_and(|it| it.protocol_of.is_some()) { " + protocol" } else { "" };
    format!("{}{rules}: `{}`", link.pattern, link.name)
}

fn operations(layer: &Box, above: Option<&Box>) -> String {
    let list = |names: Vec<&String>| names.iter().map(|it| format!("`{it}`")).collect::<Vec<_>>().join(", ");
    let Some(above) = above else { return list(layer.operations.iter().collect()) };
    let missing = |names: &[String], from: &[String]| -> Vec<String> {
        names.iter().filter(|it| !from.contains(it)).cloned().collect()
    };
    let come = missing(&layer.operations, &above.operations);
    let gone = missing(&above.operations, &layer.operations);
    if come.len() == layer.operations.len() {
        return list(layer.operations.iter().collect());
    }
    let signed = |sign: &str, names: &[String]| match names {
        [] => None,
        names => Some(format!("{sign} {}", list(names.iter().collect()))),
    };
    let parts: Vec<String> = [signed("+", &come), signed("−", &gone)].into_iter().flatten().collect();
    if parts.is_empty() { "*same as above*".to_owned() } else { parts.join("; ") }
}

fn state(layer: &Box, above: Option<&Box>) -> String {
    if above.is_some_and(|it| it.state == layer.state) {
        return "*same as above*".to_owned();
    }
    format!("`{}`", layer.state)
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    fn layer(name: &str, operations: &[&str], state: &str, protocol_of: Option<&str>) -> Box {
        Box {
            name: name.to_owned(),
            protocol_of: protocol_of.map(str::to_owned),
            operations: operations.iter().map(|it| (*it).to_owned()).collect(),
            state: state.to_owned(),
        }
    }

    #[test]
    fn a_row_says_what_differs_from_the_row_above() {
        let link = |name: &str, pattern| Link { name: name.to_owned(), pattern };
        let chain = Chain {
            stack: "Stack".to_owned(),
            layers: vec![
                layer("Counter", &["inc", "print"], "Count { value: u64 }", None),
                layer("Locked", &["inc", "print"], "Locked { owner: Option<Pid> }", None),
                layer("Lock", &["read", "write", "print"], "Locked { owner: Option<Pid> }", Some("RawLock")),
            ],
            links: vec![link("Hide", "abstraction"), link("Section", "movers")],
        };
        let mut out = Vec::new();
        tables(&[chain], &mut out).expect("a vector can be written to");
        expect![[r#"
            **Stack**

            | layer | operations | state | pattern |
            |---|---|---|---|
            | `Counter` | `inc`, `print` | `Count { value: u64 }` | abstraction: `Hide` |
            | `Locked` | *same as above* | `Locked { owner: Option<Pid> }` | movers + protocol: `Section` |
            | `Lock` | + `read`, `write`; − `inc` | *same as above* | trusted |
        "#]]
        .assert_eq(&String::from_utf8(out).expect("text"));
    }
}
