//! Chains of layers as a picture: SVG, drawn here, and DOT, to be drawn by Graphviz.
//!
//! A chain is a column of boxes, the top layer first. Each arrow leads up, from the layer below to the one it implements, and is labelled
//! with the implementation and its pattern. Arrows never cross, so no layout algorithm is needed. In SVG, colours come from classes that a
//! page may style; a standalone picture has its own style, for light and dark themes.

use std::fmt::Write as _;

use cspec_analysis::verdict::Verdict;
use maud::{Markup, PreEscaped, html};

use crate::outline::{Box, Chain, Link};

const WIDTH: usize = 300;
const GAP: usize = 40;
const LINE: usize = 17;
const ARROW: usize = 58;
/// The number of characters of an operation list that fit on a line.
const FITTING: usize = 38;

/// The style of a standalone picture.
const STYLE: &str = "
  svg { color-scheme: light dark; font-family: ui-sans-serif, system-ui, 'DejaVu Sans', sans-serif; background: #fff; }
  text { fill: #1c1e21; font-size: 13px; }
  .title { font-weight: 600; font-size: 14px; } .small { fill: #5d6470; font-size: 11.5px; }
  .layer rect { fill: #f4f6f9; stroke: #9aa3b0; } .protocol rect { stroke-dasharray: 5 3; }
  .arrow { stroke: #5d6470; fill: none; stroke-width: 1.5; } .head { fill: #5d6470; }
  @media (prefers-color-scheme: dark) {
    svg { background: #15181d; } text { fill: #e6e8eb; } .small { fill: #9aa3b0; }
    .layer rect { fill: #20252c; stroke: #5d6470; } .arrow { stroke: #9aa3b0; } .head { fill: #9aa3b0; }
  }
";

/// A standalone SVG document.
pub fn svg_alone(chains: &[Chain]) -> String {
    svg(chains, &|_| None, Some(STYLE)).into_string() + "\n"
}

/// The picture, with the verdict of each implementation, if it is known, as a class of its arrow.
pub fn svg(chains: &[Chain], verdict: &dyn Fn(&str) -> Option<Verdict>, style: Option<&str>) -> Markup {
    let width = chains.len() * (WIDTH + GAP) + GAP;
    let height = chains.iter().map(chain_height).max().unwrap_or(0) + GAP;
    html! {
        svg xmlns="http://www.w3.org/2000/svg" viewBox={ "0 0 " (width) " " (height) } width=(width) height=(height) role="img"
            aria-label="stacks of layers"
        {
            @if let Some(style) = style { style { (PreEscaped(style)) } }
            @for (column, it) in chains.iter().enumerate() { (chain(it, GAP + column * (WIDTH + GAP), verdict)) }
        }
    }
}

fn chain_height(chain: &Chain) -> usize {
    GAP + chain.layers.iter().map(box_height).sum::<usize>() + chain.links.len() * ARROW
}

fn box_height(layer: &Box) -> usize {
    30 + wrapped(&layer.operations).len() * LINE + if layer.protocol_of.is_some() { LINE } else { 0 }
}

fn chain(chain: &Chain, left: usize, verdict: &dyn Fn(&str) -> Option<Verdict>) -> Markup {
    let heading = if chain.stack.is_empty() { "outside all stacks" } else { &chain.stack };
    let mut top = GAP;
    let mut tops = Vec::new();
    for layer in &chain.layers {
        tops.push(top);
        top += box_height(layer) + ARROW;
    }
    html! {
        text.title x=(left) y=(GAP - 14) { (heading) }
        @for (layer, top) in chain.layers.iter().zip(&tops) { (layer_box(layer, left, *top)) }
        @for (it, below) in chain.links.iter().zip(tops.iter().skip(1)) { (link(it, left + 40, *below, verdict(&it.name))) }
    }
}

/// The arrow from the layer whose box begins at `below` to the one above it.
fn link(link: &Link, middle: usize, below: usize, verdict: Option<Verdict>) -> Markup {
    let top = below - ARROW;
    let class = verdict.map_or("", |it| it.name());
    html! {
        g.link.(class) {
            path.arrow d=(format!("M{middle} {below}V{}", top + 9)) {}
            path.head d=(format!("M{middle} {}l-5 9h10z", top + 1)) {}
            text x=(middle + 14) y=(top + 26) { (link.name) }
            text.small x=(middle + 14) y=(top + 43) { (link_words(link.pattern, class)) }
        }
    }
}

/// The label of an arrow: `by movers`, `by movers: proved`.
fn link_words(pattern: &str, verdict: &str) -> String {
    match verdict {
        "" => format!("by {pattern}"),
        "checked" => format!("by {pattern}: checked to scope"),
        verdict => format!("by {pattern}: {verdict}"),
    }
}

fn layer_box(layer: &Box, left: usize, top: usize) -> Markup {
    let protocol = layer.protocol_of.iter().map(|raw| format!("protocol of {raw}"));
    let lines = protocol.chain(wrapped(&layer.operations));
    html! {
        g.layer.protocol[layer.protocol_of.is_some()] {
            rect x=(left) y=(top) width=(WIDTH) height=(box_height(layer)) rx="6" {}
            text.title x=(left + 12) y=(top + 20) { (layer.name) }
            @for (at, line) in (1..).zip(lines) { text.small x=(left + 12) y=(top + 20 + at * LINE) { (line) } }
        }
    }
}

/// The operations, in lines that fit into a box.
fn wrapped(operations: &[String]) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for operation in operations {
        match lines.last_mut() {
            Some(line) if line.chars().count() + operation.chars().count() + 2 <= FITTING => {
                line.push_str(", ");
                line.push_str(operation);
            }
            _ => lines.push(operation.clone()),
        }
    }
    lines
}

/// The same for Graphviz.
pub fn dot(chains: &[Chain]) -> String {
    let mut dot = String::from(
        "digraph layers {\n  rankdir = BT;\n  node [shape = box, style = rounded, fontname = \"sans-serif\"];\n",
    );
    dot.push_str("  edge [fontname = \"sans-serif\"];\n");
    for (column, chain) in chains.iter().enumerate() {
        let _ = writeln!(dot, "  subgraph cluster_{column} {{\n    label = {};", quoted(&chain.stack));
        for (at, layer) in chain.layers.iter().enumerate() {
            let protocol = layer.protocol_of.as_ref().map(|raw| format!("protocol of {raw}\n")).unwrap_or_default();
            let label = format!("{}\n{protocol}{}", layer.name, wrapped(&layer.operations).join("\n"));
            let style = if protocol.is_empty() { "" } else { ", style = \"rounded,dashed\"" };
            let _ = writeln!(dot, "    n{column}_{at} [label = {}{style}];", quoted(&label));
        }
        for (at, link) in chain.links.iter().enumerate() {
            let label = quoted(&format!("{}\nby {}", link.name, link.pattern));
            let _ = writeln!(dot, "    n{column}_{} -> n{column}_{at} [label = {label}];", at + 1);
        }
        dot.push_str("  }\n");
    }
    dot.push_str("}\n");
    dot
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
}

#[cfg(test)]
mod tests {
    use cspec_analysis::db;
    use expect_test::expect;

    use super::*;
    use crate::outline::chains;

    fn counter() -> Vec<Chain> {
        chains(&db::lower_sources(&[("src/lib.rs", include_str!("../../tests/counter/lib.rs"))]).program)
    }

    #[test]
    fn dot_of_a_counter() {
        expect![[r#"
            digraph layers {
              rankdir = BT;
              node [shape = box, style = rounded, fontname = "sans-serif"];
              edge [fontname = "sans-serif"];
              subgraph cluster_0 {
                label = "Whole";
                n0_0 [label = "Counter\ninc, print"];
                n0_1 [label = "Lock\nprotocol of RawLock\nacquire, release, read, write, print", style = "rounded,dashed"];
                n0_1 -> n0_0 [label = "CriticalSection\nby movers"];
              }
            }
        "#]].assert_eq(&dot(&counter()));
    }

    #[test]
    fn every_layer_and_link_is_in_the_picture() {
        let picture = svg_alone(&counter());
        for word in ["Whole", ">Counter<", ">Lock<", "protocol of RawLock", "CriticalSection", "by movers"] {
            assert!(picture.contains(word), "{word}: {picture}");
        }
        let coloured = svg(&counter(), &|_| Some(Verdict::Checked), None).into_string();
        assert!(coloured.contains("class=\"link checked\"") && coloured.contains("by movers: checked to scope"));
    }

    #[test]
    fn nothing_in_a_name_ends_a_string() {
        assert_eq!(quoted("a\"b\\c\nd"), r#""a\"b\\c\nd""#);
    }
}
