//! Stacks: a chain of implementations without a gap.
//!
//! Linking needs nothing but matching ends (CSPEC, section 4.4, `Link`): each implementation's lower layer is the next one's upper layer,
//! or a protocol layer over it — using that layer by its rules is what the protocol obligations show.
//!
//! A failure below is matched by a failure above, all the way up; after a failure anything may happen. So a stack says something only if it
//! ends in a layer that cannot fail:
//!
//! ```text
//! for all s, p, arguments: no run of op@p of the top layer from s fails
//! ```

use crate::ir::{Implementation, LayerId, Program, Stack};

/// Two neighbours in a stack that do not fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// Position in the stack of the upper one of the two.
    pub link: usize,
    /// What it needs below.
    pub needs: LayerId,
    /// What the next one provides.
    pub provides: LayerId,
}

/// The layer that a stack implements.
pub fn top(program: &Program, stack: &Stack) -> Option<LayerId> {
    stack.implementations.first().map(|it| program.implementations[it.0 as usize].upper)
}

/// The first gap.
pub fn check(program: &Program, stack: &Stack) -> Option<Gap> {
    let implementation = |id: &crate::ir::ImplementationId| -> &Implementation { &program.implementations[id.0 as usize] };
    stack.implementations.windows(2).enumerate().find_map(|(link, pair)| {
        let (needs, provides) = (implementation(&pair[0]).lower, implementation(&pair[1]).upper);
        let raw = program.layers[needs.0 as usize].protocol.as_ref().map(|it| it.raw);
        (needs != provides && raw != Some(provides)).then_some(Gap { link, needs, provides })
    })
}
