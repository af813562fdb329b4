//! Loops of a procedure that make calls: turns before the commit point.
//!
//! A path is at the head of the loop that it was at before only if nothing has changed but what the loop assigns: a loop inside a `for` is
//! reached once for each element.
//!
//! At the head of such a loop, whatever turns have been made: the variables that the loop assigns have any values, and the state is any of
//! which those *head facts* hold that hold where the loop is reached, that every turn re-establishes, and that others keep. They are found as
//! others are: all that is known on arrival is proposed, and what a turn does not re-establish is dropped, until nothing changes.
//!
//! * Where the loop is reached, all edges of the path so far are right or weak.
//! * If every edge of every turn that goes on is weak, these turns are left out: a path with loops is its edges before them and those of its
//!   last turns, as [one step](super::one_step).
//! * If they all are right, these turns are made: the path is a run of the procedure alone.
//! * One of the two is so; or all edges are right or weak, and each turn makes up for those before it ([`absorbed`](super::absorbed)).
//!
//! Often the last of these turns has made the call that decides: `while v == 0 { v = lo.load() }`. So if a path fails that has only the edges
//! before the loop and those after it, paths are distinguished: those that leave the loop in their first turn, from what is known where the loop is
//! reached; and those that leave it in a later turn, which then keep the edges of the turn before that one.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeSet,
    rc::Rc,
};

use super::{
    absorbed::{AllSuccessive, Successive},
    blocks::{Start, Variable},
    edges::Edge,
    facts::{self, Fact},
    movers::Refutation,
    question::Confirmation,
    shape::{Blamed, Flaw, FlawKind, Item, Path, Walk, edges},
    tokens::{self, Token},
};
use crate::explore::{
    cells::{Quantifier, Root},
    machine::{Machine, Site},
    search::{Abort, Search},
    value::Value,
};

/// The loops that a machine is in, or has been.
#[derive(Clone, Default)]
pub(super) struct Heads(Vec<Visit>);

/// A loop that a machine is in, or has been.
#[derive(Clone)]
pub(super) struct Visit {
    pub(super) head: Rc<Head>,
    /// How often the facts of the head had become fewer when the machine was there; on exact states, how many turns have gone on. None if the
    /// machine has not used these facts.
    pub(super) version: Option<u32>,
    turn: Turn,
}

/// A turn of a loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    /// Any: it may go on, or leave the loop.
    Any,
    /// One that goes on. Where the machine leaves the loop in it, its path need not be judged.
    GoesOn,
    /// One that leaves the loop, and the number of edges before it. Where the machine goes on in it, its path need not be judged.
    Leaves(usize),
}

/// What is particular to a place where a procedure starts afresh, instead of the head of a loop.
#[derive(Default)]
pub(super) struct Fresh {
    /// The call that it is about to make.
    pub(super) wants: Option<(usize, Vec<Value>)>,
    /// The variables that may hold something else whenever it comes there.
    pub(super) varying: RefCell<BTreeSet<Variable>>,
}

/// The head of a loop, reached on one path, or a place where a procedure starts afresh.
pub(super) struct Head {
    site: Site,
    /// Edges before it.
    length: usize,
    path: Path,
    /// The machine that has reached it.
    pub(super) arrived: Machine,
    /// What is known of the state, whatever turns have been made.
    pub(super) facts: RefCell<Vec<Fact>>,
    /// What the process holds that others do not, whatever turns have been made.
    tokens: RefCell<Rc<Vec<Token>>>,
    /// How often the facts have become fewer, or more variables have been found to vary.
    pub(super) version: Cell<u32>,
    /// Edges of turns that go on, without those of loops in them.
    pub(super) turns: RefCell<Vec<Rc<Edge>>>,
    /// Turns that follow each other, where paths keep the last turn.
    pub(super) successive: AllSuccessive,
    /// The loops in these turns. More turns of them may be found later.
    inner: RefCell<Vec<Rc<Head>>>,
    before: Heads,
    pub(super) fresh: Option<Fresh>,
}

impl Head {
    /// The number of edges before it.
    pub(super) fn edges_before(&self) -> usize {
        self.length
    }

    /// The edges of the loops in its turns.
    pub(super) fn edges_of_inner(&self) -> Vec<Rc<Edge>> {
        edges_of(self.inner.borrow().clone())
    }

    /// The heads of a machine that starts here.
    pub(super) fn with_itself(self: &Rc<Head>) -> Heads {
        self.before.and(self, Some(self.version.get()), Turn::Any)
    }
}

