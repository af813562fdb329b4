//! Two readings of one source: rustc compiles the layers of the reference workspaces to models, and the engine's front end reads them into
//! the IR. From random states every operation of every layer must have the same outcomes, whether the model lists them or plain evaluation
//! of the IR does.

mod debug;
// Every form is written, also where another one would do.
#[allow(clippy::all)]
mod forms;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Debug,
    fs,
    path::Path,
    sync::Arc,
};

use cspec::{
    Layer, Operation, Pid, Spec, Value as Native, any,
    model::{Choices, Domain, Event, Explorer, Outcome as Listed, run},
};
use cspec_analysis::{
    db::lower_sources,
    ir::{LayerId, Program, Type},
};
use cspec_oracle::{
    eval::{Evaluator, Outcome},
    value::{Scope, Value},
};
use debug::Reader;

/// The end of a step in a form that both readings share: the result, the state and the events; `None` for any failure.
type End = Option<(Value, Value, Vec<Value>)>;

/// The text of a value. It is one function for all types.
fn debug_text(value: &dyn Debug) -> String {
    format!("{value:?}")
}

/// A package as rustc and as the engine read it.
struct Package {
    program: Arc<Program>,
    scope: Scope,
    domain: Domain,
    scalar: fn(&str, &str) -> String,
    /// The number of random states for each operation.
    states: u64,
    /// The operations that were compared, by layer.
    seen: BTreeMap<String, BTreeSet<&'static str>>,
    steps: usize,
    disabled: usize,
    outcomes: usize,
}

