//! The plan: the obligations of a program, each with its slice. Runs work through it.
//!
//! A plan has no positions. It is made once for each program, on first use.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, OnceLock, atomic::AtomicBool},
};

use crate::{
    diagnostics::{Diagnostic, Severity, WrongRun, codes},
    doubt::{self, Searched},
    explore::{code::Code, compile::compile},
    ir::{
        Anchor, LayerId, Program, SourceMap, Span,
        slice::{Keep, Outline, Pieces},
    },
    obligations::{
        About, Doubt, Lemma, LemmaResult, Lemmas, Obligation, Within,
        end_to_end::{self, Line, Outcomes, Reductions, Replayed},
        from_rest, jointly,
        layer::Part,
        mover_lemmas,
        movers::Direction,
        needed_lemmas, needs, otherwise, plan, plan_end_to_end,
        question::Setting,
        report::{self, Reporter, Settled},
        searches,
    },
    report::{Movers, Options},
    results::{Fingerprint, Known, Results},
    run::{Listener, Nobody, Run},
    verdict::{ObligationName, Outcome, Scope, Verdict},
};

/// A program with its plans.
pub struct Planned {
    pub program: Arc<Program>,
    pieces: OnceLock<Pieces>,
    patterns: OnceLock<Plan>,
    end_to_end: OnceLock<Plan>,
    matrix: OnceLock<Plan>,
}

/// The obligations of a program, in a fixed order.
pub struct Plan {
    /// First the obligations, then lemmas and searches that one of them may turn out to need.
    pub entries: Vec<Entry>,
    /// The number of obligations, without these.
    pub owed: usize,
    /// The index of each obligation's entry.
    pub index: HashMap<Obligation, usize>,
}

/// An obligation of a plan.
pub struct Entry {
    /// The obligation, in terms of the program.
    pub obligation: Obligation,
    /// The name of the obligation.
    pub name: ObligationName,
    /// The place where it is stated.
    pub anchor: Anchor,
    /// Other entries whose results it uses.
    pub relies: Vec<usize>,
    /// The entry that shows this one, if it does not hold as it is.
    otherwise: Option<usize>,
    /// The entries that may show this one, in order, if it does not hold otherwise either, and the searches find no wrong run.
    jointly: Vec<usize>,
    /// Entries that search for a wrong run, in order, if this one does not hold.
    searches: Vec<usize>,
    is_written_elsewhere: bool,
    slice: Arc<Slice>,
    /// The obligation, in terms of the slice.
    within: Obligation,
}

/// A slice of a program, built when an obligation has to be settled on it.
struct Slice {
    outline: Outline,
    built: OnceLock<(Program, Code)>,
}

impl PartialEq for Planned {
    fn eq(&self, other: &Planned) -> bool {
        self.program == other.program
    }
}

impl Planned {
    /// Creates plans lazily: nothing is computed until it is asked for.
    pub fn new(program: Arc<Program>) -> Planned {
        let (pieces, patterns, end_to_end, matrix) = Default::default();
        Planned { program, pieces, patterns, end_to_end, matrix }
    }

    /// The plan of the patterns.
    pub fn patterns(&self) -> &Plan {
        self.patterns.get_or_init(|| {
            let may_be_needed = needed_lemmas(&self.program).into_iter().map(Obligation::Lemma);
            let obligations = plan(&self.program);
            let otherwise: Vec<Obligation> = obligations.iter().filter_map(|it| otherwise(&self.program, it)).collect();
            let joint: BTreeSet<Obligation> = obligations.iter().flat_map(|it| jointly(&self.program, it)).collect();
            let searches: BTreeSet<Doubt> = obligations.iter().flat_map(|it| searches(&self.program, it)).collect();
            let searches = searches.into_iter().map(Obligation::Search);
            self.plan(
                obligations,
                may_be_needed.chain(from_rest(&self.program)).chain(otherwise).chain(joint).chain(searches),
            )
        })
    }

    /// The plan of the end-to-end search.
    pub fn end_to_end(&self) -> &Plan {
        self.end_to_end.get_or_init(|| self.plan(plan_end_to_end(&self.program), std::iter::empty()))
    }

