//! Names of mailboxes. A name is one component of a path: it starts with a letter or a digit, so that it is neither
//! hidden nor a parent directory, and contains no character with a special meaning for a file system, a shell or a terminal.

/// The maximum length of a name.
const LONGEST: usize = 64;

/// The mailbox that a local part or a login names: case does not matter.
pub fn user(text: &str) -> Option<String> {
    let name = text.to_ascii_lowercase();
    is_user(&name).then_some(name)
}

/// Whether this is the name of a mailbox, as it is on disk.
pub fn is_user(name: &str) -> bool {
    let plain = |letter: u8| letter.is_ascii_lowercase() || letter.is_ascii_digit();
    name.len() <= LONGEST
        && name.bytes().next().is_some_and(plain)
        && name.bytes().all(|letter| plain(letter) || b"._-".contains(&letter))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzz::{self, Target};

    #[test]
    fn names() {
        for name in ["u1", "a", "0", "a.b", "a-b_c", &"x".repeat(64)] {
            assert!(is_user(name), "{name}");
        }
        assert_eq!(user("Postmaster"), Some("postmaster".to_owned()));
    }

    #[test]
    fn fuzz_of_names() {
        let target = Target {
            seeds: &[
                "alice",
                "Postmaster",
                "a.b-c_d",
                "../u2",
                "x123456789012345678901234567890123456789012345678901234567890123",
            ],
            words: &[".", "..", "/", "\0", "\r\n", "-", "_", "é", "İ", "A", "%2e", "\\", "\"", "@"],
        };
        fuzz::run(&target, |input| {
            let text = String::from_utf8_lossy(input);
            let Some(name) = user(&text) else { return };
            assert!(is_user(&name) && user(&name).as_deref() == Some(&*name), "a name is the name of itself");
            assert!(text.eq_ignore_ascii_case(&name) && name.is_ascii() && name.len() <= LONGEST);
            let components: Vec<_> = std::path::Path::new(&name).components().collect();
            assert!(matches!(components[..], [std::path::Component::Normal(only)] if only == &*name));
        });
    }

    #[test]
    fn what_is_not_a_name() {
        for name in [
            "",
            ".",
            "..",
            "../u2",
            "/etc",
            "u1/../u2",
            "u1/mail",
            "u1%00",
            "u1\0x",
            "-x",
            ".x",
            "_x",
            "ü",
            "u1 ",
            "u1\r",
            &"x".repeat(65),
            &"x".repeat(4096),
            "\"u1\"",
            "u1@b",
            "u!v",
            "u%v",
            "*",
        ] {
            assert_eq!(user(name), None, "{name:?}");
        }
    }
}