impl Visit {
    /// The number of edges before the turn that leaves the loop, if turns before it have been made and the path keeps the last of them.
    pub(super) fn last_turn(&self) -> Option<usize> {
        match self.turn {
            Turn::Leaves(begun) => self.version.map(|_| begun),
            Turn::Any | Turn::GoesOn => None,
        }
    }
}

impl Heads {
    pub(super) fn iter(&self) -> impl Iterator<Item = &Visit> {
        self.0.iter()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the machine has started afresh.
    pub(super) fn are_fresh(&self) -> bool {
        self.0.iter().any(|it| it.head.fresh.is_some())
    }

    /// Where the machine has started afresh at a place.
    pub(super) fn fresh_at(&self, site: Site) -> Option<Visit> {
        self.0.iter().find(|it| it.head.fresh.is_some() && it.head.site == site).cloned()
    }

    /// A new place where a machine starts afresh. The loops that it was in are forgotten: it comes to them anew.
    pub(super) fn start_afresh(&self, site: Site, arrived: Machine, facts: Vec<Fact>, fresh: Fresh) -> Rc<Head> {
        let before = Heads(self.0.iter().filter(|it| it.head.fresh.is_some()).cloned().collect());
        let (length, path, tokens, version, turns, successive, inner) = Default::default();
        let (facts, fresh) = (RefCell::new(facts), Some(fresh));
        Rc::new(Head { site, length, path, arrived, facts, tokens, version, turns, successive, inner, before, fresh })
    }

    /// Whether no facts have been dropped since the machine was there.
    pub(super) fn are_final(&self) -> bool {
        self.0.iter().all(|it| it.version.is_none_or(|version| it.head.version.get() == version))
    }

    /// Whether the machine has left a loop in a turn that is only looked at for going on.
    pub(super) fn need_not_end(&self) -> bool {
        self.0.iter().any(|it| it.turn == Turn::GoesOn)
    }

    fn and(&self, head: &Rc<Head>, version: Option<u32>, turn: Turn) -> Heads {
        let mut heads = self.clone();
        heads.0.push(Visit { head: head.clone(), version, turn });
        heads
    }

    /// The number of edges before each of them.
    pub(super) fn lengths(&self) -> Vec<usize> {
        self.0.iter().filter(|it| it.head.fresh.is_none()).map(|it| it.head.length).collect()
    }

    /// A call to blame for what turns have done: one of the last loop, or else the loop itself.
    pub(super) fn blamed(&self) -> Option<Blamed> {
        let head = &self.0.last()?.head;
        let turns = head.turns.borrow();
        Some(turns.last().map_or(Blamed { operation: 0, site: head.site }, |it| Blamed::of(&it.call)))
    }

    /// The edges of all turns that go on.
    pub(super) fn edges(&self) -> Vec<Rc<Edge>> {
        edges_of(self.0.iter().map(|it| it.head.clone()).collect())
    }
}

/// The edges of all turns of these loops that go on, and of the loops in them.
fn edges_of(mut pending: Vec<Rc<Head>>) -> Vec<Rc<Edge>> {
    let mut edges = Vec::new();
    let mut seen: Vec<Rc<Head>> = Vec::new();
    while let Some(head) = pending.pop() {
        if seen.iter().any(|it| Rc::ptr_eq(it, &head)) {
            continue;
        }
        edges.extend(head.turns.borrow().iter().cloned());
        pending.extend(head.inner.borrow().iter().cloned());
        seen.push(head);
    }
    edges
}

/// The most loops that a path may come to, one after the other.
const MOST_HEADS: usize = 100;

/// Turns of loops that are followed on exact states.
const EXACT_TURNS: u32 = 2;

/// A machine has come to the head of a loop.
pub(super) fn turn<'p>(
    walk: &mut Walk<'_, 'p, '_, '_>,
    search: &mut Search<'_, 'p>,
    item: Item,
    pending: &mut Vec<Item>,
) -> Result<Option<Flaw>, Abort> {
    let site = item.machine.site(search.world).ok_or(Abort::Unsupported)?;
    if !item.machine.is_at_loop_of_calls(search.world.code) {
        // It is over before anything else happens, or too long.
        pending.push(item);
        return Ok(None);
    }
    walk.question.has_loops = true;
    let code = search.world.code;
    let is_here =
        |head: &Head| head.fresh.is_none() && head.site == site && item.machine.has_turned_since(code, &head.arrived);
    match item.heads.0.iter().rposition(|it| is_here(&it.head)) {
        Some(index) => goes_on(walk, search, item, index, pending),
        None if item.heads.0.len() >= MOST_HEADS => Err(Abort::Endless(site)),
        None => arrives(walk, search, item, site, pending),
    }
}