    /// The plan of the commutativity matrix: lemmas about each operation of each layer, past each other.
    pub fn matrix(&self) -> &Plan {
        self.matrix.get_or_init(|| {
            let mut lemmas = BTreeSet::new();
            for (index, layer) in self.program.layers.iter().enumerate() {
                for operation in 0..layer.operations.len() {
                    for direction in [Direction::Right, Direction::Left] {
                        lemmas.extend(mover_lemmas(&self.program, LayerId(index as u32), operation, direction));
                    }
                }
            }
            self.plan(lemmas.into_iter().map(Obligation::Lemma).collect(), std::iter::empty())
        })
    }

    fn plan(&self, owed: Vec<Obligation>, more: impl Iterator<Item = Obligation>) -> Plan {
        let pieces = self.pieces.get_or_init(|| Pieces::of(&self.program));
        let mut planner = Planner { program: &self.program, pieces, slices: HashMap::new() };
        let count = owed.len();
        let mut obligations = owed;
        let mut index: HashMap<Obligation, usize> = obligations.iter().cloned().zip(0..).collect();
        for obligation in more {
            index.entry(obligation.clone()).or_insert_with(|| {
                obligations.push(obligation);
                obligations.len() - 1
            });
        }
        let entries = obligations.into_iter().map(|it| planner.entry(it, &index)).collect();
        Plan { entries, owed: count, index }
    }
}

struct Planner<'p> {
    program: &'p Program,
    pieces: &'p Pieces,
    slices: HashMap<Keep, Arc<Slice>>,
}

impl Planner<'_> {
    fn entry(&mut self, obligation: Obligation, index: &HashMap<Obligation, usize>) -> Entry {
        let (program, pieces) = (self.program, self.pieces);
        let keep = needs::keep(program, &obligation);
        let slice = self.slices.entry(keep).or_insert_with_key(|keep| {
            Arc::new(Slice { outline: Outline::new(program, pieces, keep), built: OnceLock::new() })
        });
        let within = obligation.within(program, &slice.outline);
        Entry {
            name: report::name(program, &obligation),
            is_written_elsewhere: is_written_elsewhere(program, &obligation),
            anchor: report::anchor(program, &obligation),
            relies: relies(program, &obligation).iter().filter_map(|it| index.get(it).copied()).collect(),
            otherwise: otherwise(program, &obligation).and_then(|it| index.get(&it).copied()),
            jointly: jointly(program, &obligation).iter().filter_map(|it| index.get(it).copied()).collect(),
            searches: searches(program, &obligation)
                .into_iter()
                .filter_map(|it| index.get(&Obligation::Search(it)).copied())
                .collect(),
            slice: Arc::clone(slice),
            // The slice of an obligation contains all that the obligation names; `needs` defines both.
            within: within.expect("an obligation is one of its slice"),
            obligation,
        }
    }
}

/// The estimated cost of an obligation: one step, two, a procedure, a procedure with interference, two layers, a whole stack.
fn weight(obligation: &Obligation) -> u8 {
    match obligation {
        Obligation::NoPanic(..) | Obligation::Initial(_) | Obligation::Stack(_) | Obligation::NeverFails(..) => 0,
        Obligation::Lemma(_) | Obligation::StaysAllowed(..) => 1,
        Obligation::AtomicSpec(..) | Obligation::Retry(..) | Obligation::Partition(..) => 2,
        Obligation::Shape(..)
        | Obligation::PastDecisive(..)
        | Obligation::WithRely(..)
        | Obligation::OverWeaker(..)
        | Obligation::FollowsProtocol(..)
        | Obligation::Idle(..) => 3,
        Obligation::Absorbs(_) | Obligation::Simulation(..) => 4,
        Obligation::EndToEnd(..) | Obligation::TriedOut(_) | Obligation::Asked(..) | Obligation::Searched(..) => 5,
        Obligation::Search(_) => 5,
        Obligation::FromRest(it) => weight(it),
    }
}

/// Whether an obligation is about an operation that its layer inherits.
fn is_written_elsewhere(program: &Program, obligation: &Obligation) -> bool {
    let Obligation::NoPanic(layer, Part::Operation(operation)) = obligation else { return false };
    program.layers[layer.0 as usize].operations[*operation].declared_in != *layer
}

