//! What obligations and lemmas are called, and where they are stated.

use super::super::{
    About, Asking, Doubt, Lemma, Obligation, Over, idle, layer::Part, movers::Direction, needs, partition, stack,
};
use crate::{
    ir::{self, Anchor, Code as How, Implementation, ImplementationId, Justification, LayerId, Partition, Program},
    verdict::{ObligationName, Pattern},
};

/// A lemma as a clause: "`read` moves left past `write` in `Lock`".
pub fn lemma_in_words(program: &Program, lemma: &Lemma) -> String {
    let layer = &program.layers[lemma.layer.0 as usize];
    let name = |operation: usize| &layer.operations[operation].name;
    let operation = name(lemma.operation);
    match lemma.about {
        About::Silent => format!("`{operation}` of `{}` emits nothing and cannot fail", layer.name),
        About::Moves(direction, other) => {
            format!("`{operation}` moves {} past `{}` in `{}`", direction.name(), name(other), layer.name)
        }
        About::StablyEnabled(other) => {
            format!("`{operation}` stays enabled when `{}` happens in `{}`", name(other), layer.name)
        }
    }
}

/// The name of an obligation.
pub fn name(program: &Program, obligation: &Obligation) -> ObligationName {
    let layers = &program.layers;
    let layer_name = |layer: LayerId| layers[layer.0 as usize].name.clone();
    let operation_name = |layer: LayerId, operation: usize| layers[layer.0 as usize].operations[operation].name.clone();
    let implementation_of = |id: ImplementationId| &program.implementations[id.0 as usize];
    let blank = |pattern, kind: &'static str| ObligationName {
        implementation: String::new(),
        pattern,
        kind,
        layer: String::new(),
        operation: String::new(),
        against: String::new(),
    };
    let of = |id: ImplementationId, operation: usize, pattern, kind| {
        let implementation = implementation_of(id);
        ObligationName {
            implementation: implementation.name.clone(),
            layer: layer_name(implementation.upper),
            operation: operation_name(implementation.upper, operation),
            ..blank(pattern, kind)
        }
    };
    match obligation {
        Obligation::Lemma(lemma) => {
            let (kind, against) = match lemma.about {
                About::Silent => ("silent", None),
                About::Moves(Direction::Right, other) => ("right-mover", Some(other)),
                About::Moves(Direction::Left, other) => ("left-mover", Some(other)),
                About::StablyEnabled(other) => ("stably-enabled", Some(other)),
            };
            ObligationName {
                layer: layer_name(lemma.layer),
                operation: operation_name(lemma.layer, lemma.operation),
                against: against.map_or_else(String::new, |it| operation_name(lemma.layer, it)),
                ..blank(Pattern::Movers, kind)
            }
        }
        Obligation::NoPanic(layer, part) => ObligationName {
            layer: layer_name(*layer),
            operation: part.name(&layers[layer.0 as usize]).to_owned(),
            ..blank(Pattern::Layer, "no-panic")
        },
        Obligation::Shape(id, operation) => of(*id, *operation, Pattern::Movers, "shape"),
        Obligation::FromRest(it) => name(program, it),
        Obligation::Idle(id, idle::Part::Initially) => {
            let implementation = implementation_of(*id);
            ObligationName {
                implementation: implementation.name.clone(),
                layer: layer_name(implementation.lower),
                ..blank(Pattern::Movers, "idle-initially")
            }
        }
        Obligation::Idle(id, idle::Part::Returns(operation)) => of(*id, *operation, Pattern::Movers, "idle-returns"),
        Obligation::FollowsProtocol(id, operation) => of(*id, *operation, Pattern::Protocol, "follows"),
        Obligation::StaysAllowed(id, operation, other) => {
            let implementation = implementation_of(*id);
            ObligationName {
                implementation: implementation.name.clone(),
                layer: layer_name(implementation.lower),
                operation: operation_name(implementation.lower, *operation),
                against: operation_name(implementation.lower, *other),
                ..blank(Pattern::Protocol, "stays-allowed")
            }
        }
        Obligation::AtomicSpec(id, operation) => of(*id, *operation, Pattern::Movers, "atomic-spec"),
        Obligation::Initial(id) => {
            let implementation = implementation_of(*id);
            let pattern = match implementation.by {
                Justification::Movers(_) => Pattern::Movers,
                Justification::Retry(_) => Pattern::Retry,
                Justification::Abstraction(_) => Pattern::Abstraction,
                Justification::Partition(_) => Pattern::Partition,
                Justification::Search(_) => Pattern::Search,
            };
            ObligationName {
                implementation: implementation.name.clone(),
                layer: layer_name(implementation.upper),
                ..blank(pattern, "initial")
            }
        }
        Obligation::Absorbs(id) => {
            let implementation = implementation_of(*id);
            ObligationName {
                implementation: implementation.name.clone(),
                layer: layer_name(implementation.lower),
                operation: Part::Background.name(&layers[implementation.lower.0 as usize]).to_owned(),
                ..blank(Pattern::Abstraction, "absorbs-background")
            }
        }
        Obligation::Simulation(id, operation) => of(*id, *operation, Pattern::Abstraction, "simulation"),
        Obligation::Retry(id, operation) => of(*id, *operation, Pattern::Retry, "turn"),
        Obligation::Partition(id, part) => match part {
            partition::Part::Own(operation) => of(*id, *operation, Pattern::Partition, "own-key"),
            partition::Part::Frame(operation) => of(*id, *operation, Pattern::Partition, "other-keys"),
            partition::Part::Check => ObligationName {
                implementation: implementation_of(*id).name.clone(),
                layer: layer_name(key_check_layer(implementation_of(*id))),
                operation: key_check(implementation_of(*id)).to_owned(),
                ..blank(Pattern::Partition, "check")
            },
        },
        Obligation::Stack(index) => {
            ObligationName { operation: program.stacks[*index].name.clone(), ..blank(Pattern::Stack, "links") }
        }
        Obligation::NeverFails(index, operation) => {
            let stack = &program.stacks[*index];
            let top = stack::top(program, stack);
            ObligationName {
                implementation: stack.name.clone(),
                layer: top.map_or_else(String::new, layer_name),
                operation: top.map_or_else(String::new, |it| operation_name(it, *operation)),
                ..blank(Pattern::Stack, "never-fails")
            }
        }
        Obligation::EndToEnd(index, processes) => {
            let client = &program.clients[*index];
            let stack = &program.stacks[client.stack as usize];
            let top = stack.implementations.first().map(|it| implementation_of(*it).upper);
            ObligationName {
                implementation: stack.name.clone(),
                layer: top.map_or_else(String::new, |it| layers[it.0 as usize].name.clone()),
                operation: client.name.clone(),
                against: format!("{processes} processes"),
                ..blank(Pattern::EndToEnd, "traces")
            }
        }
        Obligation::TriedOut(over) => {
            let first = over.implementations(program).first().map(|it| implementation_of(*it));
            let name = match over {
                Over::Stack(index) => program.stacks[*index].name.clone(),
                Over::Implementation(id) => implementation_of(*id).name.clone(),
            };
            let layer = first.map_or_else(String::new, |it| layer_name(it.upper));
            ObligationName { implementation: name, layer, ..blank(Pattern::EndToEnd, "programs") }
        }
        Obligation::Searched(id, asking) => {
            let implementation = implementation_of(*id);
            let (operation, against) = match asking {
                Asking::Client(index, processes) => {
                    (program.clients[*index].name.clone(), format!("{processes} processes"))
                }
                Asking::Programs(_) | Asking::Nowhere => (String::new(), "small programs".to_owned()),
            };
            ObligationName {
                implementation: implementation.name.clone(),
                layer: layer_name(implementation.upper),
                operation,
                against,
                ..blank(Pattern::Search, "searched")
            }
        }
        Obligation::Asked(layer, question, asking) => {
            let (kind, function) = layers[layer.0 as usize].questions[*question];
            let (implementation, against) = match asking {
                Asking::Client(index, processes) => {
                    let client = &program.clients[*index];
                    let stack = &program.stacks[client.stack as usize].name;
                    (stack.clone(), format!("{}, {processes} processes", client.name))
                }
                Asking::Programs(Over::Stack(index)) => (program.stacks[*index].name.clone(), "programs".to_owned()),
                Asking::Programs(Over::Implementation(id)) => {
                    (implementation_of(*id).name.clone(), "programs".to_owned())
                }
                Asking::Nowhere => (String::new(), String::new()),
            };
            ObligationName {
                implementation,
                layer: layer_name(*layer),
                operation: own_name(&program.functions[function.0 as usize].name).to_owned(),
                against,
                ..blank(Pattern::EndToEnd, kind.name())
            }
        }
        Obligation::PastDecisive(id, operation) => of(*id, *operation, Pattern::Movers, "decisive"),
        Obligation::WithRely(id) => ObligationName {
            implementation: implementation_of(*id).name.clone(),
            ..blank(Pattern::Movers, "with-rely")
        },
        Obligation::OverWeaker(id) => ObligationName {
            implementation: implementation_of(*id).name.clone(),
            ..blank(Pattern::Movers, "over-weaker")
        },
        Obligation::Search(Doubt::Programs(id, operation)) => of(*id, *operation, Pattern::EndToEnd, "programs"),
        Obligation::Search(Doubt::Client(client, count, id)) => ObligationName {
            implementation: implementation_of(*id).name.clone(),
            operation: program.clients[*client as usize].name.clone(),
            against: format!("{count} processes"),
            ..blank(Pattern::EndToEnd, "traces")
        },
    }
}

