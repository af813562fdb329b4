//! The x86-TSO counter, the first real input: all of it is in the subset.

use cspec_analysis::{db::lower_sources, ir::lower::Lowered};

/// The layer files, by path and text.
fn sources() -> Vec<(String, String)> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../tso/src/layers");
    let mut files: Vec<(String, String)> = std::fs::read_dir(folder)
        .expect("the folder of the layers")
        .map(|entry| entry.expect("an entry").path())
        .map(|path| (path.display().to_string(), std::fs::read_to_string(&path).expect("a source file")))
        .collect();
    files.sort();
    files
}

fn lower(files: &[(String, String)]) -> Lowered {
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    lower_sources(&files)
}

#[test]
fn every_construct_of_the_counter_is_lowered() {
    let lowered = lower(&sources());
    assert_eq!(lowered.diagnostics, []);
    let layers: Vec<&str> = lowered.program.layers.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(
        layers,
        [
            "Counter",
            "Lock",
            "LockInvariant",
            "LockOwner",
            "LockedCounter",
            "RawLock",
            "SeqMem",
            "TasTso",
            "Tso",
            "TsoDelayNondet",
        ]
    );
    assert_eq!(lowered.program.implementations.len(), 8);
    assert_eq!(lowered.program.stacks.len(), 1);
    assert_eq!(lowered.program.clients.len(), 1);
}

#[test]
fn a_file_cut_off_anywhere_is_survived() {
    let whole = sources();
    for cut in 0..whole.len() {
        let length = whole[cut].1.len();
        for end in (0..length).step_by(37).filter(|end| whole[cut].1.is_char_boundary(*end)) {
            let mut files = whole.clone();
            files[cut].1.truncate(end);
            lower(&files);
        }
    }
}