impl Package {
    fn read(package: &str) -> Arc<Program> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(package).join("src/layers");
        let files = fs::read_dir(folder).expect("the folder of the layers").map(|it| it.expect("an entry").path());
        // Literals of clients belong to no layer.
        let files = files.filter(|it| !it.ends_with("clients.rs"));
        let mut files: Vec<(String, String)> =
            files.map(|it| (it.display().to_string(), fs::read_to_string(&it).expect("a source file"))).collect();
        files.sort();
        let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
        lower_sources(&files).program
    }

    fn value(&self, text: &str, ty: &Type) -> Value {
        Reader { program: &self.program, scalar: &self.scalar, rest: text }.whole(ty)
    }

    /// Compares the two readings of one operation of a layer.
    fn compare<L, O>(&mut self, layer: &str)
    where
        L: Layer + Spec<O, L::State> + ?Sized,
        O: Operation,
    {
        self.seen.entry(layer.to_owned()).or_default().insert(O::NAME);
        let id = self.program.layers.iter().position(|it| it.name == layer).expect("the layer");
        let operation = self.program.layers[id].operations.iter().position(|it| it.name == O::NAME);
        let operation = operation.unwrap_or_else(|| panic!("{layer} has no {}", O::NAME));
        for seed in 0..self.states {
            let state = self.draw::<L::State>(seed, &|it| L::holds(it));
            let arguments = self.draw::<O::Args>(seed + 1_000_000, &|_| true);
            let (Some(state), Some(arguments)) = (state, arguments) else { continue };
            self.compare_one::<L, O>((LayerId(id as u32), operation), &state, arguments);
        }
    }

    /// A random value that satisfies the predicate, if one is found soon.
    fn draw<T: Native>(&self, seed: u64, is_wanted: &dyn Fn(&T) -> bool) -> Option<T> {
        (0..200).find_map(|attempt| {
            let seed = seed * 1_000 + attempt;
            let drawn = run(&self.domain, Choices::Random { seed }, any::<T>);
            drawn.outcome?.value().filter(|it| is_wanted(it)).cloned()
        })
    }

    fn compare_one<L, O>(&mut self, of: (LayerId, usize), state: &L::State, arguments: O::Args)
    where
        L: Layer + Spec<O, L::State> + ?Sized,
        O: Operation,
    {
        let mut explorer = Explorer::<L>::new(self.domain.clone());
        let listed = explorer.steps(state, Pid(0), &O::from_args(arguments.clone()));
        let mut printed = Vec::new();
        for outcome in listed {
            printed.push(match outcome {
                Listed::Done { value: (returned, after), events } => {
                    Some((debug_text(&returned), debug_text(&after), events))
                }
                Listed::Failed { .. } => None,
            });
        }
        self.compare_printed(of, (&debug_text(state), &debug_text(&arguments)), &printed);
    }

    /// The part of a comparison that is compiled once for all layers and operations.
    fn compare_printed(
        &mut self,
        (layer, operation): (LayerId, usize),
        (state, arguments): (&str, &str),
        listed: &[Option<(String, String, Vec<Event>)>],
    ) {
        let of_layer = &self.program.layers[layer.0 as usize];
        let result = &self.evaluator_function(layer, operation).result;
        let modelled: BTreeSet<End> = listed
            .iter()
            .map(|it| {
                let (returned, after, events) = it.as_ref()?;
                let events = events.iter().map(|it| self.event(it, layer, operation)).collect();
                Some((self.value(returned, result), self.value(after, &of_layer.state), events))
            })
            .collect();
        let evaluator = Evaluator::new(&self.program, self.scope.clone());
        let types = Type::Tuple(evaluator.argument_types(layer, operation));
        let Value::Tuple(with) = self.value(arguments, &types) else { panic!("arguments are a tuple") };
        let from = self.value(state, &of_layer.state);
        let steps = evaluator.step(layer, operation, &from, &Value::Pid(0), &with).expect("an answer");
        let evaluated: BTreeSet<End> = steps
            .into_iter()
            .map(|it| match it {
                Outcome::Done((returned, after), events) => Some((returned, after, events)),
                Outcome::Failed | Outcome::Panicked(_) => None,
            })
            .collect();
        let name = &of_layer.operations[operation].name;
        let only = |a: &BTreeSet<End>, b: &BTreeSet<End>| a.difference(b).take(2).cloned().collect::<Vec<_>>();
        assert!(
            modelled == evaluated,
            "{}::{name}{with:?} from {from}:\nonly the model: {:?}\nonly the evaluator: {:?}",
            of_layer.name,
            only(&modelled, &evaluated),
            only(&evaluated, &modelled)
        );
        self.steps += 1;
        self.outcomes += modelled.len();
        self.disabled += usize::from(modelled.is_empty());
    }

    fn evaluator_function(&self, layer: LayerId, operation: usize) -> &cspec_analysis::ir::Function {
        let function = self.program.layers[layer.0 as usize].operations[operation].function;
        &self.program.functions[function.0 as usize]
    }

    /// Converts an event of the model to the evaluator's form. The layers emit only calls of external operations.
    fn event(&self, event: &Event, layer: LayerId, operation: usize) -> Value {
        let Event::Call { operation: name, call, result, .. } = event else { panic!("{event:?} is emitted") };
        let function = self.evaluator_function(layer, operation);
        let types = function.locals[2..function.parameters as usize].iter().map(|it| it.ty.clone()).collect();
        // `print((7,))` has one field, the tuple of the arguments.
        let arguments = call.strip_prefix(name).and_then(|it| it.strip_prefix('(')?.strip_suffix(')'));
        let arguments = self.value(arguments.expect("a call"), &Type::Tuple(types));
        Value::Tuple(vec![Value::str(name), arguments, self.value(result, &function.result)])
    }

    /// Asserts that every operation of every layer was compared.
    fn is_complete(&self) {
        for layer in &self.program.layers {
            let all: BTreeSet<&str> = layer.operations.iter().map(|it| it.name.as_str()).collect();
            let seen: BTreeSet<&str> = self.seen.get(&layer.name).into_iter().flatten().copied().collect();
            assert_eq!(all, seen, "of {}", layer.name);
        }
        println!("{} steps, {} of them disabled; {} outcomes", self.steps, self.disabled, self.outcomes);
        assert!(self.steps > 2 * self.disabled);
    }
}

/// Compares operations of layers: the layer, the module with the types of its operations, and their names.
macro_rules! compare {
    ($package:expr, $of:ident; $($layer:ident, $names:ident: $($operation:ident),*;)*) => {
        $($($package.compare::<dyn $of::layers::$layer, $of::layers::$names::$operation>(stringify!($layer));)*)*
    };
}