/// The name of a function of a layer, without that of the layer.
pub(super) fn own_name(function: &str) -> &str {
    function.rsplit("::").next().unwrap_or(function)
}

/// The place where an obligation is stated.
pub fn anchor(program: &Program, obligation: &Obligation) -> Anchor {
    let implementation_of = |id: ImplementationId| &program.implementations[id.0 as usize];
    match *obligation {
        Obligation::Lemma(lemma) => Anchor::Claim(lemma.layer, lemma.operation),
        Obligation::NoPanic(layer, part) => part_anchor(program, layer, part),
        Obligation::Shape(id, operation)
        | Obligation::Idle(id, idle::Part::Returns(operation))
        | Obligation::FollowsProtocol(id, operation)
        | Obligation::AtomicSpec(id, operation)
        | Obligation::Retry(id, operation)
        | Obligation::Partition(id, partition::Part::Own(operation) | partition::Part::Frame(operation)) => {
            procedure_anchor(program, id, operation)
        }
        Obligation::FromRest(ref it) => anchor(program, it),
        Obligation::Idle(id, idle::Part::Initially) => {
            let lower = implementation_of(id).lower;
            let stated = program.layers[lower.0 as usize].idle.first();
            stated.map_or(Anchor::Implementation(id), |it| Anchor::Function(*it))
        }
        Obligation::StaysAllowed(id, operation, _) => Anchor::Operation(implementation_of(id).lower, operation),
        Obligation::Initial(id) | Obligation::Absorbs(id) | Obligation::Partition(id, partition::Part::Check) => {
            Anchor::Implementation(id)
        }
        Obligation::Simulation(id, operation) => Anchor::Operation(implementation_of(id).upper, operation),
        Obligation::Stack(index) | Obligation::NeverFails(index, _) => Anchor::Stack(index),
        Obligation::EndToEnd(index, _) => Anchor::Client(index),
        Obligation::TriedOut(Over::Stack(index)) => Anchor::Stack(index),
        Obligation::TriedOut(Over::Implementation(id)) => Anchor::Implementation(id),
        Obligation::Searched(id, _) | Obligation::WithRely(id) | Obligation::OverWeaker(id) => {
            Anchor::Implementation(id)
        }
        Obligation::Asked(layer, question, _) => {
            Anchor::Function(program.layers[layer.0 as usize].questions[question].1)
        }
        Obligation::PastDecisive(id, operation) | Obligation::Search(Doubt::Programs(id, operation)) => {
            procedure_anchor(program, id, operation)
        }
        Obligation::Search(Doubt::Client(client, ..)) => Anchor::Client(client as usize),
    }
}

