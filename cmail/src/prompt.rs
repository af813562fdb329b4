//! Reads a password from the terminal or from standard input.

use std::io::{self, BufRead, Read};

use cmail::server::Failure;
use nix::sys::termios::{LocalFlags, SetArg, SpecialCharacterIndices, Termios, tcgetattr, tcsetattr};

/// Reads a line from standard input. On a terminal, prompts for it.
pub fn read_password() -> Result<String, Failure> {
    let stdin = io::stdin();
    if let Ok(shown) = tcgetattr(&stdin) {
        return ask_for_password(&stdin, &shown);
    }
    let mut text = String::new();
    stdin.lock().take(1024).read_line(&mut text)?;
    Ok(text)
}

/// Reads a line without echo. Ctrl-C ends the input but not the process, so that the settings of the terminal are restored.
fn ask_for_password(terminal: &io::Stdin, shown: &Termios) -> Result<String, Failure> {
    const CTRL_C: u8 = 3;
    let mut hidden = shown.clone();
    hidden.local_flags.remove(LocalFlags::ECHO | LocalFlags::ISIG);
    hidden.control_chars[SpecialCharacterIndices::VEOL as usize] = CTRL_C;
    tcsetattr(terminal, SetArg::TCSANOW, &hidden)?;
    eprint!("Password: ");
    // A terminal gives one line at a time.
    let line = terminal.lock().fill_buf().map(<[u8]>::to_vec);
    eprintln!();
    tcsetattr(terminal, SetArg::TCSANOW, shown)?;
    let line = line?;
    match line.ends_with(&[CTRL_C]) {
        true => Err("interrupted: nothing was changed".into()),
        false => Ok(String::from_utf8(line)?),
    }
}
