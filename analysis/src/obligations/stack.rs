//! Stacks: a chain of implementations without a gap.
//!
//! Linking requires only that adjacent ends match (CSPEC, section 5.4, `Link`): each implementation's lower layer is the next one's upper layer,
//! or a protocol layer over it. The protocol obligations show that the layer is used by its rules.
//!
//! A partition has two ends in a stack: one where the layers for all keys end, and below it one where they begin again, by the same key.
//!
//! A failure below is matched by a failure above, all the way up; after a failure anything may happen. So a stack says something only if its top
//! layer cannot fail:
//!
//! ```text
//! for all s, p, arguments: no run of op@p of the top layer from s fails
//! ```
//!
//! If that does not hold, and the stack has clients, its assertions are preconditions: the clients are searched for a call that breaks one
//! ([`super::end_to_end::keeps_gate`]), and the verdict names the assumption that other callers keep them.

use crate::ir::{Implementation, Justification, LayerId, Partition, PartitionEnd, Program, Stack};

/// Two adjacent implementations of a stack that do not fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// The position in the stack of the upper one.
    pub link: usize,
    /// The layer that it needs below.
    pub needs: LayerId,
    /// The layer that the next one provides; `None` if it is the last, and the layer at the bottom is one that only procedures of movers
    /// may use.
    pub provides: Option<LayerId>,
}

/// The layer that a stack implements.
pub fn top(program: &Program, stack: &Stack) -> Option<LayerId> {
    stack.implementations.first().map(|it| program.implementations[it.0 as usize].upper)
}

/// The first gap.
pub fn check(program: &Program, stack: &Stack) -> Option<Gap> {
    let implementation =
        |id: &crate::ir::ImplementationId| -> &Implementation { &program.implementations[id.0 as usize] };
    // Only procedures of movers are shown to follow the rules of a protocol layer.
    let follows = |it: &Implementation| matches!(it.by, Justification::Movers(_));
    let links = stack.implementations.iter().enumerate().map(|(link, id)| (link, implementation(id)));
    let mut below = stack.implementations.iter().skip(1).map(implementation);
    links.into_iter().find_map(|(link, it)| {
        let protocol = program.layers[it.lower.0 as usize].protocol.as_ref();
        let provides = below.next().map(|it| it.upper);
        let fits = match (provides, protocol) {
            (Some(provides), _) if provides == it.lower => true,
            (Some(provides), Some(protocol)) => follows(it) && provides == protocol.raw,
            (Some(_), None) => false,
            (None, protocol) => protocol.is_none() || follows(it),
        };
        (!fits).then_some(Gap { link, needs: it.lower, provides })
    })
}

/// The position of an end of a partition without a matching other end.
pub fn lonely_end(program: &Program, stack: &Stack) -> Option<usize> {
    let mut open: Option<(usize, &Partition)> = None;
    for (link, id) in stack.implementations.iter().enumerate() {
        let Justification::Partition(partition) = &program.implementations[id.0 as usize].by else { continue };
        open = match (&partition.end, open) {
            (PartitionEnd::Top { .. }, None) => Some((link, partition)),
            (PartitionEnd::Bottom { .. }, Some((_, top)))
                if top.key_type == partition.key_type && top.check.is_some() == partition.check.is_some() =>
            {
                None
            }
            _ => return Some(link),
        };
    }
    open.map(|(link, _)| link)
}
