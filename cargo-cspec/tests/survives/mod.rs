//! A property of every counterexample file, whatever its bytes. The fuzz targets in `fuzz/` check it too.

/// Asserts that the file is rejected with one line, or printed without characters that move the cursor.
pub fn survives(bytes: &[u8]) {
    match cargo_cspec::shown(&String::from_utf8_lossy(bytes)) {
        Ok(shown) => assert!(shown.chars().all(|it| it == '\n' || !it.is_control()), "{shown:?}"),
        Err(why) => assert!(!why.is_empty(), "it is refused without a word"),
    }
}