fn arrives<'p>(
    walk: &mut Walk<'_, 'p, '_, '_>,
    search: &mut Search<'_, 'p>,
    item: Item,
    site: Site,
    pending: &mut Vec<Item>,
) -> Result<Option<Flaw>, Abort> {
    let made = edges(&item.path);
    if let Some(edge) = noticed(walk, search, &made)? {
        match after_noticed(walk, search, &item, &made)? {
            Next::Loops => {}
            Next::StartsAfresh(starts) => {
                pending.extend(starts.into_iter().map(|it| it.0));
                return Ok(None);
            }
            Next::MayNot => return Ok(Some(in_loop(walk, search, &edge, "a loop follows it"))),
        }
    }
    let (facts, version, turns, successive, inner) = Default::default();
    let head = Rc::new(Head {
        site,
        length: made.len(),
        path: item.path.clone(),
        arrived: item.machine.clone(),
        facts,
        tokens: RefCell::new(item.tokens.clone()),
        version,
        turns,
        successive,
        inner,
        before: item.heads.clone(),
        fresh: None,
    });
    if walk.between.is_exact() {
        let heads = item.heads.and(&head, Some(0), Turn::Any);
        pending.push(Item { heads, ..item });
        return Ok(None);
    }
    if walk.keeps_last_turn {
        let heads = item.heads.and(&head, None, Turn::Leaves(made.len()));
        pending.push(Item { heads, ..item.clone() });
    }
    *head.facts.borrow_mut() = walk.known_with(search, &item.machine, &item.tokens)?;
    begin(walk, search, &head, pending)?;
    Ok(None)
}

/// What a path may do at the head of a loop after an edge that others may have noticed.
enum Next {
    /// Loop, since only blocks that leave no trace have been noticed.
    Loops,
    /// The same, on states that are not exact: it starts afresh in these ways. If there are none, there is nothing new to look at.
    StartsAfresh(Vec<Start>),
    /// Nothing: what has been noticed is pending.
    MayNot,
}

/// What a path may do at the head of a loop after such an edge.
fn after_noticed<'p>(
    walk: &mut Walk<'_, 'p, '_, '_>,
    search: &mut Search<'_, 'p>,
    item: &Item,
    made: &[Rc<Edge>],
) -> Result<Next, Abort> {
    if walk.between.is_exact() {
        let may_loop = walk.has_not_been_noticed(search, &item.machine, (made, &item.heads))?;
        return Ok(if may_loop { Next::Loops } else { Next::MayNot });
    }
    if !walk.nothing_is_pending(search, &item.machine, (made, &item.heads))? {
        return Ok(Next::MayNot);
    }
    Ok(walk.start_afresh(search, item.clone())?.map_or(Next::MayNot, Next::StartsAfresh))
}

/// An edge that others may have noticed.
fn noticed<'p>(
    walk: &mut Walk<'_, 'p, '_, '_>,
    search: &mut Search<'_, 'p>,
    edges: &[Rc<Edge>],
) -> Result<Option<Rc<Edge>>, Abort> {
    if walk.question.above.is_none() {
        return Ok(None);
    }
    for edge in edges {
        let me = walk.me.clone();
        let place = walk.place_of(&me);
        if !walk.question.judge.is_unnoticed(search, place, edge)? {
            return Ok(Some(edge.clone()));
        }
    }
    Ok(None)
}

/// Begins a turn, of which it is not known how many have been made before it.
fn begin<'p>(
    walk: &mut Walk<'_, 'p, '_, '_>,
    search: &mut Search<'_, 'p>,
    head: &Rc<Head>,
    pending: &mut Vec<Item>,
) -> Result<(), Abort> {
    let mut machine = head.arrived.clone();
    walk.number += 1;
    forget_assigned(walk, search, &mut machine);
    let (facts, tokens) = (head.facts.borrow().clone(), head.tokens.borrow().clone());
    let me = (walk.lower, &walk.me);
    let after = tokens::let_others_run(walk.setting, search, me, tokens, machine, facts, &mut walk.number)?;
    let tokens::Others { machine, facts, tokens } = after;
    *head.facts.borrow_mut() = facts;
    head.tokens.borrow_mut().clone_from(&tokens);
    let turn = if walk.keeps_last_turn { Turn::GoesOn } else { Turn::Any };
    let heads = head.before.and(head, Some(head.version.get()), turn);
    let (open, wants, earlier, whole) = Default::default();
    let path = head.path.clone();
    pending.push(Item { machine, path, open, budget: 0, foreign: false, wants, heads, earlier, whole, tokens });
    Ok(())
}

