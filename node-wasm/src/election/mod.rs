//! Which tab runs which key: the n-th tab of a profile holds the n-th slot, alone, while it lives.
//!
//! | means | where | why it is exact |
//! |---|---|---|
//! | [`Means::WebLocks`] | secure contexts | the browser grants an exclusive lock |
//! | [`Means::Database`] | everywhere else | the browser upgrades a database only when nobody else has it open |
//!
//! Both end with the tab, crashed ones included, and neither rests on a tab's answering in time: a
//! holder that sleeps still holds. Holders that are awake do answer a roll call, which only spares
//! the asking tab to wait for slots that are taken.

mod database;
mod roll_call;
mod web_locks;

use std::{fmt, time::Duration};

use futures::future::{Either, select};
use n0_future::time::Instant;
use roll_call::{RollCall, Roster};

/// Tabs of one profile that get a key of their own.
pub const MAX_TABS: u32 = 32;
/// The election of the page's tabs; tests hold others.
const SCOPE: &str = "tincan";
/// How long a reloaded tab waits for its former self to let go.
const RELOAD_PATIENCE: Duration = Duration::from_secs(2);
/// How long the browser may take to say whether one slot is held.
const ANSWER_WAIT: Duration = Duration::from_secs(1);
/// How long a whole election may take.
const ELECTION_WAIT: Duration = Duration::from_secs(10);
/// Where a tab remembers its slot over a reload.
const REMEMBERED: &str = "tincan-slot";

/// What excludes the other tabs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Means {
    /// `navigator.locks`; undefined in insecure contexts.
    WebLocks,
    /// An upgraded IndexedDB database, kept open.
    Database,
}

/// A held slot, given back when dropped.
#[derive(Debug)]
pub struct Seat {
    /// 0 for the first tab.
    pub slot: u32,
    /// How it is held.
    pub means: Means,
    _roster: Option<Roster>,
    _hold: Hold,
}

/// What became of one try for one slot.
#[derive(Debug)]
enum Claim {
    Held(Hold),
    Taken,
    /// These means do not work here.
    Unusable(String),
}

/// Something held until dropped.
struct Hold(Option<Box<dyn FnOnce()>>);

impl Hold {
    fn new(release: impl FnOnce() + 'static) -> Self {
        Self(Some(Box::new(release)))
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        if let Some(release) = self.0.take() {
            release();
        }
    }
}

impl fmt::Debug for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hold")
    }
}

/// Takes this tab's slot: the one it had before a reload, else the first free one.
///
/// # Errors
/// Why no slot could be had.
pub async fn elect() -> Result<Seat, String> {
    let preferred = remembered();
    let seat = match elect_by(Means::WebLocks, SCOPE, preferred).await {
        Ok(seat) => seat,
        // All tabs of an origin meet the same refusal, so all fall back together.
        Err(Refusal::Unusable(_)) => elect_by(Means::Database, SCOPE, preferred).await.map_err(|r| r.to_string())?,
        Err(refusal) => return Err(refusal.to_string()),
    };
    remember(seat.slot);
    Ok(seat)
}

/// Whether other tabs are there, as far as they are awake: a tab keeps its slot over reloads, so a slot above
/// the first does not tell.
pub async fn has_company(slot: u32) -> bool {
    RollCall::begin(SCOPE).all_held().await.iter().any(|other| *other != slot)
}

/// Why there was no slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The means do not work here.
    Unusable(String),
    /// [`MAX_TABS`] are held.
    Full,
    /// The browser took too long.
    TimedOut,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unusable(reason) => f.write_str(reason),
            Self::Full => write!(f, "{MAX_TABS} tabs have keys already"),
            Self::TimedOut => f.write_str("the browser does not say which keys other tabs use"),
        }
    }
}

/// Takes a slot by the given means. Scopes are separate elections.
///
/// # Errors
/// Why there was none.
pub async fn elect_by(means: Means, scope: &str, preferred: Option<u32>) -> Result<Seat, Refusal> {
    let begun = Instant::now();
    let roll_call = RollCall::begin(scope);
    let preferred = preferred.filter(|slot| *slot < MAX_TABS);
    if let Some(slot) = preferred {
        let claim = Box::pin(claim(means, scope, slot, Some(RELOAD_PATIENCE)));
        if let Either::Left((claim, _)) = select(claim, Box::pin(roll_call.held(slot))).await
            && let Some(seat) = seat(means, scope, slot, claim)?
        {
            return Ok(seat);
        }
    }
    let held = if means == Means::Database { roll_call.all_held().await } else { Vec::new() };
    for slot in (0..MAX_TABS).filter(|slot| Some(*slot) != preferred && !held.contains(slot)) {
        if begun.elapsed() > ELECTION_WAIT {
            return Err(Refusal::TimedOut);
        }
        let claim = claim(means, scope, slot, None).await;
        if let Some(seat) = seat(means, scope, slot, claim)? {
            return Ok(seat);
        }
    }
    Err(Refusal::Full)
}

async fn claim(means: Means, scope: &str, slot: u32, patience: Option<Duration>) -> Claim {
    let name = format!("{scope}-tab-{slot}");
    match means {
        Means::WebLocks => web_locks::claim(&name, patience).await,
        Means::Database => database::claim(&name, patience).await,
    }
}

fn seat(means: Means, scope: &str, slot: u32, claim: Claim) -> Result<Option<Seat>, Refusal> {
    match claim {
        Claim::Held(hold) => Ok(Some(Seat { slot, means, _roster: Roster::answer(scope, slot), _hold: hold })),
        Claim::Taken => Ok(None),
        Claim::Unusable(reason) => Err(Refusal::Unusable(reason)),
    }
}

/// A duplicated tab remembers the slot of its original: this is a wish, never a right.
fn remembered() -> Option<u32> {
    session()?.get_item(REMEMBERED).ok()??.parse().ok()
}

fn remember(slot: u32) {
    if let Some(session) = session() {
        // Without it the tab takes the first free slot after a reload.
        let _ = session.set_item(REMEMBERED, &slot.to_string());
    }
}

fn session() -> Option<web_sys::Storage> {
    web_sys::window()?.session_storage().ok()?
}
