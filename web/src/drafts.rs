//! What was begun in each room and not sent: there again after another room, and after a reload. Pure.

use std::{collections::BTreeMap, fmt::Write};

use tincan_shared::config::MAX_TEXT_BYTES;

use crate::routing;

/// Drafts that survive a reload.
const MAX_DRAFTS: usize = 64;

/// Drafts by room.
pub(crate) type Drafts = BTreeMap<String, String>;

/// As kept by the browser: `<room> <text>` a line, both percent-encoded. What could not be sent anyway is not kept.
pub(crate) fn write_drafts(drafts: &Drafts) -> String {
    let worth = drafts.iter().filter(|(_, text)| !text.trim().is_empty() && text.len() <= MAX_TEXT_BYTES);
    worth.take(MAX_DRAFTS).fold(String::new(), |mut kept, (room, text)| {
        // Writing to a string cannot fail.
        let _ = writeln!(kept, "{} {}", routing::encode(room), routing::encode(text));
        kept
    })
}

pub(crate) fn read_drafts(kept: &str) -> Drafts {
    let draft = |line: &str| line.split_once(' ').map(|(room, text)| (routing::decode(room), routing::decode(text)));
    kept.lines().take(MAX_DRAFTS).filter_map(draft).collect()
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn drafts_survive_being_kept() {
        let drafts: Drafts =
            [("tea & cake", "half a\n100 % sentence"), ("lobby", "x")].map(|(a, b)| (a.into(), b.into())).into();
        assert_eq!(read_drafts(&write_drafts(&drafts)), drafts);
        let unworthy: Drafts =
            [("a", " \n".to_owned()), ("b", "x".repeat(MAX_TEXT_BYTES + 1))].map(|(a, b)| (a.into(), b)).into();
        assert_eq!(write_drafts(&unworthy), "");
        assert!(read_drafts("unpaired\n").is_empty());
    }
}