#[test]
fn of_the_counter() {
    use tso::layers::{LOCK, VAL};
    let mut package = Package {
        program: Package::read("tso"),
        scope: Scope {
            pids: 2,
            ints: vec![0, 1, 2],
            ends: false,
            strings: Vec::new(),
            scalars: 0,
            entries: 2,
            length: 2,
        },
        domain: Domain { pids: 2, integers: vec![0, 1, 2], entries: 2, length: 2, ..Domain::default() }
            .list([VAL, LOCK]),
        scalar: |_, inner| inner.to_owned(),
        states: 60,
        seen: BTreeMap::new(),
        steps: 0,
        disabled: 0,
        outcomes: 0,
    };
    compare! { package, tso;
        Counter, __Counter: inc, dec, print;
        LockedCounter, __LockedCounter: inc, dec, print;
        Lock, __Lock: acquire, release, read, write, print;
        RawLock, __RawLock: acquire, release, read, write, print;
        SeqMem, __SeqMem: try_acquire, clear, read, write, print;
        LockInvariant, __LockInvariant: try_acquire, clear, read, write, print;
        LockOwner, __LockOwner: try_acquire, clear, read, write, print;
        TasTso, __TasTso: try_acquire, clear, read, write, print;
        TsoDelayNondet, __TsoDelayNondet: read, write, test_and_set, fence, print;
        Tso, __Tso: read, write, test_and_set, fence, print;
    }
    package.is_complete();
}

#[test]
fn of_the_mail_server() {
    use cmail::layers::{Connection, Inode, Message, User};
    let program = Package::read("cmail");
    let scope = Scope {
        ends: false,
        pids: 2,
        ints: vec![0, 1],
        strings: vec!["0.1".to_owned(), "x".to_owned()],
        scalars: 2,
        entries: 2,
        length: 2,
    };
    let strings = Evaluator::new(&program, scope.clone()).universe.values(&Type::Str).expect("a few").to_vec();
    let strings = strings.iter().map(|it| it.to_string().trim_matches('"').to_owned()).collect();
    let message = |text: &str| Message(text.as_bytes().to_vec());
    let domain = Domain { pids: 2, integers: vec![0, 1], strings, entries: 2, length: 2, ..Domain::default() }
        .list(["?0", "?1"].map(|it| User(it.to_owned())))
        .list([Message::EMPTY, message("?0"), message("?1")])
        .list([Connection(1000), Connection(1001)])
        .list([Inode(1000), Inode(1001)]);
    let scalar = |name: &str, inner: &str| match (name, inner) {
        ("User", _) => inner.trim_matches('"').to_owned(),
        ("Message", "[]") => "\"\"".to_owned(),
        ("Message", _) => {
            let bytes = inner.trim_matches(['[', ']']).split(", ").map(|it| it.parse::<u8>().expect("a byte"));
            String::from_utf8(bytes.collect()).expect("the text of a scalar")
        }
        _ => format!("?{}", inner.parse::<u64>().expect("a number") - 1000),
    };
    let mut package = Package {
        program,
        scope,
        domain,
        scalar,
        states: 25,
        seen: BTreeMap::new(),
        steps: 0,
        disabled: 0,
        outcomes: 0,
    };
    compare! { package, cmail;
        MailServerComposed, __MailServerComposed: check_user, deliver, pickup, delete, accept, request, respond;
        MailServerPerUser, __MailServerPerUser: deliver, pickup, delete, accept, request, respond;
        MailServerLockAbs, __MailServerLockAbs: deliver, pickup, delete, accept, request, respond;
        MailboxByOwner, __MailboxByOwner: lock, unlock, deliver, list, read, delete, accept, request, respond;
        Mailbox, __Mailbox: lock, unlock, deliver, list, read, delete, accept, request, respond;
        MailboxTmpAbs, __MailboxTmpAbs: lock, unlock, deliver, list, read, delete, accept, request, respond;
        DeliverWritten, __DeliverWritten:
            create_write_tmp, link_mail, unlink_tmp, list, read, delete, lock, unlock, accept, request, respond;
        Deliver, __Deliver:
            create_write_tmp, link_mail, unlink_tmp, list, read, delete, lock, unlock, accept, request, respond;
        DeliverListPidFree, __DeliverListPidFree:
            list_pid, link_mail, create_write_tmp, unlink_tmp, list, read, delete, lock, unlock, accept, request, respond;
        DeliverListPid, __DeliverListPid:
            list_pid, link_mail, create_write_tmp, unlink_tmp, list, read, delete, lock, unlock, accept, request, respond;
        MailFS, __MailFS:
            create_tmp, write_tmp, pid, random, link_mail, unlink_tmp, list, read, delete, lock, unlock, accept, request, respond;
        MailFSStringAbs, __MailFSStringAbs:
            create_tmp, write_tmp, pid, random, link_mail, unlink_tmp, list, read, delete, lock, unlock, accept, request, respond;
        MailFSString, __MailFSString:
            create_tmp, write_tmp, unlink_tmp, link_mail, list, read, delete, pid, random, lock, unlock, accept, request, respond;
        MailFSPathAbs, __MailFSPathAbs:
            create_tmp, write_tmp, unlink_tmp, link_mail, list, read, delete, pid, random, lock, unlock, accept, request, respond;
        MailFSPath, __MailFSPath:
            create, write, link, unlink, list, read, pid, random, lock, unlock, accept, request, respond;
        MailFSMerged, __MailFSMerged:
            create, write, link, unlink, list, read, exists, pid, random, lock, unlock, accept, request, respond;
        MailFSInode, __MailFSInode:
            create, write, link, unlink, list, read, exists, pid, random, lock, unlock, accept, request, respond;
        TryDeliver, __TryDeliver:
            link_mail, create_write_tmp, unlink_tmp, list, read, delete, lock, unlock, accept, request, respond;
        Files, __Files: list, read, delete;
        Lock, __Lock: lock, unlock;
        Outside, __Outside: accept, request, respond;
    }
    package.is_complete();
}