/// Obligations whose results another one uses.
fn relies(program: &Program, obligation: &Obligation) -> Vec<Obligation> {
    match obligation {
        Obligation::Shape(id, operation) => {
            needs::lemmas_of_shape(program, *id, *operation).into_iter().map(Obligation::Lemma).collect()
        }
        Obligation::Retry(id, operation) if needs::has_several_calls(program, *id, *operation) => {
            needs::lemmas_of_shape(program, *id, *operation).into_iter().map(Obligation::Lemma).collect()
        }
        Obligation::Simulation(id, _) => vec![Obligation::Absorbs(*id)],
        Obligation::FromRest(it) => relies(program, it).into_iter().chain([(**it).clone()]).collect(),
        _ => Vec::new(),
    }
}

impl Plan {
    /// The entries that are obligations, cheapest (estimated) first.
    pub fn by_weight(&self) -> Vec<usize> {
        let mut entries: Vec<usize> = (0..self.owed).collect();
        entries.sort_by_key(|it| weight(&self.entries[*it].obligation));
        entries
    }

    /// The entries that become obligations because of an entry's result.
    pub fn relied(&self, entry: usize, settled: &Settled) -> impl Iterator<Item = usize> {
        let outline = &self.entries[entry].slice.outline;
        let lemmas = settled.relied.iter().filter_map(|it| it.outside(outline)).map(Obligation::Lemma);
        let from_rest = settled.is_superseded.then(|| Box::new(self.entries[entry].obligation.clone()));
        let more = lemmas.chain(from_rest.map(Obligation::FromRest));
        more.filter_map(|it| self.index.get(&it).copied()).collect::<Vec<_>>().into_iter()
    }

    /// The result of an entry, with those of the searches that it needs. `None` if one of them is unknown.
    pub fn known(&self, entry: usize, options: &Options, results: &Results) -> Option<Known> {
        let mut known = results.find(self.entries[entry].fingerprint(&options.scope))?;
        match self.next_asked(entry, &mut known, options, results) {
            Some(_) => None,
            None => Some(known),
        }
    }

    /// Adds to the result of an entry that does not hold what else is asked, if all of that is known; otherwise returns the first entry that is
    /// not. First whether it holds otherwise: then no search is needed. After a wrong run, nothing else is needed. Without one, it may hold over a
    /// weaker layer.
    pub fn next_asked(&self, entry: usize, known: &mut Known, options: &Options, results: &Results) -> Option<usize> {
        let entry = &self.entries[entry];
        (known.otherwise, known.searched) = (None, None);
        if !doubt::is_open(&entry.obligation, &known.settled) {
            return None;
        }
        let find = |it: usize| results.find(self.entries[it].fingerprint(&options.scope));
        if let Some(otherwise) = entry.otherwise.filter(|_| options.scope.decisive_steps) {
            let Some(found) = find(otherwise) else { return Some(otherwise) };
            if found.settled.holds() {
                known.otherwise = Some(found.settled);
                return None;
            }
        }
        if options.search_refused {
            let mut searched = Vec::new();
            for &search in &entry.searches {
                let Some(found) = find(search) else { return Some(search) };
                let is_wrong = found.settled.verdict == Verdict::Violated;
                searched.push(found.settled);
                if is_wrong {
                    known.searched = Some(searched);
                    return None;
                }
            }
            known.searched = Some(searched);
        }
        for joint in entry.jointly.iter().copied().filter(|it| self.is_on(*it, &options.scope)) {
            let Some(found) = find(joint) else { return Some(joint) };
            if found.settled.holds() {
                known.otherwise = Some(found.settled);
                break;
            }
        }
        None
    }

    fn is_on(&self, joint: usize, scope: &Scope) -> bool {
        match self.entries[joint].obligation {
            Obligation::WithRely(_) => scope.call_site_facts,
            _ => scope.has_weaker_layers(),
        }
    }

    /// The outcome of an entry, with what searches say of it: see [`Entry::outcome`].
    fn outcome(&self, entry: usize, known: &Known, source_map: &SourceMap, is_broken: bool) -> Option<Outcome> {
        let entry = &self.entries[entry];
        let outcome = entry.outcome(&known.settled, source_map, is_broken)?;
        if !doubt::is_open(&entry.obligation, &known.settled) {
            return Some(outcome);
        }
        if let Some(shown) = &known.otherwise {
            let outcome = entry.outcome(shown, source_map, is_broken)?;
            return Some(Outcome { past_decisive: shown.even_if.is_empty() && shown.at_calls.is_empty(), ..outcome });
        }
        let searched = known.searched.as_ref().map(|found| {
            let found = entry.searches.iter().zip(found);
            found.map(|(search, settled)| self.entries[*search].searched(settled, source_map)).collect()
        });
        Some(doubt::decided(outcome, searched))
    }

