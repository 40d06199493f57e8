//! The page's table of letters that look alike is Unicode's (UTS 39), for Latin, Greek and Cyrillic letters and digits.

use std::{collections::BTreeMap, fs, path::Path};

use unicode_normalization::UnicodeNormalization;
use unicode_script::{Script, UnicodeScript};

const TABLE: &str = "../web/confusables.txt";

/// Letters by what stands for all that look like them. Those that the browser's own tables take apart are left out.
fn table() -> String {
    let mut table: BTreeMap<String, String> = BTreeMap::new();
    for letter in '\0'..=char::MAX {
        let one = letter.to_string();
        let known = matches!(letter.script(), Script::Latin | Script::Greek | Script::Cyrillic)
            || letter.is_ascii_digit()
            || letter == '|';
        if !known || !one.nfkd().eq([letter]) {
            continue;
        }
        let skeleton: String = unicode_security::skeleton(&one).nfkd().collect();
        if skeleton != one && skeleton.chars().all(char::is_alphanumeric) {
            table.entry(skeleton).or_default().push(letter);
        }
    }
    table.into_iter().map(|(skeleton, letters)| format!("{skeleton} {letters}\n")).collect()
}

#[test]
fn the_table_is_unicodes() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(TABLE);
    let written = fs::read_to_string(&file).expect("the page's table");
    assert!(written == table(), "write this into {}:\n{}", file.display(), table());
}
