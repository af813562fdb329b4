//! What must be so of every file that is given as a counterexample. Also what `fuzz/` asks of the texts that it thinks out.

/// It is refused in a line, or shown without anything that moves the cursor.
pub fn survives(bytes: &[u8]) {
    match cargo_cspec::shown(&String::from_utf8_lossy(bytes)) {
        Ok(shown) => assert!(shown.chars().all(|it| it == '\n' || !it.is_control()), "{shown:?}"),
        Err(why) => assert!(!why.is_empty(), "it is refused without a word"),
    }
}
