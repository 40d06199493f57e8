//! One transaction: all of its changes, or none.

use futures::{
    FutureExt,
    future::{LocalBoxFuture, join, join_all},
};
use idb::{Transaction, TransactionMode};
use js_sys::Uint8Array;
use wasm_bindgen::JsValue;

use super::{Batch, Database, ENTRIES, prefix};

/// The requests of one transaction that writes.
#[derive(Default)]
pub(super) struct Requests {
    made: Vec<LocalBoxFuture<'static, Result<(), idb::Error>>>,
    /// Why the browser did not even take one of them.
    refused: Option<idb::Error>,
}

impl Requests {
    pub(super) fn add<R, T>(&mut self, request: Result<R, idb::Error>)
    where
        R: IntoFuture<Output = Result<T, idb::Error>, IntoFuture: 'static>,
    {
        match request {
            Ok(request) => self.made.push(request.into_future().map(|done| done.map(drop)).boxed_local()),
            Err(error) => self.refused = Some(error),
        }
    }

    /// Ends when all changes are in the database, or none.
    pub(super) async fn commit(self, transaction: Transaction) -> Result<(), idb::Error> {
        let Self { made, refused } = self;
        if let Some(error) = refused {
            join_all(made).await;
            // Still within the last answer's turn, before the browser would commit by itself.
            transaction.abort()?.await?;
            return Err(error);
        }
        // Committed by name: a page that is being left may lose what would commit by itself a moment later.
        let transaction = transaction.commit()?;
        let (made, done) = join(join_all(made), transaction.into_future()).await;
        made.into_iter().collect::<Result<(), idb::Error>>()?;
        if done?.is_committed() { Ok(()) } else { Err(idb::Error::TransactionCommitError(JsValue::UNDEFINED)) }
    }
}

impl Database {
    pub(super) async fn commit(&self, slot: u32, batch: &Batch) -> Result<(), idb::Error> {
        let transaction = self.connection().transaction(&[ENTRIES], TransactionMode::ReadWrite)?;
        let store = transaction.object_store(ENTRIES)?;
        let prefix = prefix(slot);
        let mut requests = Requests::default();
        for (key, value) in batch {
            let key = JsValue::from(format!("{prefix}{key}"));
            match value {
                Some(value) => requests.add(store.put(&Uint8Array::from(value.as_slice()), Some(&key))),
                None => requests.add(store.delete(key)),
            }
        }
        requests.commit(transaction).await
    }
}