    /// The results of other entries that an entry uses, in terms of the entry's slice. `None` if some of them are unknown.
    pub fn lemmas(&self, entry: usize, scope: &Scope, results: &Results) -> Option<Lemmas> {
        let entry = &self.entries[entry];
        let mut lemmas = Lemmas::default();
        for relied in &entry.relies {
            let relied = &self.entries[*relied];
            let Known { settled, .. } = results.find(relied.fingerprint(scope))?;
            match relied.obligation {
                Obligation::Lemma(lemma) => {
                    let lemma = lemma.within(&entry.slice.outline)?;
                    let mut result = lemma_result(&settled);
                    let told = result.refutation.as_mut().and_then(|it| it.counterexample.as_mut());
                    if let Some(told) = told {
                        *told = told.at(|place| entry.place_of(relied, *place));
                    }
                    lemmas.settled.insert(lemma, result);
                }
                Obligation::Absorbs(id) if settled.holds() => {
                    lemmas.absorbing.insert(entry.slice.outline.implementation(id)?, within(&settled));
                }
                _ if entry.is_again(relied) => lemmas.earlier = Some(Box::new(entry.earlier(relied, &settled))),
                _ => {}
            }
        }
        Some(lemmas)
    }
}

fn lemma_result(settled: &Settled) -> LemmaResult {
    LemmaResult { holds: holds(settled), refutation: settled.refutation.clone(), within: within(settled) }
}

/// The bounds and assumptions of a result.
fn within(settled: &Settled) -> Within {
    Within { bounds_met: settled.bounds_met.clone(), assumptions: settled.assumptions.clone() }
}

/// Whether a lemma holds, if that is known.
fn holds(settled: &Settled) -> Option<bool> {
    match settled.verdict {
        Verdict::Proved | Verdict::Checked => Some(true),
        Verdict::Violated => Some(false),
        Verdict::Searched | Verdict::NotShown | Verdict::Undecided => None,
    }
}

impl Entry {
    /// A place of another entry's slice in this entry's slice: the operation, since bodies need not be kept here.
    fn place_of(&self, other: &Entry, place: Anchor) -> Option<Anchor> {
        let Anchor::Operation(layer, operation) = other.slice.outline.anchor(place)? else { return None };
        let outline = &self.slice.outline;
        Some(Anchor::Operation(outline.layer(layer)?, outline.operation(layer, operation)?))
    }

    /// Whether it is the obligation of another entry, asked again.
    fn is_again(&self, other: &Entry) -> bool {
        matches!(&self.obligation, Obligation::FromRest(asked) if **asked == other.obligation)
    }

    /// The result of the entry that is asked again here, in terms of this slice, which holds all of the other.
    fn earlier(&self, other: &Entry, settled: &Settled) -> Settled {
        let place = |anchor: &Anchor| self.slice.outline.inside(other.slice.outline.anchor(*anchor)?);
        let span = self.slice.outline.inside(self.anchor).unwrap_or(self.anchor);
        let diagnostics = settled.diagnostics.iter().map(|it| it.at(span, place)).collect();
        Settled { diagnostics, relied: Vec::new(), refutation: None, is_superseded: false, ..settled.clone() }
    }

    /// The fingerprint of the entry's result.
    pub fn fingerprint(&self, scope: &Scope) -> Fingerprint {
        Fingerprint::new(self.slice.outline.hash(), &self.within, scope)
    }

    /// The slice of the program on which the obligation is settled.
    pub fn slice(&self, program: &Program) -> &Program {
        &self.built(program).0
    }

    /// The slice and its compiled code, built once.
    fn built(&self, program: &Program) -> &(Program, Code) {
        self.slice.built.get_or_init(|| {
            let slice = self.slice.outline.program(program);
            let code = compile(&slice);
            (slice, code)
        })
    }

