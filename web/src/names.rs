//! Names that people type: one name, one spelling. The browser brings Unicode's tables, the module need not.

use js_sys::JsString;

/// A room's name or a nick as it is meant: white space around it goes, and characters that can be written in two ways
/// are written in one (NFC).
pub(crate) fn tidy(typed: &str) -> String {
    normalized(typed.trim(), "NFC")
}

/// Characters in their simplest parts (NFKD): accents apart, wide and mathematical letters as usual ones.
pub(crate) fn decomposed(name: &str) -> String {
    normalized(name, "NFKD")
}

fn normalized(text: &str, form: &str) -> String {
    if text.is_ascii() { text.to_owned() } else { JsString::from(text).normalize(form).into() }
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn one_name_has_one_spelling() {
        assert_eq!(tidy(" cafe\u{301}\t"), "caf\u{e9}");
        assert_eq!(tidy("\u{3000}lobby\u{a0}"), "lobby");
        assert_eq!(decomposed("caf\u{e9} \u{ff21}"), "cafe\u{301} A");
    }
}
