//! The chains of layers of a package: its stacks, and the implementations that no stack uses. Pictures are drawn from them.

use cspec_analysis::ir::{Implementation, ImplementationId, Layer, LayerId, Program, Type, TypeDefKind};

/// Layers from top to bottom, with the implementations between them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    /// The stack; empty for an implementation outside all stacks.
    pub stack: String,
    /// The layers, one more than there are links.
    pub layers: Vec<Box>,
    /// The implementations, top to bottom.
    pub links: Vec<Link>,
}

/// A layer of a chain, as a box of the picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Box {
    /// The name of the layer.
    pub name: String,
    /// The layer that it restricts, if it is a protocol layer.
    pub protocol_of: Option<String>,
    pub operations: Vec<String>,
    /// Its state: the type, with its fields.
    pub state: String,
}

/// An implementation of a chain, as an arrow of the picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The name of the implementation.
    pub name: String,
    pub pattern: &'static str,
}

/// The chains of a program, stacks first.
pub fn chains(program: &Program) -> Vec<Chain> {
    let mut chains: Vec<Chain> =
        program.stacks.iter().map(|it| chain(program, &it.name, &it.implementations)).collect();
    for index in 0..program.implementations.len() {
        let id = ImplementationId(index as u32);
        if !program.stacks.iter().any(|stack| stack.implementations.contains(&id)) {
            chains.push(chain(program, "", &[id]));
        }
    }
    chains
}

fn chain(program: &Program, stack: &str, implementations: &[ImplementationId]) -> Chain {
    let implementations: Vec<&Implementation> =
        implementations.iter().map(|id| &program.implementations[id.0 as usize]).collect();
    let mut layers: Vec<LayerId> = implementations.first().iter().map(|it| it.upper).collect();
    layers.extend(implementations.iter().map(|it| it.lower));
    let links = implementations.iter().map(|it| Link { name: it.name.clone(), pattern: it.by.name() });
    Chain {
        stack: stack.to_owned(),
        layers: layers.into_iter().map(|id| layer(program, id)).collect(),
        links: links.collect(),
    }
}

fn layer(program: &Program, id: LayerId) -> Box {
    let layer_of = |id: LayerId| -> &Layer { &program.layers[id.0 as usize] };
    let layer = layer_of(id);
    Box {
        name: layer.name.clone(),
        protocol_of: layer.protocol.as_ref().map(|it| layer_of(it.raw).name.clone()),
        operations: layer.operations.iter().map(|it| it.name.clone()).collect(),
        state: state(program, &layer.state),
    }
}

/// A type; a struct with its fields.
fn state(program: &Program, ty: &Type) -> String {
    let name = program.type_name(ty);
    let Type::User(id) = ty else { return name };
    let TypeDefKind::Struct(fields) = &program.types[id.0 as usize].kind else { return name };
    let fields: Vec<String> = fields.iter().map(|it| format!("{}: {}", it.name, program.type_name(&it.ty))).collect();
    format!("{name} {{ {} }}", fields.join(", "))
}