/// Gives the variables that a loop assigns unknown values.
fn forget_assigned<'p>(walk: &Walk<'_, 'p, '_, '_>, search: &mut Search<'_, 'p>, machine: &mut Machine) {
    let Some((code, extent)) = machine.innermost_loop(search.world.code) else { return };
    let Some(source) = search.world.code.functions[code].source else { return };
    let locals = &walk.setting.program.functions[source.0 as usize].locals;
    let assigned = search.world.code.assigned(code, extent);
    let Some(frame) = machine.frames.last_mut() else { return };
    for local in assigned {
        let left = match locals.get(local) {
            Some(local_of) => {
                let name = Root::Variable(walk.number, local as u32, 0);
                search.world.cells.root(name, &local_of.ty, Quantifier::Universal)
            }
            // A temporary is dead at the head of a loop.
            None => Value::Unit,
        };
        Rc::make_mut(frame).locals[local] = left;
    }
}

/// A turn has come back to the head.
fn goes_on<'p>(
    walk: &mut Walk<'_, 'p, '_, '_>,
    search: &mut Search<'_, 'p>,
    item: Item,
    index: usize,
    pending: &mut Vec<Item>,
) -> Result<Option<Flaw>, Abort> {
    let Visit { head, version, turn: kind } = item.heads.0[index].clone();
    let left = &item.heads.0[index + 1..];
    if left.iter().any(|it| it.turn == Turn::GoesOn) {
        return Ok(None);
    }
    let made = edges(&item.path);
    if let Turn::Leaves(begun) = kind {
        // The first turn follows none.
        if version.is_some() {
            let (first, second) = (made[head.length..begun].to_vec(), made[begun..].to_vec());
            head.successive.borrow_mut().push(Successive { first, second, after: item.machine });
        }
        return Ok(None);
    }
    let version = version.unwrap_or_default();
    let turn = &made[head.length.min(made.len())..];
    if let Some(edge) = noticed(walk, search, turn)? {
        match after_noticed(walk, search, &item, &made)? {
            Next::Loops => {}
            Next::StartsAfresh(starts) => {
                pending.extend(starts.into_iter().map(|it| it.0));
                return Ok(None);
            }
            Next::MayNot => return Ok(Some(goes_on_after(walk, search, &edge))),
        }
    }
    if walk.between.is_exact() {
        if version < EXACT_TURNS {
            // The path keeps the edges of its turns, and is judged as any other.
            let heads = head.before.and(&head, Some(version + 1), kind);
            pending.push(Item { heads, ..item });
        }
        return Ok(None);
    }
    if version != head.version.get() {
        return Ok(None);
    }
    head.turns.borrow_mut().extend(turn.iter().cloned());
    head.inner.borrow_mut().extend(left.iter().map(|it| it.head.clone()));
    let facts = head.facts.borrow().clone();
    let kept = facts::holding(search, &item.machine, &facts)?;
    let held = head.tokens.borrow().clone();
    let still_held = tokens::common(&held, &item.tokens);
    if kept.len() < facts.len() || still_held.len() < held.len() {
        *head.facts.borrow_mut() = kept;
        *head.tokens.borrow_mut() = Rc::new(still_held);
        head.version.set(version + 1);
        begin(walk, search, &head, pending)?;
    }
    if walk.keeps_last_turn {
        let heads = head.before.and(&head, Some(version), Turn::Leaves(made.len()));
        pending.push(Item { heads, ..item });
    }
    Ok(None)
}

/// A turn goes on although this edge has changed something.
pub(super) fn goes_on_after<'p>(walk: &Walk<'_, 'p, '_, '_>, search: &mut Search<'_, 'p>, edge: &Edge) -> Flaw {
    in_loop(walk, search, edge, "the loop continues after it, although something has changed")
}

/// A loop is not where it may be, because of this edge.
pub(super) fn in_loop<'p>(walk: &Walk<'_, 'p, '_, '_>, search: &mut Search<'_, 'p>, edge: &Edge, why: &str) -> Flaw {
    let refutation = Refutation {
        notes: vec![why.to_owned()],
        counterexample: None,
        confirmation: if walk.between.is_exact() { Confirmation::Replayed } else { Confirmation::NotReplayed },
    };
    let known = edge.call.before.known.clone();
    walk.flaw(search, FlawKind::InLoop, &edge.call, None, refutation, &known)
}