    /// Settles the obligation. `None` if the run was stopped.
    pub fn settle(&self, program: &Program, lemmas: &Lemmas, scope: &Scope, stop: &AtomicBool) -> Option<Settled> {
        let _span = tracing::debug_span!("settle", obligation = %self.name.id()).entered();
        let (program, code) = self.built(program);
        Reporter::new(Setting::new(program, code, scope, stop), lemmas).settle(&self.within)
    }

    /// Makes the run of a schedule once more, if the obligation is about what the schedule runs. `None` if it was stopped, or could not be run.
    pub fn replay(
        &self,
        program: &Program,
        source_map: &SourceMap,
        line: &Line,
        scope: &Scope,
        stop: &AtomicBool,
    ) -> Option<Replayed<Span>> {
        let (slice, code) = self.built(program);
        let replayed = end_to_end::replay(&Setting::new(slice, code, scope, stop), &self.within, line)?;
        Some(replayed.at(|place| source_map.span(self.slice.outline.anchor(*place)?)))
    }

    /// The client that the obligation is about, and the number of its processes.
    pub fn client<'p>(&self, program: &'p Program) -> Option<(&'p str, u32)> {
        match self.obligation {
            Obligation::EndToEnd(index, processes) => Some((&program.clients[index].name, processes)),
            _ => None,
        }
    }

    /// The outcomes of a client. `None` if the obligation is not about one.
    pub fn outcomes(
        &self,
        program: &Program,
        source_map: &SourceMap,
        scope: &Scope,
        stop: &AtomicBool,
    ) -> Option<Outcomes<Span>> {
        let Obligation::EndToEnd(index, processes) = self.within else { return None };
        let (slice, code) = self.built(program);
        let setting = Setting::new(slice, code, scope, stop);
        let outcomes = end_to_end::outcomes(&setting, &slice.clients[index], processes, Reductions::ALL);
        Some(outcomes.at(|place| source_map.span(self.slice.outline.anchor(*place)?)))
    }

    /// The result of a search, in this text.
    fn searched(&self, settled: &Settled, source_map: &SourceMap) -> Searched {
        let place = |anchor: &Anchor| source_map.span(self.slice.outline.anchor(*anchor)?);
        let wrong = settled.diagnostics.first().and_then(|it| {
            let counterexample = it.counterexample.as_ref()?.at(place);
            Some(WrongRun { message: it.message.clone(), notes: it.notes.clone(), counterexample })
        });
        Searched { wrong, tried: settled.tried.clone() }
    }

    /// The outcome of a result, in this text. `None` if there is no outcome: the run reached code with errors, or an abstraction does not
    /// absorb background steps.
    fn outcome(&self, settled: &Settled, source_map: &SourceMap, source_is_broken: bool) -> Option<Outcome> {
        let not_owed = settled.is_superseded || matches!(self.obligation, Obligation::Absorbs(_)) && !settled.holds();
        if not_owed || settled.met_unsupported && source_is_broken {
            return None;
        }
        let nowhere = Span { file: 0, start: 0, end: 0 };
        let span = source_map.span(self.anchor).unwrap_or(nowhere);
        let place = |anchor: &Anchor| source_map.span(self.slice.outline.anchor(*anchor)?);
        // The branches of an operation are reported once, where it is written.
        let of_branch = |it: &&Diagnostic<Anchor>| matches!(it.code, codes::CS1002 | codes::CS1003);
        let diagnostics = settled.diagnostics.iter().filter(|it| !(self.is_written_elsewhere && of_branch(it)));
        Some(Outcome {
            name: self.name.clone(),
            verdict: settled.verdict,
            bounds_met: settled.bounds_met.clone(),
            assumptions: settled.assumptions.clone(),
            at_start: settled.at_start.clone(),
            at_calls: settled.at_calls.clone(),
            even_if: settled.even_if.clone(),
            past_decisive: false,
            cases: settled.cases,
            states: settled.states,
            span,
            diagnostics: diagnostics.map(|it| it.at(span, place)).collect(),
        })
    }
}

/// A planned program with the positions of its text.
#[derive(Clone)]
pub struct View {
    /// The program with its plans.
    pub planned: Arc<Planned>,
    /// The positions of its parts.
    pub source_map: Arc<SourceMap>,
    /// Whether the source has errors: obligations that depend on them have no outcome.
    pub is_broken: bool,
}