/// The operation that checks the keys of a partition.
pub(super) fn key_check(implementation: &Implementation) -> &str {
    match &implementation.by {
        Justification::Partition(Partition { check: Some(check), .. }) => check,
        _ => "",
    }
}

/// The layer that this operation belongs to.
fn key_check_layer(implementation: &Implementation) -> LayerId {
    match &implementation.by {
        Justification::Partition(Partition { end: ir::PartitionEnd::Bottom { .. }, .. }) => implementation.lower,
        _ => implementation.upper,
    }
}

/// The place where an implementation implements an operation: the procedure's name, or that of the operation in `pass(…)`.
pub(super) fn procedure_anchor(program: &Program, id: ImplementationId, operation: usize) -> Anchor {
    match needs::how(program, id, operation) {
        Some(How::Procedure(function)) => Anchor::Function(*function),
        Some(How::Pass) => Anchor::Pass(id, operation),
        None => Anchor::Implementation(id),
    }
}

pub(super) fn part_anchor(program: &Program, layer: LayerId, part: Part) -> Anchor {
    match (part, program.layers[layer.0 as usize].background) {
        (Part::Operation(operation), _) => Anchor::Operation(layer, operation),
        (Part::Background, Some(function)) => Anchor::Function(function),
        (Part::Background, None) => Anchor::Layer(layer),
    }
}
