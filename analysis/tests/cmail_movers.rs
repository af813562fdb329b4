//! The mover types of the mail server's operations, layer by layer: the table of the original, and which entries hold only within bounds.

mod cmail;

use std::sync::atomic::AtomicBool;

use cmail::{Layers, patterns};
use cspec_analysis::{
    report::Options,
    verdict::{Scope, Verdict},
};

/// In the layers from the mailbox down to the names as strings, interactions with the outside and operations on the mailbox do not move,
/// nor do other operations, except for these.
const MOVES: [(&str, &[(&str, &str)]); 8] = [
    ("Deliver", &[("create_write_tmp", "both"), ("unlink_tmp", "both")]),
    // The listing of one's own numbers moves right only. A number that a deletion removes need not be listed after the deletion, but must
    // be listed before it.
    ("DeliverListPid", &[("create_write_tmp", "both"), ("list_pid", "right"), ("unlink_tmp", "both")]),
    ("DeliverListPidFree", &[("create_write_tmp", "both"), ("list_pid", "right"), ("unlink_tmp", "both")]),
    ("DeliverWritten", &[("create_write_tmp", "both"), ("unlink_tmp", "both")]),
    (
        "MailFS",
        &[("create_tmp", "both"), ("pid", "both"), ("random", "both"), ("unlink_tmp", "both"), ("write_tmp", "both")],
    ),
    // An unlinked temporary file may remain, as if it had been created again, so unlinking moves right.
    ("MailFSString", &[("pid", "both"), ("random", "both"), ("unlink_tmp", "right")]),
    ("Mailbox", &[]),
    ("MailboxByOwner", &[("lock", "right"), ("unlock", "left")]),
];

/// The inferred mover types of those operations of these layers that move at all, in the order of their names.
fn movers_of(layers: &[&str]) -> Vec<(String, Vec<(String, &'static str)>)> {
    let snapshot = Layers::open().patched(&[]);
    let options = Options { scope: Scope::default().smallest(), ..Options::default() };
    snapshot.run_movers(0, &options, &AtomicBool::new(false));
    let program = snapshot.packages()[0].program();
    let rows = program.layers.iter().zip(snapshot.movers(0, &options));
    let rows = rows.filter(|(layer, _)| layers.contains(&layer.name.as_str())).map(|(layer, rows)| {
        let names = layer.operations.iter().map(|it| it.name.clone());
        let rows = names.zip(rows.into_iter().map(|(movers, _)| movers.name()));
        let mut rows: Vec<_> = rows.filter(|(_, movers)| *movers != "non").collect();
        rows.sort();
        (layer.name.clone(), rows)
    });
    rows.collect()
}

#[test]
fn the_operations_move_as_in_the_original() {
    let mut found = movers_of(&MOVES.map(|(layer, _)| layer));
    found.sort();
    let expected = MOVES.map(|(layer, rows)| {
        (layer.to_owned(), rows.iter().map(|(name, movers)| ((*name).to_owned(), *movers)).collect::<Vec<_>>())
    });
    assert_eq!(found, expected);
}

#[test]
fn nothing_is_undecided_and_what_reads_no_whole_collection_is_proved() {
    let checked = Layers::open().check(&[], &patterns());
    assert!(checked.failed().next().is_none(), "{}", checked.in_words());
    let kinds = ["right-mover", "left-mover", "stably-enabled", "silent"];
    let lemmas = checked.outcomes.iter().filter(|it| kinds.contains(&it.name.kind));
    let bounded: Vec<_> = lemmas.filter(|it| it.verdict != Verdict::Proved).map(|it| &it.name).collect();
    // Only the listing of one's own numbers reads all names.
    assert!(bounded.iter().all(|it| it.operation == "list_pid" || it.against == "list_pid"), "{bounded:#?}");
    assert!(!bounded.is_empty());
}
