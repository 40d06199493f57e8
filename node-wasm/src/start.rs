//! From an opened page to a running node.

use tincan_shared::{Config, Direct, Error, NoStorage, Node, Platform, Saved, Storage};
use tincan_webrtc::{Limits, browser::Connector};

use crate::{
    PageEvents, PageNode, bootstrap,
    election::{self, Seat},
    host::{HostNews, Teller},
    identity::Identity,
    lifecycle,
    storage::{DATABASE, Database, Refused, SlotCopy, Unwritten},
    transport::{self, Surroundings},
    vault::{self, Vault},
    wake,
};

/// What takes time while starting, for the page to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// "Making your key…"
    Key,
    /// "Looking for the hub…"
    Hub,
}

/// How to start.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Multiaddr texts of `?hub=`. Defaults to none: the page's own origin is asked.
    pub hubs: Vec<String>,
    /// Whether people of rooms may connect to this page directly, once that was agreed to. Defaults to false.
    pub direct: bool,
}

/// A running node and what to tell about its start.
#[derive(Debug)]
pub struct Started {
    /// The node.
    pub node: PageNode,
    /// Everything it said since it began.
    pub events: PageEvents,
    /// 0 for a profile's first tab, 1 for the second, …
    pub guest: u32,
    /// Which of the profile's stored identities it has: of tabs that are open at once, each has another.
    pub slot: u32,
    /// Whether key, nick and lines outlive this page.
    pub persistent: bool,
    /// What did not go well, in one line.
    pub problem: Option<String>,
    /// This tab's identity, to be taken along or exchanged.
    pub vault: Vault,
    /// What the node does not tell.
    pub host: HostNews,
}

/// Starts the node of this page.
///
/// # Errors
/// Only what makes a node impossible; a hub out of reach or missing storage is told in [`Started`].
pub async fn start(options: Options, stage: impl Fn(Stage)) -> Result<Started, Error> {
    stage(Stage::Key);
    // A page that the browser loads ahead may never be shown, and its tab holds the key that it would take.
    lifecycle::shown().await;
    let teller = Teller::default();
    let tab = Tab::open(&teller).await;
    let vault = Vault::new(tab.identity.keypair.clone(), tab.database.clone());
    let transport = transport::build(&tab.identity.keypair)?;
    let connector = Connector::new(Limits::default());
    let (behaviour, wake) = wake::Behaviour::new();
    let platform = Platform {
        keypair: tab.identity.keypair,
        transport,
        direct: options.direct.then(|| Direct::new(connector.clone())),
        behaviour,
        saved: tab.saved,
        storage: tab.storage,
        now_ms,
    };
    let (node, events) = Node::spawn(Config::page(), platform)?;
    let unwritten = tab.unwritten;
    let node = PageNode::new(node, Surroundings::here(), unwritten.clone(), wake);
    let slot = tab.seat.as_ref().map_or(0, |seat| seat.slot);
    let guest = if slot > 0 && election::has_company(slot).await { slot } else { 0 };
    let stored = tab.database.map(|(database, _)| database).zip(unwritten);
    lifecycle::watch(node.clone(), stored, tab.seat, teller.clone());

    stage(Stage::Hub);
    let mut problems: Vec<String> = Vec::new();
    if tab.identity.replaced {
        problems.push("the stored key could not be read and was replaced".into());
    }
    let persistent = tab.identity.stored.is_ok();
    if let Err(reason) = tab.identity.stored {
        tracing::info!("nothing outlives this page: {reason}");
    }
    problems.extend(bootstrap::begin(&node, &options.hubs, &connector, &teller).await?);
    let problem = (!problems.is_empty()).then(|| problems.join("; "));
    Ok(Started { node, events: events.into(), guest, slot, persistent, problem, vault, host: teller.news() })
}

/// What this tab holds of the profile: a slot, its key and its entries.
struct Tab {
    seat: Option<Seat>,
    /// Where the identity is stored, and in which slot, when it is.
    database: Option<(Database, u32)>,
    identity: Identity,
    saved: Saved,
    storage: Box<dyn Storage>,
    /// What the storage has not written yet.
    unwritten: Option<Unwritten>,
}

impl Tab {
    async fn open(teller: &Teller) -> Self {
        match Self::stored(teller).await {
            Ok(tab) => tab,
            Err(reason) => Self::fleeting(None, Identity::fleeting(reason)),
        }
    }

    /// Without a stored key there is nothing that two tabs could run at once: no slot is needed then.
    async fn stored(teller: &Teller) -> Result<Self, Refused> {
        let database = Database::open(DATABASE).await?;
        let seat = election::elect().await?;
        let slot = seat.slot;
        if let Err(reason) = vault::install(&database, slot).await {
            tracing::warn!("the imported identity is not used: {reason}");
        }
        let identity = Identity::load_or_make(&database, slot).await;
        if identity.stored.is_err() {
            return Ok(Self::fleeting(Some(seat), identity));
        }
        let journal = database.journal(slot, &identity.keypair.public().to_peer_id());
        match database.load(slot).await {
            Ok(mut saved) => {
                journal.complete(&mut saved);
                let storage = Box::new(match identity.keypair.to_protobuf_encoding() {
                    Ok(key) => {
                        let copy = SlotCopy::new(key, saved.clone());
                        database.restoring_writer(slot, journal, teller.clone(), copy)
                    }
                    // It was read or written as such a moment ago.
                    Err(_) => database.writer(slot, journal, teller.clone()),
                });
                let (unwritten, database) = (Some(storage.unwritten()), Some((database, slot)));
                Ok(Self { seat: Some(seat), database, identity, saved, storage, unwritten })
            }
            Err(reason) => Ok(Self::fleeting(Some(seat), Identity { stored: Err(reason), ..identity })),
        }
    }

    fn fleeting(seat: Option<Seat>, identity: Identity) -> Self {
        let (saved, storage) = (Saved::new(), Box::new(NoStorage));
        Self { seat, database: None, identity, saved, storage, unwritten: None }
    }
}

/// Unix time in milliseconds, by the browser's clock.
fn now_ms() -> u64 {
    js_sys::Date::now() as u64
}