impl View {
    /// Combines the program and the positions of a lowered package.
    pub fn new(planned: Arc<Planned>, source_map: Arc<SourceMap>, diagnostics: &[Diagnostic]) -> View {
        let is_broken = diagnostics.iter().any(|it| it.severity == Severity::Error);
        View { planned, source_map, is_broken }
    }

    /// The same program for a changed text, in which `moved` gives the new positions.
    pub fn moved(&self, moved: impl Fn(Span) -> Span) -> View {
        View { source_map: Arc::new(self.source_map.map(moved)), ..self.clone() }
    }

    /// The plan for these options.
    pub fn plan(&self, options: &Options) -> &Plan {
        if options.end_to_end { self.planned.end_to_end() } else { self.planned.patterns() }
    }

    /// The entries of a plan that are obligations, as far as is known, including lemmas that others need. One that is asked again stands where
    /// it was asked first.
    pub fn owed(&self, plan: &Plan, scope: &Scope, results: &Results) -> Vec<usize> {
        let mut owed: Vec<usize> = (0..plan.owed).collect();
        let mut listed: BTreeSet<usize> = owed.iter().copied().collect();
        let mut next = 0;
        while let Some(&entry) = owed.get(next) {
            next += 1;
            if let Some(known) = results.find(plan.entries[entry].fingerprint(scope)) {
                owed.extend(plan.relied(entry, &known.settled).filter(|it| listed.insert(*it)));
            }
        }
        let place = |it: &usize| match &plan.entries[*it].obligation {
            Obligation::FromRest(asked) => plan.index.get(&**asked).copied().unwrap_or(*it),
            _ => *it,
        };
        owed.sort_by_key(place);
        owed
    }

    /// The outcome of the result of an entry in this text, if it has one.
    pub fn outcome(&self, plan: &Plan, entry: usize, known: &Known) -> Option<Outcome> {
        plan.outcome(entry, known, &self.source_map, self.is_broken)
    }

    /// The same, whatever searches say where the proof fails.
    pub fn outcome_of_proof(&self, entry: &Entry, known: &Known) -> Option<Outcome> {
        entry.outcome(&known.settled, &self.source_map, self.is_broken)
    }

    /// Whether an entry is an obligation, given its result.
    pub fn is_owed(&self, entry: &Entry, known: &Known) -> bool {
        !known.settled.is_superseded && (!matches!(entry.obligation, Obligation::Absorbs(_)) || known.settled.holds())
    }

    /// The place where the obligation of an entry is stated.
    pub fn span(&self, entry: &Entry) -> Span {
        self.source_map.span(entry.anchor).unwrap_or(Span { file: 0, start: 0, end: 0 })
    }

    /// Settles entries of a plan, in this order as far as possible, and all lemmas that they turn out to need.
    pub fn run(
        &self,
        plan: &Plan,
        wanted: &[usize],
        options: &Options,
        results: &Results,
        listener: &dyn Listener,
        stop: &AtomicBool,
    ) {
        let scope = &options.scope;
        let run = Run { program: &self.planned.program, plan, options, results, stop, listener };
        listener.planned(wanted.len());
        let mut total: BTreeSet<usize> = wanted.iter().copied().collect();
        let is_owed = |it: &&usize| {
            let entry = &plan.entries[**it];
            results.find(entry.fingerprint(scope)).is_none_or(|known| self.is_owed(entry, &known))
        };
        let mut owed = run.settle(wanted);
        loop {
            let relied: Vec<usize> = owed.into_iter().filter(|it| total.insert(*it)).collect();
            listener.planned(total.iter().filter(is_owed).count());
            if relied.is_empty() {
                break;
            }
            owed = run.settle(&relied);
        }
    }

