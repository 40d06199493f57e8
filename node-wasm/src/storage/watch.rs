//! Hears of it when the browser closes a database that the page has open, as it does to clear a site's data.

use std::{cell::Cell, rc::Rc};

use tokio::sync::{Notify, oneshot};
use wasm_bindgen::{JsCast, closure::Closure};
use web_sys::{Event, IdbDatabase, IdbOpenDbRequest};

/// A connection that is only listened at. Dropped, it is closed.
pub(super) struct Watch {
    database: IdbDatabase,
    closed: Rc<Closed>,
    _on_close: Closure<dyn FnMut(Event)>,
}

#[derive(Default)]
struct Closed {
    yet: Cell<bool>,
    wake: Notify,
}

impl Watch {
    /// Nothing where the browser does not open the database: then a failed write tells.
    pub(super) async fn begin(name: &str) -> Option<Self> {
        let request = web_sys::window()?.indexed_db().ok()??.open(name).ok()?;
        let database = opened(&request).await?;
        let closed = Rc::<Closed>::default();
        let on_close = Closure::<dyn FnMut(Event)>::new({
            let closed = closed.clone();
            move |_| {
                closed.yet.set(true);
                closed.wake.notify_one();
            }
        });
        database.set_onclose(Some(on_close.as_ref().unchecked_ref()));
        Some(Self { database, closed, _on_close: on_close })
    }

    /// Ends when the browser has closed the database.
    pub(super) async fn closed(&self) {
        while !self.closed.yet.get() {
            self.closed.wake.notified().await;
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.database.set_onclose(None);
        self.database.close();
    }
}

async fn opened(request: &IdbOpenDbRequest) -> Option<IdbDatabase> {
    let (reply, answer) = oneshot::channel();
    let reply = Rc::new(Cell::new(Some(reply)));
    let answers = |is_open: bool| {
        let reply = reply.clone();
        Closure::<dyn FnMut(Event)>::new(move |event: Event| {
            event.prevent_default();
            if let Some(reply) = reply.take() {
                // An error means that nobody waits any more.
                let _ = reply.send(is_open);
            }
        })
    };
    let (on_success, on_error) = (answers(true), answers(false));
    // It was cleared just now: made here, it would have no stores.
    let on_upgrade = {
        let request = request.clone();
        Closure::<dyn FnMut(Event)>::new(move |_| {
            if let Some(transaction) = request.transaction() {
                // It fails for a transaction that has ended, and this one has not.
                let _ = transaction.abort();
            }
        })
    };
    request.set_onupgradeneeded(Some(on_upgrade.as_ref().unchecked_ref()));
    request.set_onsuccess(Some(on_success.as_ref().unchecked_ref()));
    request.set_onerror(Some(on_error.as_ref().unchecked_ref()));
    let is_open = answer.await.unwrap_or(false);
    request.set_onupgradeneeded(None);
    request.set_onsuccess(None);
    request.set_onerror(None);
    is_open.then(|| request.result().ok()?.dyn_into().ok()).flatten()
}
