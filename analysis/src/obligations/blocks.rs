//! Blocks of a procedure that leave no trace, after which it starts afresh.
//!
//! A *block* is a sequence of edges `ei … ej` of a path with a commit point of its own: those before it are right or weak, those after it left
//! or weak. It *leaves no trace* if for every state `s`, with what the path knows,
//!
//! ```text
//! s --right edges--> y,  the facts before the commit point hold in y,  y --commit point, left edges/E--> s'
//!     implies   s' = s  and  E is empty
//! ```
//!
//! Weak edges are left out of it, as in [one step](super::one_step). By the theorem of reduction (Lipton, CACM 1975; CSPEC, OSDI'18, section
//! 6.1, for one block) each block of a run can be brought together, and then left out. So a path that is a sequence of such blocks `B1 … Bn` and
//! then a path `p` is judged as `p` alone, which begins at any time; what the blocks have read is known in it, as far as others keep it. It is
//! asked what `p` does as one step, and not what the procedure does alone: alone, it would make the blocks in the state of `p`.
//!
//! Where the path so far is a sequence of such blocks, nothing is pending:
//!
//! * The next call may block.
//! * A loop may follow, and may go on. Then the procedure starts *afresh* there: with any state of which the *head facts* hold, found as those
//!   of [loops](super::loops), and with any values of the variables that are not the same whenever it comes there. What is assumed where a
//!   procedure starts ([`super::idle`]) is one of these facts only if it holds there, too.
//!
//! Turns of loops are no edges of a path. So the turns of all loops in these blocks have to be weak.

use std::rc::Rc;

use super::{
    edges::Edge,
    facts::{self, Fact, Process},
    loops::{Fresh, Head, Heads, Visit},
    one_step::{self, WholePath},
    shape::{Item, Walk},
};
use crate::explore::{
    cells::{Quantifier, Root},
    machine::Machine,
    search::{Abort, End, Search},
    value::Value,
};

/// A variable of an activation: which activation, and which variable.
pub(super) type Variable = (usize, usize);

/// A machine that starts afresh, and what is known of its state.
pub(super) type Start = (Item, Vec<Fact>);

/// The most calls of a path that is searched for blocks.
const MOST_EDGES: usize = 16;

