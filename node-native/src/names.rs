//! Names that people type: one name, one spelling.

use unicode_normalization::UnicodeNormalization;

/// A room's name or a nick as it is meant: white space around it goes, and characters that can be written in two ways
/// are written in one (NFC).
#[must_use]
pub fn tidy(typed: &str) -> String {
    typed.trim().nfc().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_name_has_one_spelling() {
        assert_eq!(tidy(" cafe\u{301}\t"), "caf\u{e9}");
        assert_eq!(tidy("\u{3000}lobby\u{a0}"), "lobby");
    }
}
