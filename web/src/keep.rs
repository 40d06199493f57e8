//! Small texts that the page itself keeps in this browser, beside what the node stores: in localStorage, which plain-http
//! pages have too and which is written before a page goes. Where the browser keeps nothing, neither does this.

use leptos::prelude::window;

/// What is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    /// How far each room was read, of one tab's identity.
    Marks,
    /// What was begun and not sent, of one tab's identity.
    Drafts,
    /// Who is muted.
    Muted,
    /// Whether notifications are wanted.
    Notify,
    /// Whether the browser was asked to keep this site's data for good.
    AskedToPersist,
}

/// Reads and writes for one tab's identity.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Keep {
    /// The tab's slot; nothing where nothing is kept.
    slot: Option<u32>,
}

impl Keep {
    /// For the identity in this slot.
    pub(crate) fn of(slot: u32) -> Self {
        Self { slot: Some(slot) }
    }

    /// Whether anything is kept.
    pub(crate) fn keeps(self) -> bool {
        self.slot.is_some()
    }

    pub(crate) fn get(self, what: What) -> Option<String> {
        storage()?.get_item(&self.name(what)?).ok()?
    }

    /// Keeps a text, or with an empty one nothing more. A full storage keeps what it had.
    pub(crate) fn set(self, what: What, text: &str) {
        let Some((storage, name)) = storage().zip(self.name(what)) else { return };
        let kept = if text.is_empty() { storage.remove_item(&name) } else { storage.set_item(&name, text) };
        if let Err(error) = kept {
            tracing::debug!(?error, ?what, "the browser does not keep it");
        }
    }

    /// Whether a change that another tab made is one of these.
    pub(crate) fn is(self, what: What, changed: &str) -> bool {
        self.name(what).as_deref() == Some(changed)
    }

    fn name(self, what: What) -> Option<String> {
        let slot = self.slot?;
        Some(match what {
            What::Marks => format!("tincan-read-{slot}"),
            What::Drafts => format!("tincan-drafts-{slot}"),
            What::Muted => "tincan-muted".to_owned(),
            What::Notify => "tincan-notify".to_owned(),
            What::AskedToPersist => "tincan-persist".to_owned(),
        })
    }
}

fn storage() -> Option<web_sys::Storage> {
    window().local_storage().ok()?
}
