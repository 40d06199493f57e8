//! Where a person writes.

use std::collections::BTreeMap;

use leptos::{ev, html, prelude::*, task::spawn_local};
use tincan_shared::{Error, config::MAX_TEXT_BYTES, neutralise};

use crate::{keys, session::session};

/// The count shows when no more than this many bytes are left.
const COUNT_WITHIN_BYTES: usize = 512;
/// Rows the field grows to, where the browser does not size it itself.
const MAX_ROWS: usize = 6;

#[component]
pub(crate) fn Composer(room: Memo<String>) -> impl IntoView {
    let session = session();
    // What was begun in a room is still there on coming back.
    let drafts = RwSignal::new(BTreeMap::<String, String>::new());
    let draft =
        Memo::new(move |_| room.with(|room| drafts.with(|drafts| drafts.get(room).cloned().unwrap_or_default())));
    let error = RwSignal::new(None::<Error>);
    let field = NodeRef::<html::Textarea>::new();
    Effect::new(move || {
        room.track();
        error.set(None);
    });

    let send = move || {
        let (room, text) = (room.get_untracked(), draft.get_untracked());
        if text.trim().is_empty() || room.is_empty() {
            return;
        }
        // Refused by the node too; here it spares the field a flicker.
        if text.len() > MAX_TEXT_BYTES {
            error.set(Some(Error::TextTooLong { bytes: text.len() }));
            return;
        }
        drafts.update(|drafts| drop(drafts.remove(&room)));
        spawn_local(async move {
            if let Err(refused) = session.say(room.clone(), text.clone()).await {
                error.set(Some(refused));
                drafts.update(|drafts| give_back(drafts.entry(room).or_default(), &text));
            }
        });
    };
    let on_key = move |event: ev::KeyboardEvent| {
        if keys::pressed(&event).as_deref() == Some("Enter") && !event.shift_key() {
            event.prevent_default();
            send();
        }
    };
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        send();
        if let Some(field) = field.get_untracked() {
            let _ = field.focus();
        }
    };
    let count = Memo::new(move |_| draft.with(|text| byte_count(text)));
    view! {
        <form class="composer" on:submit=submit>
            <div class="composer-notes">
                <div id="message-error" role="alert">
                    {move || error.get().map(|error| view! { <p class="error" data-testid="error">{error.to_string()}</p> })}
                </div>
                {move || count.get().map(|(text, over)| view! { <p class="count" class:over=over data-testid="byte-count">{text}</p> })}
            </div>
            <div class="field">
                <label class="visually-hidden" for="message-input">{move || format!("Message to {}", neutralise(&room.get(), false))}</label>
                <textarea
                    id="message-input"
                    node_ref=field
                    data-testid="message-input"
                    placeholder="Say something"
                    dir="auto"
                    rows=move || draft.with(|text| text.split('\n').count().min(MAX_ROWS)).to_string()
                    enterkeyhint="send"
                    aria-describedby="message-error"
                    aria-invalid=move || error.get().is_some().then_some("true")
                    disabled=move || room.with(String::is_empty)
                    prop:value=move || draft.get()
                    on:input=move |event| {
                        let text = event_target_value(&event);
                        drafts.update(|drafts| drop(drafts.insert(room.get_untracked(), text)));
                        if error.get_untracked().is_some() {
                            error.set(None);
                        }
                    }
                    on:keydown=on_key
                ></textarea>
                <button type="submit" class="button primary" data-testid="message-send" disabled=move || room.with(String::is_empty)>
                    "Send"
                </button>
            </div>
        </form>
    }
}

/// A refused text returns in front of what was typed since.
fn give_back(draft: &mut String, refused: &str) {
    if draft.is_empty() {
        refused.clone_into(draft);
    } else {
        *draft = format!("{refused}\n{draft}");
    }
}

/// The count towards the limit when it is near, and whether it is passed.
fn byte_count(text: &str) -> Option<(String, bool)> {
    let bytes = text.len();
    (bytes + COUNT_WITHIN_BYTES >= MAX_TEXT_BYTES)
        .then(|| (format!("{} of {} bytes", grouped(bytes), grouped(MAX_TEXT_BYTES)), bytes > MAX_TEXT_BYTES))
}

/// Thousands with a comma.
fn grouped(number: usize) -> String {
    match number {
        0..1000 => number.to_string(),
        _ => format!("{},{:03}", grouped(number / 1000), number % 1000),
    }
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn the_count_is_in_bytes_and_shows_near_the_limit() {
        assert_eq!(byte_count("hello"), None);
        assert_eq!(byte_count(&"x".repeat(3583)), None);
        assert_eq!(byte_count(&"x".repeat(3584)), Some(("3,584 of 4,096 bytes".into(), false)));
        assert_eq!(byte_count(&"é".repeat(2048)), Some(("4,096 of 4,096 bytes".into(), false)));
        assert_eq!(byte_count(&"é".repeat(2049)), Some(("4,098 of 4,096 bytes".into(), true)));
        assert_eq!(grouped(1_000_005), "1,000,005");
    }

    #[test]
    fn a_refused_text_is_not_lost() {
        let mut draft = String::new();
        give_back(&mut draft, "long");
        assert_eq!(draft, "long");
        give_back(&mut draft, "earlier");
        assert_eq!(draft, "earlier\nlong");
    }
}