    /// Settles the matrix in the smallest scope, since it asks about every pair of operations. If an operation is a mover there only within
    /// bounds, the whole scope is searched for a refutation, for a limited time.
    pub fn run_movers(&self, scope: &Scope, results: &Results, stop: &AtomicBool) {
        let (plan, smallest) = (self.planned.matrix(), scope.smallest());
        let all: Vec<usize> = (0..plan.owed).collect();
        self.run(plan, &all, &without_search(smallest.clone()), results, &Nobody, stop);
        let program = &self.planned.program;
        let mut open = BTreeSet::new();
        for (layer, it) in (0..).map(LayerId).zip(&program.layers) {
            for operation in 0..it.operations.len() {
                for direction in [Direction::Right, Direction::Left] {
                    let lemmas = mover_lemmas(program, layer, operation, direction).into_iter();
                    let entries: Vec<usize> =
                        lemmas.filter_map(|it| plan.index.get(&Obligation::Lemma(it)).copied()).collect();
                    let verdict = |it: usize| {
                        results.find(plan.entries[it].fingerprint(&smallest)).map(|known| known.settled.verdict)
                    };
                    if entries.iter().all(|it| verdict(*it) != Some(Verdict::Violated)) {
                        open.extend(entries.into_iter().filter(|it| verdict(*it) != Some(Verdict::Proved)));
                    }
                }
            }
        }
        let open: Vec<usize> = open.into_iter().collect();
        self.run(plan, &open, &without_search(for_a_while(scope)), results, &Nobody, stop);
    }

    /// For each layer and operation, its mover type and its row of the commutativity matrix, as far as they are known. They hold in the
    /// smallest scope; types that were refuted in the whole scope are left out.
    pub fn movers(&self, scope: &Scope, results: &Results) -> Vec<Vec<(Movers, Vec<Movers>)>> {
        let plan = self.planned.matrix();
        let program = &self.planned.program;
        let smallest = scope.smallest();
        let known = |it: &Entry| {
            let there = results.find(it.fingerprint(&smallest))?;
            // A result that met no bound, or that is a refutation, holds in every scope.
            match there.settled.verdict {
                Verdict::Proved | Verdict::Violated => holds(&there.settled),
                _ => {
                    let in_scope = results.find(it.fingerprint(scope));
                    let in_scope = in_scope.or_else(|| results.find(it.fingerprint(&for_a_while(scope))));
                    in_scope.and_then(|it| holds(&it.settled)).or_else(|| holds(&there.settled))
                }
            }
        };
        let known: Vec<Option<bool>> = plan.entries.iter().map(known).collect();
        let answers = |layer, operation, direction| -> Vec<(About, Option<bool>)> {
            let lemmas = mover_lemmas(program, LayerId(layer), operation, direction);
            let answer = |it: Lemma| plan.index.get(&Obligation::Lemma(it)).and_then(|entry| known[*entry]);
            lemmas.into_iter().map(|it| (it.about, answer(it))).collect()
        };
        // The matrix shows only commutation.
        let past = |answers: &[(About, Option<bool>)], past: usize| {
            let about_past = |it: &&(About, _)| matches!(it.0, About::Moves(_, other) if other == past);
            conjunction(answers.iter().filter(about_past).map(|(_, holds)| *holds))
        };
        let of_operation = |layer, operation, count| {
            let [right, left] = [Direction::Right, Direction::Left].map(|it| answers(layer, operation, it));
            let all = |answers: &[(About, Option<bool>)]| conjunction(answers.iter().map(|(_, holds)| *holds));
            let row = (0..count).map(|it| Movers { right: past(&right, it), left: past(&left, it) }).collect();
            (Movers { right: all(&right), left: all(&left) }, row)
        };
        let layers = program.layers.iter().zip(0..);
        layers
            .map(|(layer, index)| {
                let count = layer.operations.len();
                (0..count).map(|operation| of_operation(index, operation, count)).collect()
            })
            .collect()
    }
}

/// The budget for each question about a mover in the whole scope: refutations are usually found early.
const A_WHILE: u64 = 300_000;

/// The scope in which refutations of movers are searched for: equally large, with a small budget.
pub fn for_a_while(scope: &Scope) -> Scope {
    Scope { budget: scope.budget.min(A_WHILE), ..scope.clone() }
}

/// The options for lemmas, which no search is made for.
fn without_search(scope: Scope) -> Options {
    Options { scope, search_refused: false, ..Options::default() }
}

/// Whether all hold: one that does not decides, even if another is unknown.
fn conjunction(all: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut answer = Some(true);
    for holds in all {
        match holds {
            Some(true) => {}
            Some(false) => return Some(false),
            None => answer = None,
        }
    }
    answer
}
