//! Outcomes of a client: what its processes can have shown when none of them goes on.
//!
//! ```text
//! the outcomes = { (the events of each process, in order; how it ends) : a run at the bottom that ends }
//! ```
//!
//! The order of events of different processes is not part of an outcome. A run ends when all processes have finished, or when something fails, or when
//! no process can take a step. If from some configuration on no run ends, that is an outcome, too: the processes take steps for ever. So no
//! run is left out without a word. The top is left out: these are the outcomes of the code as it is.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use super::{
    Ends, Reductions,
    control::{Process, Runs},
    ends,
    intern::{Id, Interner},
    product::Product,
    schedule::{Ending, Schedule},
    system::{Edge, System},
};
use crate::{
    counterexample::{Counterexample, emitted_in_words},
    explore::{
        order::Numbering,
        search::{Abort, Search},
        show::Show,
        value::Value,
    },
    ir::{Anchor, Client, Implementation},
    obligations::question::{Answered, Effort, Setting},
};

/// The events of each process, in order; the background comes last.
type Shown = Vec<Vec<Id>>;

/// The outcomes that have been reached.
pub(super) struct Listing {
    shown: Interner<Shown>,
    /// For each outcome, the first pair in which it is reached.
    reached: BTreeMap<(Id, How), Id>,
    after: FxHashMap<(Id, u32, Id), Id>,
}

/// How a run ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum How {
    /// All processes have finished.
    Finished,
    /// No process can take a step, and some have not finished.
    Waits,
    /// The processes take steps for ever: no run from there ends.
    NeverEnds,
    /// A step, a procedure or the client fails.
    Fails,
}

/// An outcome of a client.
#[derive(Clone, Debug)]
pub struct Outcome<P = Anchor> {
    /// The events of each process, in words.
    pub shown: Vec<Vec<String>>,
    /// How its runs end.
    pub how: How,
    /// A shortest run with this outcome.
    pub run: Counterexample<P>,
    /// The same run as a schedule.
    pub schedule: Schedule,
}

/// The outcomes of a client.
pub struct Outcomes<P = Anchor> {
    /// All that were found, sorted.
    pub all: Vec<Outcome<P>>,
    /// Whether all were found, within the bounds of the effort; or why the search was given up.
    pub answered: Answered<super::WrongRun>,
    /// Whether the bottom has no initial state within the bounds.
    pub has_no_start: bool,
    /// The effort it took, with the bounds that were met.
    pub effort: Effort,
}

impl<P> Outcomes<P> {
    /// The same outcomes with other places.
    pub fn at<Q>(self, place: impl Fn(&P) -> Option<Q>) -> Outcomes<Q> {
        let Outcomes { all, answered, has_no_start, effort } = self;
        let moved = |Outcome { shown, how, run, schedule }: Outcome<P>| {
            let run = run.at(&place);
            Outcome { shown, how, run, schedule }
        };
        Outcomes { all: all.into_iter().map(moved).collect(), answered, has_no_start, effort }
    }
}

impl How {
    /// How a run ends, in words.
    pub fn name(self) -> &'static str {
        match self {
            How::Finished => "finished",
            How::Waits => "waits for ever",
            How::NeverEnds => "never ends",
            How::Fails => "fails",
        }
    }
}

impl Listing {
    pub(super) fn new(processes: u32) -> Listing {
        let mut shown = Interner::new();
        shown.intern(vec![Vec::new(); processes as usize + 1]);
        Listing { shown, reached: BTreeMap::new(), after: FxHashMap::default() }
    }

    /// What is shown after one more step.
    pub(super) fn after(&mut self, events: &mut Interner<Vec<Value>>, shown: Id, edge: &Edge) -> Id {
        if edge.is_silent() {
            return shown;
        }
        let key = (shown, edge.process, edge.events);
        if let Some(known) = self.after.get(&key) {
            return *known;
        }
        let emitted: Vec<Id> = events.get(edge.events).to_vec().into_iter().map(|it| events.intern(vec![it])).collect();
        let mut all = (**self.shown.get(shown)).clone();
        all[edge.process as usize].extend(emitted);
        let next = self.shown.intern(all);
        self.after.insert(key, next);
        next
    }
}