/// Compares operations of the module with the forms of the language.
macro_rules! compare_forms {
    ($package:expr; $($layer:ident, $names:ident: $($operation:ident),*;)*) => {
        $($($package.compare::<dyn forms::$layer, forms::$names::$operation>(stringify!($layer));)*)*
    };
}

#[test]
fn of_the_forms_of_the_language() {
    let lowered = lower_sources(&[("src/lib.rs", include_str!("forms.rs"))]);
    assert_eq!(lowered.diagnostics, []);
    // Some are the ends of small types.
    let integers = vec![-128, -1, 0, 1, 2, 127, 255];
    let mut package = Package {
        program: lowered.program,
        scope: Scope {
            pids: 2,
            ints: integers.clone(),
            ends: false,
            strings: Vec::new(),
            scalars: 0,
            entries: 2,
            length: 3,
        },
        domain: Domain { pids: 2, integers, entries: 2, length: 3, ..Domain::default() },
        scalar: |_, inner| inner.to_owned(),
        states: 300,
        seen: BTreeMap::new(),
        steps: 0,
        disabled: 0,
        outcomes: 0,
    };
    compare_forms! { package;
        Options, __Options:
            queries, unwraps, expects, maps, chains, pairs, filters, takes, takes_of_locals, lazily, question;
        Results, __Results:
            swap, matched, questions, asked, unwrapped, expected, mapped, chained, fallible;
        References, __References:
            of_self, of_fields, of_entries, of_elements, of_vacant_entries, of_options, tried, turns, moves, defaults, assigned,
            order_of_entries;
        Patterns, __Patterns: ranges, guards, chains;
        Labels, __Labels: nested, values;
        Inside, __Inside: change;
        Iterators, __Iterators: changed, ends, elements, in_place, adapted, folded;
        Conversions, __Conversions: widened, narrowed, signs, unwrapped, by_type, asked, named, transposed, filled;
        Sequences, __Sequences: inserted, inserted_in_order, cut, reversed;
        Orders, __Orders: of_integers, of_bools, of_tuples, of_options, of_types, of_results, of_order, clamped, debug;
        Loops, __Loops: greatest, compared, early, joined, reduced;
        Functions, __Functions: closures, paths, effects;
        Collections, __Collections: map_results, set_results, conditions, order;
    }
    package.is_complete();
}