impl<'p> Walk<'_, 'p, '_, '_> {
    /// After how many edges of a path nothing is pending: those before are a sequence of blocks that leave no trace.
    pub(super) fn ends_of_blocks(
        &mut self,
        search: &mut Search<'_, 'p>,
        machine: &Machine,
        (path, loops): (&[Rc<Edge>], &[usize]),
    ) -> Result<Vec<usize>, Abort> {
        let mut ends = vec![0];
        for end in 1..=path.len().min(MOST_EDGES) {
            for start in ends.clone() {
                let loops = loops.iter().filter(|it| start < **it && **it < end).map(|it| it - start).collect();
                if self.leaves_no_trace(search, machine, (&path[start..end], loops))? {
                    ends.push(end);
                    break;
                }
            }
        }
        Ok(ends)
    }

    /// Whether edges are a block that leaves no trace.
    fn leaves_no_trace(
        &mut self,
        search: &mut Search<'_, 'p>,
        machine: &Machine,
        (block, loops): (&[Rc<Edge>], Vec<usize>),
    ) -> Result<bool, Abort> {
        if let [edge] = block {
            return edge.is_weak(search);
        }
        if block.iter().any(|it| !it.events.is_empty()) {
            return Ok(false);
        }
        let (open, end, result, state, tokens) = (None, End::Done, Value::Unit, Value::Unit, Rc::default());
        let block = WholePath {
            edges: block.to_vec(),
            loops,
            commits_from: 0,
            open,
            machine: machine.clone(),
            state,
            end,
            result,
            tokens,
        };
        let is_exact = self.between.is_exact();
        for plan in self.plans(search, &block)? {
            if one_step::leaves_no_trace(search, self.place_of(&self.me.clone()), &block, &plan, is_exact)?
                && self.may_decide(plan.decisive(&block.edges))
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether nothing is pending at the end of a path.
    pub(super) fn nothing_is_pending(
        &mut self,
        search: &mut Search<'_, 'p>,
        machine: &Machine,
        (path, heads): (&[Rc<Edge>], &Heads),
    ) -> Result<bool, Abort> {
        let ends = self.ends_of_blocks(search, machine, (path, &heads.lengths()))?;
        self.left_out.push(heads.clone());
        Ok(ends.last() == Some(&path.len()))
    }

    /// Whether a path is a sequence of blocks that leave no trace, and then edges that nobody has noticed.
    pub(super) fn has_not_been_noticed(
        &mut self,
        search: &mut Search<'_, 'p>,
        machine: &Machine,
        (path, heads): (&[Rc<Edge>], &Heads),
    ) -> Result<bool, Abort> {
        let ends = self.ends_of_blocks(search, machine, (path, &heads.lengths()))?;
        self.left_out.push(heads.clone());
        let me = self.me.clone();
        'ends: for end in ends {
            for edge in &path[end..] {
                if !self.question.judge.is_unnoticed(search, self.place_of(&me), edge)? {
                    continue 'ends;
                }
            }
            return Ok(true);
        }
        Ok(false)
    }

    /// Lets a procedure start afresh, where nothing is pending. Gives what is to be looked at from there: nothing new, if it has done so before
    /// in the same way. None if the two do not fit together.
    pub(super) fn start_afresh(
        &mut self,
        search: &mut Search<'_, 'p>,
        item: Item,
    ) -> Result<Option<Vec<Start>>, Abort> {
        let site = item.machine.site(search.world).ok_or(Abort::Unsupported)?;
        if let Some(earlier) = item.heads.fresh_at(site) {
            return self.start_again(search, &earlier, &item);
        }
        let facts = self.known_at(search, &item.machine)?;
        let fresh = Fresh { wants: item.wants.clone(), ..Fresh::default() };
        let head = item.heads.start_afresh(site, item.machine, facts, fresh);
        self.begin_afresh(search, &head).map(|it| Some(vec![it]))
    }

    /// The same where the procedure has started afresh before.
    fn start_again(
        &mut self,
        search: &mut Search<'_, 'p>,
        earlier: &Visit,
        item: &Item,
    ) -> Result<Option<Vec<Start>>, Abort> {
        let (head, machine) = (&earlier.head, &item.machine);
        let Some(fresh) = &head.fresh else { return Ok(None) };
        if earlier.version != Some(head.version.get()) {
            // It has been started again since, with fewer facts.
            return Ok(Some(Vec::new()));
        }
        let wants_same = match (&fresh.wants, &item.wants) {
            (Some((a, given)), Some((b, now))) => a == b && machine.are_same(given, now),
            (None, None) => true,
            _ => false,
        };
        let Some(varying) = self.varying(search, &head.arrived, machine).filter(|_| wants_same) else {
            return Ok(None);
        };
        let facts = head.facts.borrow().clone();
        let kept = facts::holding(search, machine, &facts)?;
        let known = fresh.varying.borrow().len();
        fresh.varying.borrow_mut().extend(varying);
        if kept.len() == facts.len() && fresh.varying.borrow().len() == known {
            return Ok(Some(Vec::new()));
        }
        *head.facts.borrow_mut() = kept;
        head.version.set(head.version.get() + 1);
        self.begin_afresh(search, head).map(|it| Some(vec![it]))
    }

    /// The variables that are not the same in two machines at one place; none if the machines differ in something else.
    fn varying(&self, search: &Search<'_, 'p>, earlier: &Machine, now: &Machine) -> Option<Vec<Variable>> {
        if earlier.frames.len() != now.frames.len() || !now.are_same(&earlier.stack, &now.stack) {
            return None;
        }
        let mut varying = Vec::new();
        for (number, (before, after)) in earlier.frames.iter().zip(&now.frames).enumerate() {
            if (before.code, before.pc) != (after.code, after.pc) {
                return None;
            }
            let source = search.world.code.functions[before.code].source?;
            let variables = self.setting.program.functions[source.0 as usize].locals.len();
            for (local, (a, b)) in before.locals.iter().zip(&after.locals).enumerate() {
                if now.is_same(a, b) {
                    continue;
                }
                // Of a temporary it is not known what it may hold.
                if local >= variables {
                    return None;
                }
                varying.push((number, local));
            }
        }
        Some(varying)
    }

    /// The machine that starts afresh at a head: the state and the variables that vary are unknown.
    fn begin_afresh(&mut self, search: &mut Search<'_, 'p>, head: &Rc<Head>) -> Result<Start, Abort> {
        let mut machine = head.arrived.clone();
        self.number += 1;
        for (frame, local) in head.fresh.iter().flat_map(|it| it.varying.borrow().clone()) {
            let code = machine.frames[frame].code;
            let Some(source) = search.world.code.functions[code].source else { continue };
            let ty = &self.setting.program.functions[source.0 as usize].locals[local].ty;
            let name = Root::Variable(self.number, local as u32, frame as u32);
            let unknown = search.world.cells.root(name, ty, Quantifier::Universal);
            Rc::make_mut(&mut machine.frames[frame]).locals[local] = unknown;
        }
        let facts = head.facts.borrow().clone();
        let (machine, facts) = {
            // What it has held before may be forgotten.
            let process = Process { layer: self.lower, me: &self.me, tokens: &[] };
            facts::let_others_run(self.setting, search, process, machine, facts, &mut self.number)?
        };
        head.facts.borrow_mut().clone_from(&facts);
        let (path, open, foreign, earlier, whole, tokens) = Default::default();
        let wants = head.fresh.as_ref().and_then(|it| it.wants.clone());
        let heads = head.with_itself();
        Ok((Item { machine, path, open, budget: 0, foreign, wants, heads, earlier, whole, tokens }, facts))
    }
}
