//! What a machine cannot try is said, and counted by whoever runs the tests; counts that a nightly run raises.

use std::{fs::OpenOptions, io::Write};

use super::notice;

/// Says that something cannot be tried here and why; `cargo xtask test` lists and counts it as left out.
pub fn left_out(what: &str) {
    notice(&format!("left out: {what}"));
    if let Some(path) = std::env::var_os("TINCAN_LEFT_OUT") {
        let file = OpenOptions::new().create(true).append(true).open(path);
        file.and_then(|mut file| writeln!(file, "{what}")).expect("the list of what is left out can be written");
    }
}

/// How many to try: few at every change, all of them in `cargo xtask nightly`.
pub fn count(few: usize, all: usize) -> usize {
    if std::env::var_os("TINCAN_NIGHTLY").is_some() { all } else { few }
}
