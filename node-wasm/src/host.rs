//! What the page learns that is not the node's to tell: what its origin says, and whether the browser stores.

use std::sync::Arc;

use tincan_shared::PeerId;
use tokio::sync::watch;

/// The hub behind the page's own address, as last found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The page's address names other hubs.
    Unasked,
    /// No answer yet, or none since a hub was last connected.
    Asking,
    /// It did not answer, or not as a hub does: why, in words.
    Silent(String),
    /// It answers, and announces no address that a page can dial.
    Undiallable,
    /// It answers, and says that it listens for peers.
    Answers {
        /// Who it is.
        hub: PeerId,
        /// Ports that this page dials, best first.
        ports: Vec<u16>,
        /// Where others can open this page, when it was opened on the hub's own machine and there is such a place.
        page: Option<String>,
    },
}

/// How the page's surroundings stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host {
    /// The hub behind the page's own address.
    pub origin: Origin,
    /// Whether what happens is still written to the browser's storage.
    pub stores: bool,
    /// Another tab has changed what Tincan keeps in this browser, as a newer Tincan does: this page has stopped, and goes
    /// on when it is loaded anew.
    pub outdated: bool,
    /// Whether the browser cleared what this page had stored, and it was stored again.
    pub cleared: bool,
}

/// Tells the page; clones tell the same one.
#[derive(Debug, Clone)]
pub struct Teller(Arc<watch::Sender<Host>>);

/// What the page hears.
#[derive(Debug, Clone)]
pub struct HostNews(watch::Receiver<Host>);

impl Default for Teller {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(Host {
            origin: Origin::Unasked,
            stores: true,
            cleared: false,
            outdated: false,
        })))
    }
}

impl Teller {
    pub(crate) fn origin(&self, origin: Origin) {
        self.change(|host| &mut host.origin, origin);
    }

    pub(crate) fn stores(&self, stores: bool) {
        self.change(|host| &mut host.stores, stores);
    }

    pub(crate) fn outdated(&self) {
        self.change(|host| &mut host.outdated, true);
    }

    pub(crate) fn cleared(&self) {
        self.change(|host| &mut host.cleared, true);
    }

    /// How it stands, and from now on.
    #[must_use]
    pub fn news(&self) -> HostNews {
        HostNews(self.0.subscribe())
    }

    fn change<T: PartialEq>(&self, part: impl FnOnce(&mut Host) -> &mut T, value: T) {
        self.0.send_if_modified(|host| {
            let part = part(host);
            let news = *part != value;
            *part = value;
            news
        });
    }
}

impl HostNews {
    /// How it stands.
    #[must_use]
    pub fn now(&self) -> Host {
        self.0.borrow().clone()
    }

    /// The next change; nothing when there will be none.
    pub async fn next(&mut self) -> Option<Host> {
        self.0.changed().await.ok()?;
        Some(self.0.borrow_and_update().clone())
    }

    /// Waits until the origin has answered, or cannot.
    pub(crate) async fn answered(&mut self) {
        // An error means that nobody asks any more.
        let _ = self.0.wait_for(|host| host.origin != Origin::Asking).await;
    }
}