/// Lists the outcomes of a client with this many processes.
pub fn outcomes(setting: &Setting, client: &Client, processes: u32, reductions: Reductions) -> Outcomes {
    let stack = &setting.program.stacks[client.stack as usize];
    let chain: Vec<&Implementation> =
        stack.implementations.iter().map(|it| &setting.program.implementations[it.0 as usize]).collect();
    let mut all = Vec::new();
    let mut has_no_start = false;
    let Some(ends) = ends(setting, &chain) else {
        let answered = Answered::GivenUp(Abort::Unsupported);
        return Outcomes { all, answered, has_no_start, effort: Effort::default() };
    };
    let ends = Ends { lists: true, ..ends };
    let of = (ends, Runs::Client(client), processes, reductions);
    let searched = super::searched_and(setting, &chain, of, &mut |product, search, found| {
        has_no_start = product.cut_off.is_some();
        // What was found until the budget ran out is told.
        if matches!(found, Ok(_) | Err(Abort::OutOfFuel)) {
            all = product.told_outcomes(search, found.is_ok())?;
        }
        Ok(())
    });
    Outcomes { all, answered: searched.answered, has_no_start, effort: searched.effort }
}

impl<'p> Product<'_, 'p> {
    /// Follows the steps of one configuration.
    pub(super) fn follow_listed(
        &mut self,
        search: &mut Search<'_, 'p>,
        at: Id,
        (edges, successors): (&mut Vec<Edge>, &mut Vec<u32>),
    ) -> Result<(), Abort> {
        let mut row = self.pairs.get(at).to_vec();
        let shown = row.pop().unwrap_or_default();
        let fails = self.low_edges(search, &row, edges)? | self.is_client_failing(&row);
        let goes_nowhere = edges.iter().all(|it| {
            let mut after = row.clone();
            it.apply(&mut after);
            after == row && it.is_silent()
        });
        let how = match () {
            () if System::is_finished(&row) => Some(How::Finished),
            () if fails => Some(How::Fails),
            () if goes_nowhere => Some(How::Waits),
            () => None,
        };
        let Some(listing) = &mut self.listing else { return Err(Abort::Unsupported) };
        if let Some(how) = how {
            listing.reached.entry((shown, how)).or_insert(at);
        }
        successors.clear();
        for edge in edges.iter() {
            let mut after = row.clone();
            edge.apply(&mut after);
            after.push(listing.after(&mut self.events, shown, edge));
            successors.push(self.pairs.intern(&after).0);
        }
        self.graph.add(how.is_some(), successors);
        Ok(())
    }

    /// The outcomes that were reached. If the search is complete, also whether processes may take steps for ever.
    fn told_outcomes(&mut self, search: &mut Search<'_, 'p>, is_complete: bool) -> Result<Vec<Outcome>, Abort> {
        let endless = if is_complete { self.graph.first_stuck() } else { None };
        let Some(listing) = &mut self.listing else { return Ok(Vec::new()) };
        if let Some(at) = endless {
            let shown = self.pairs.get(at as Id).last().copied().unwrap_or_default();
            listing.reached.entry((shown, How::NeverEnds)).or_insert(at as Id);
        }
        let reached: Vec<(Shown, How, Id)> =
            listing.reached.iter().map(|((it, how), at)| ((**listing.shown.get(*it)).clone(), *how, *at)).collect();
        let mut all = Vec::new();
        for (shown, how, at) in reached {
            let shown = shown[..self.low.count as usize].iter().map(|it| self.shown_in_words(search, it)).collect();
            let conclusion = match how {
                How::Finished => "all processes have finished".to_owned(),
                How::Waits => format!("no process can take a step: {}", self.doing(search, at)?),
                How::NeverEnds => "from here on the processes take steps for ever".to_owned(),
                How::Fails => self.failure_in_words(at),
            };
            let run = self.run_to(search, (at, None), conclusion)?;
            let schedule = self.schedule(search, (at, None), Ending::Outcome)?;
            all.push(Outcome { shown, how, run, schedule });
        }
        all.sort_by(|one, other| (&one.shown, one.how).cmp(&(&other.shown, other.how)));
        Ok(all)
    }

    fn shown_in_words(&self, search: &Search<'_, 'p>, emitted: &[Id]) -> Vec<String> {
        let as_they_are = Numbering::new();
        let show = Show { cells: &search.world.cells, numbering: &as_they_are };
        let values = emitted.iter().flat_map(|it| self.events.get(*it).iter());
        values.map(|it| emitted_in_words(&[show.event(it, &self.low.setting.code.events)])).collect()
    }

    fn failure_in_words(&self, at: Id) -> String {
        let own = self.low_of(at)[1..].iter().enumerate().find_map(|(number, it)| {
            match &**self.low.control.processes.get(*it) {
                Process::Fails(failure) => Some((number, *failure)),
                _ => None,
            }
        });
        match own {
            Some((number, failure)) => {
                let name = &self.low.setting.program.functions[failure.function.0 as usize].name;
                format!("and then `{name}` of p{number} fails")
            }
            None => "and then a step fails".to_owned(),
        }
    }
}
