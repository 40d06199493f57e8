//! Keys, as a person meant them.
//!
//! While a word is composed by an input method, its keys belong to that: Enter takes the word, arrows choose one, Escape
//! gives it up. Chrome and Firefox say so by `isComposing`. Safari, and some input methods elsewhere, report the Enter
//! that takes the word only after `compositionend`, when nothing is composed any more; what stays is the old key code
//! 229, "an input method has had this key".

use leptos::ev::KeyboardEvent;

/// The key code of a key that went to an input method (UI Events, 7.3.1).
const COMPOSING: u32 = 229;

/// The key that was pressed; nothing if it was an input method's.
pub(crate) fn pressed(event: &KeyboardEvent) -> Option<String> {
    let late = !event.is_composing() && event.key_code() == COMPOSING;
    if late && key(event) == "Enter" {
        // Nor does it send the form that the field is in.
        event.prevent_default();
    }
    (!event.is_composing() && !late).then(|| key(event))
}

#[allow(clippy::disallowed_methods, reason = "here alone")]
fn key(event: &KeyboardEvent) -> String {
    event.key()
}
