//! Stores again what the browser has cleared while the page was open: without its key, the page would be somebody else
//! after a reload, and nobody would have said so.

use super::{Batch, Database, Refused, SlotCopy};
use crate::host::Teller;

/// A slot that outlives the clearing of its site's data, as long as its page is open.
pub(super) struct Restore {
    pub(super) database: Database,
    pub(super) slot: u32,
    teller: Teller,
    /// What is stored again; nothing where the database is merely opened again.
    copy: Option<SlotCopy>,
}

impl Restore {
    pub(super) fn new(database: Database, slot: u32, teller: Teller, copy: Option<SlotCopy>) -> Self {
        Self { database, slot, teller, copy }
    }

    /// Ends when the browser has closed the database.
    pub(super) async fn closed(&self) {
        self.database.closed().await;
    }

    /// These changes were written.
    pub(super) fn written(&mut self, batch: &Batch) {
        if let Some(copy) = &mut self.copy {
            copy.written(batch);
        }
    }

    /// Opens the database again, and stores again what it has lost.
    pub(super) async fn reopen(&self) -> Result<(), Refused> {
        let opened = self.database.reconnect().await?;
        if let Some(copy) = &self.copy {
            match opened.key(self.slot).await? {
                Some(key) if key == copy.key() => {}
                Some(_) => return Err("another tab has stored a key in this one's place".into()),
                None => {
                    opened.become_next(self.slot, copy.key(), copy.entries()).await?;
                    tracing::warn!("the browser cleared this site's data; what the page still knew is stored again");
                    self.teller.cleared();
                }
            }
        }
        self.database.adopt(&opened);
        Ok(())
    }
}
