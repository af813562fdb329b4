//! The six concurrency plans of the mail server: why concurrent processes do not disturb each other (Figure 15 of the paper).
//!
//! Each test names the obligations that establish a plan and checks that they hold. Then it removes the plan from the code and checks that
//! one of them fails.

mod cmail;

use cmail::{Edit, Layers, patterns};
use cspec_analysis::verdict::Verdict;

/// An obligation: implementation or layer, operation, and kind, against any other operation.
type Owed = (&'static str, &'static str, &'static str);

/// Checks that all of these obligations hold, and that the first does not hold without the plan.
#[track_caller]
fn check_plan(owed: &[Owed], without: &[Edit]) {
    let layers = Layers::open();
    for (edits, holds) in [(&[][..], true), (without, false)] {
        let checked = layers.check(edits, &patterns());
        let verdicts = |&(owner, operation, kind): &Owed| -> Vec<Verdict> {
            let is_it = |it: &&cspec_analysis::verdict::Outcome| {
                let by = if it.name.implementation.is_empty() { &it.name.layer } else { &it.name.implementation };
                (by.as_str(), it.name.operation.as_str(), it.name.kind) == (owner, operation, kind)
            };
            checked.outcomes.iter().filter(is_it).map(|it| it.verdict).collect()
        };
        if holds {
            for it in owed {
                let verdicts = verdicts(it);
                assert!(!verdicts.is_empty(), "nothing is owed: {it:?}");
                let all = verdicts.iter().all(|it| matches!(it, Verdict::Proved | Verdict::Checked));
                assert!(all, "{it:?}: {verdicts:?}\n{}", checked.in_words());
            }
        } else {
            assert!(
                verdicts(&owed[0]).contains(&Verdict::Violated),
                "{:?} should fail\n{}",
                owed[0],
                checked.in_words()
            );
        }
    }
}

/// Concurrent deliveries do not disturb each other in the temporary directory: each has a name of its own there, by its process.
#[test]
fn temporary_files_are_named_by_process() {
    check_plan(
        &[
            ("Encoded", "create_tmp", "simulation"),
            ("Encoded", "write_tmp", "simulation"),
            ("AtomicDeliver", "deliver", "shape"),
            ("FilterList", "create_write_tmp", "shape"),
            ("LinkRandom", "create_write_tmp", "shape"),
            ("OwnNames", "create_tmp", "shape"),
        ],
        &[("names.rs", "encode(&MsgId { pid, number: 0 })", "\"tmp\".to_string()")],
    );
}

/// A listed message is not deleted before it is read, since both happen under the lock.
#[test]
fn pickup_and_delete_lock_the_mailbox() {
    check_plan(
        &[
            ("AtomicReader", "delete", "follows"),
            ("AtomicReader", "pickup", "follows"),
            ("AtomicReader", "read", "stays-allowed"),
            ("AtomicReader", "pickup", "shape"),
            ("AtomicReader", "delete", "shape"),
            ("GhostOwner", "lock", "simulation"),
            ("GhostOwner", "unlock", "simulation"),
            ("HideLock", "pickup", "simulation"),
        ],
        &[("mail_server_lock_abs.rs", "lo.lock();\n        lo.delete(id);\n        lo.unlock();", "lo.delete(id);")],
    );
}

/// A delivery to one user does not disturb a pickup of another: each user has separate directories.
#[test]
fn each_user_has_directories_of_his_own() {
    check_plan(
        &[
            ("MergedByUser", "link", "other-keys"),
            ("MergedByUser", "link", "own-key"),
            ("MergedByUser", "list", "own-key"),
            ("MergedByUser", "list", "other-keys"),
            ("PerUser", "deliver", "own-key"),
            ("PerUser", "pickup", "own-key"),
        ],
        &[("mail_fs_path.rs", "lo.files.iter().filter(|((it, _, _), _)| it == user)", "lo.files.iter()")],
    );
}

/// A delivery does not disturb a pickup of the same user: the message appears complete in a single step, and no other step is visible.
#[test]
fn a_message_appears_in_one_step() {
    check_plan(
        &[
            ("AtomicDeliver", "deliver", "follows"),
            ("AtomicDeliver", "deliver", "atomic-spec"),
            ("AtomicDeliver", "deliver", "shape"),
            ("AtomicReader", "pickup", "shape"),
            ("AtomicReader", "pickup", "atomic-spec"),
        ],
        &[(
            "mailbox_tmp_abs.rs",
            "lo.create_write_tmp(message) && lo.link_mail();",
            "lo.link_mail() && lo.create_write_tmp(message);",
        )],
    );
}

/// Plan 1: concurrent deliveries do not take each other's names, since a process lists the numbers that it has used itself. Other processes
/// can only remove some of them.
#[test]
fn plan_1_lists_the_callers_numbers() {
    check_plan(
        &[
            ("LinkNext", "link_mail", "follows"),
            ("LinkNext", "link_mail", "shape"),
            ("LinkNext", "link_mail", "atomic-spec"),
            ("LinkNext", "link_mail", "stays-allowed"),
            ("DeliverListPidFree", "list_pid", "right-mover"),
            ("FilterList", "list_pid", "shape"),
        ],
        &[(
            "deliver_list_pid.rs",
            "        when(self.mail.mbox.keys().iter().all(|id| id.pid != me || listed.contains(&id.number)));\n",
            "",
        )],
    );
}

/// Plan 2: concurrent deliveries do not take each other's names, since a link under a taken name does nothing and is tried again.
#[test]
fn plan_2_tries_until_a_name_is_free() {
    check_plan(
        &[
            ("LinkRetry", "link_mail", "turn"),
            ("LinkRandom", "link_mail", "shape"),
            ("LinkRandom", "link_mail", "atomic-spec"),
        ],
        &[(
            "deliver.rs",
            "if linked != Linked::Taken {\n                return linked == Linked::Done;\n            }",
            "return linked != Linked::Failed;",
        )],
    );
}
