//! What the database does not have yet when a page goes away, kept in localStorage: that is written before the call
//! returns, and outlives the page.
//! `docs/decisions/0008-what-a-page-leaves-unwritten.md` has what else was tried, and what survived.

use js_sys::{Array, JSON};
use tincan_shared::{PeerId, Saved};
use wasm_bindgen::{JsCast, JsValue};

use super::Batch;

/// Bytes of keys and values that one journal holds. Browsers let a site keep some 5 MiB in localStorage.
const MAX_JOURNAL_BYTES: usize = 512 * 1024;

/// The journal of one slot, for one owner: numbers and waiting lines are of no use to another key.
#[derive(Debug, Clone)]
pub struct Journal {
    name: String,
    owner: String,
}

impl Journal {
    /// Of a slot of the database with this name.
    pub(super) fn of(database: &str, slot: u32, owner: &PeerId) -> Self {
        Self { name: format!("{database}-unwritten-{slot}"), owner: owner.to_string() }
    }

    /// Brings what the database has to where the last page left it.
    pub fn complete(&self, saved: &mut Saved) {
        for (key, value) in self.read() {
            match value {
                Some(value) => drop(saved.insert(key, value)),
                None => drop(saved.remove(&key)),
            }
        }
    }

    /// Keeps these changes in place of earlier ones. False when the browser keeps nothing here.
    pub(super) fn keep(&self, changes: &Batch) -> bool {
        let Some(storage) = storage() else { return false };
        let kept = self.write(changes).is_some_and(|text| storage.set_item(&self.name, &text).is_ok());
        if !kept {
            // Rather nothing than what is older than the database.
            let _ = storage.remove_item(&self.name);
        }
        kept
    }

    /// Keeps nothing any more: the database has it.
    pub(super) fn clear(&self) {
        if let Some(storage) = storage() {
            // It fails for no known name.
            let _ = storage.remove_item(&self.name);
        }
    }

    /// The changes that it holds. What is not the owner's, or cannot be read, is none.
    pub(super) fn read(&self) -> Batch {
        let text = storage().and_then(|storage| storage.get_item(&self.name).ok()?);
        text.and_then(|text| self.parse(&text)).unwrap_or_default()
    }

    /// `[owner, [key, value in hexadecimal digits or null], …]`.
    fn write(&self, changes: &Batch) -> Option<String> {
        let text = Array::of1(&self.owner.as_str().into());
        let mut changes: Vec<_> = changes.iter().collect();
        let bytes = |(key, value): &(&String, &Option<Vec<u8>>)| key.len() + value.as_ref().map_or(0, Vec::len);
        // Where not all of it has a place, the short ones go first: lines and numbers of ours are among them.
        changes.sort_by_key(bytes);
        let mut left = MAX_JOURNAL_BYTES;
        for change in changes {
            let Some(rest) = left.checked_sub(bytes(&change)) else { break };
            left = rest;
            let (key, value) = change;
            let value = value.as_ref().map_or(JsValue::NULL, |value| hex::encode(value).into());
            text.push(&Array::of2(&key.as_str().into(), &value));
        }
        JSON::stringify(&text).ok().map(String::from)
    }

    fn parse(&self, text: &str) -> Option<Batch> {
        let parts: Array = JSON::parse(text).ok()?.dyn_into().ok()?;
        let mut parts = parts.iter();
        parts.next()?.as_string().filter(|owner| *owner == self.owner)?;
        parts
            .map(|change| {
                let change: Array = change.dyn_into().ok()?;
                let value = match change.get(1) {
                    removed if removed.is_null() => None,
                    value => Some(hex::decode(value.as_string()?).ok()?),
                };
                Some((change.get(0).as_string()?, value))
            })
            .collect()
    }
}

fn storage() -> Option<web_sys::Storage> {
    web_sys::window()?.local_storage().ok()?
}
