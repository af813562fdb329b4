//! Loops whose turns change something that only the own process notices: the last turn makes up for those before it.
//!
//! ```text
//! loop { let old = lo.load(); lo.stash(old); if lo.cas(old, new) { return old } }
//! ```
//!
//! All edges of such turns are right or weak (`loops`). Where the calls of a path are brought together ([`one_step`]), the right ones are made,
//! and the others are left out, in all turns. For turns `T` and `U` that follow each other on some path, let `R(T)` be the right edges of
//! `T`, with their arguments and results. `U` *absorbs* `T` if for all states `s` and `y`
//!
//! ```text
//! s --R(T)--> x --R(U)--> y    implies    s --R(U)--> y
//! ```
//!
//! If each turn is absorbed by the next one, then by induction from the first turn on all turns do what the last of them does. So what is
//! judged is a path that makes no turn, and a path that makes one ([`Walk::keeps_last_turn`]): it begins where any turns have been made, so
//! it stands for the last one of them. There, too, all right edges of that turn are made. So the commit point comes after it.
//!
//! More is known after a turn than where any turns have been made. So a call may be weak in one place and right in the other. `R(T)` must not
//! depend on that: a call that is weak is made if it is right wherever the procedure makes it, and left out if it is not right; any other one is
//! refused.
//!
//! The argument is on paper: it is no part of CSPEC. Loops of right movers are (OSDI'18, section 5.2), if the atomic run makes their turns.

use std::{cell::RefCell, rc::Rc};

use super::{
    edges::Edge,
    loops::{Heads, Visit},
    one_step,
    shape::Walk,
};
use crate::explore::{
    machine::Machine,
    search::{Abort, Search},
};

/// Turns that follow each other, and what is known after both.
pub(super) struct Successive {
    /// The edges of the first.
    pub(super) first: Vec<Rc<Edge>>,
    /// The edges of the second.
    pub(super) second: Vec<Rc<Edge>>,
    /// The machine after the second.
    pub(super) after: Machine,
}

/// Turns of a loop that follow each other, as they are found.
pub(super) type AllSuccessive = RefCell<Vec<Successive>>;

impl<'p> Walk<'_, 'p, '_, '_> {
    /// The only loop of these whose turns change something, if each of its turns is absorbed by the next one.
    pub(super) fn absorbing<'h>(
        &mut self,
        search: &mut Search<'_, 'p>,
        heads: &'h Heads,
    ) -> Result<Option<&'h Visit>, Abort> {
        if !self.keeps_last_turn || !self.setting.scope.absorbed_turns || heads.are_fresh() {
            return Ok(None);
        }
        let mut changing = Vec::new();
        for visit in heads.iter() {
            if !strong(search, &visit.head.edges_of_inner())?.is_empty() {
                return Ok(None);
            }
            if !strong(search, &visit.head.turns.borrow())?.is_empty() {
                changing.push(visit);
            }
        }
        let [visit] = changing[..] else { return Ok(None) };
        let pausing = std::mem::replace(&mut search.pausing, false);
        let absorbed = self.all_absorb(search, &visit.head.successive);
        search.pausing = pausing;
        Ok(absorbed?.then_some(visit))
    }

    fn all_absorb(&mut self, search: &mut Search<'_, 'p>, turns: &AllSuccessive) -> Result<bool, Abort> {
        for Successive { first, second, after } in turns.borrow().iter() {
            let (Some(first), Some(second)) = (self.made_in_turn(search, first)?, self.made_in_turn(search, second)?)
            else {
                return Ok(false);
            };
            let me = self.me.clone();
            if !one_step::absorbs(search, self.place_of(&me), after, &first, &second)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The right edges of a turn. None if it depends on what is known there which these are.
    pub(super) fn made_in_turn(
        &mut self,
        search: &mut Search<'_, 'p>,
        edges: &[Rc<Edge>],
    ) -> Result<Option<Vec<Rc<Edge>>>, Abort> {
        let me = self.me.clone();
        let mut made = Vec::new();
        for edge in edges {
            if !edge.is_weak(search)? {
                made.push(edge.clone());
            } else if self.question.judge.right(search, self.place_of(&me), edge)? {
                if !self.is_right_wherever_it_is_made(search, edge)? {
                    return Ok(None);
                }
                made.push(edge.clone());
            }
        }
        Ok(Some(made))
    }

    /// Whether all edges of the same call in the text are right.
    fn is_right_wherever_it_is_made(&mut self, search: &mut Search<'_, 'p>, edge: &Edge) -> Result<bool, Abort> {
        if self.question.judge.table.right(edge.call.operation) {
            return Ok(true);
        }
        let me = self.me.clone();
        for other in self.made.clone() {
            if other.call.site == edge.call.site && !self.question.judge.right(search, self.place_of(&me), &other)? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// The edges that are not weak.
fn strong(search: &mut Search<'_, '_>, edges: &[Rc<Edge>]) -> Result<Vec<Rc<Edge>>, Abort> {
    let mut strong = Vec::new();
    for edge in edges {
        if !edge.is_weak(search)? {
            strong.push(edge.clone());
        }
    }
    Ok(strong)
}
