//! Whom the page connects to: the hub it was opened from, or those that its address names.

use std::time::Duration;

use n0_future::time::{Instant, timeout};
use tincan_shared::{Error, Event, Multiaddr};
use wasm_bindgen_futures::spawn_local;

use crate::{PageEvents, PageNode, hubs, origin, transport};

/// How long a hub stays lost before its origin is asked whether it became another one.
const LOST_FOR: Duration = Duration::from_secs(4);
/// Longest pause between two questions to the origin.
const MAX_PAUSE: Duration = Duration::from_secs(60);
/// Hub identities of one origin that a page follows; each is one more that is dialled for ever.
const MAX_FOLLOWED: usize = 8;

/// Connects to the named hubs, or to the page's own. What did not work is told, and tried again.
///
/// # Errors
/// [`Error::Stopped`].
pub(crate) async fn begin(node: &PageNode, named: &[String]) -> Result<Option<String>, Error> {
    if named.is_empty() {
        let mut origin = Origin { node: node.clone(), followed: Vec::new() };
        let problem = origin.ask().await?;
        let events = node.events();
        spawn_local(async move { origin.follow(events).await });
        return Ok(problem);
    }
    let (good, bad): (Vec<_>, Vec<_>) =
        named.iter().map(|text| transport::parse(text, node.surroundings())).partition(Result::is_ok);
    for hub in hubs::by_hub(good.into_iter().flatten()) {
        node.stay_connected(hub).await?;
    }
    Ok(bad.into_iter().find_map(Result::err).map(|error| format!("?hub= is not used: {error}")))
}

/// The hub behind the page's own origin, whose key may change when its data is lost.
struct Origin {
    node: PageNode,
    followed: Vec<Vec<Multiaddr>>,
}

impl Origin {
    /// Asks who the hub is, and connects. An answer in words is a problem.
    async fn ask(&mut self) -> Result<Option<String>, Error> {
        let hub = match origin::hub().await {
            Ok(hub) => hub,
            Err(reason) => return Ok(Some(format!("the hub of this page does not answer ({reason}); trying again"))),
        };
        let addresses = hubs::seen_from(self.node.surroundings(), &hub);
        if addresses.is_empty() {
            let problem = "the hub announces no address that a page can dial; let it listen on /ws, or announce wss";
            return Ok(Some(problem.into()));
        }
        if self.followed.contains(&addresses) {
            self.node.retry().await?;
        } else {
            if self.followed.len() >= MAX_FOLLOWED {
                self.followed.remove(0);
            }
            self.followed.push(addresses.clone());
            self.node.stay_connected(addresses).await?;
        }
        Ok(None)
    }

    /// Asks again whenever no hub is connected for a while, ever more rarely until one is.
    async fn follow(mut self, mut events: PageEvents) {
        let mut pause = LOST_FOR;
        let mut connected = self.connected().await;
        loop {
            while connected == Some(true) {
                connected = self.next(&mut events).await;
                pause = LOST_FOR;
            }
            let until = Instant::now() + spread(pause);
            while connected == Some(false) {
                let left = until.saturating_duration_since(Instant::now());
                match timeout(left, self.next(&mut events)).await {
                    Ok(now) => connected = now,
                    Err(_) => break,
                }
            }
            match connected {
                Some(true) => continue,
                Some(false) => {}
                None => return,
            }
            match self.ask().await {
                Ok(Some(problem)) => tracing::info!("{problem}"),
                Ok(None) => {}
                Err(_) => return,
            }
            pause = (pause * 2).min(MAX_PAUSE);
        }
    }

    /// Whether a hub is connected, as of the next event that tells; nothing when the node has ended.
    async fn next(&self, events: &mut PageEvents) -> Option<bool> {
        loop {
            match events.next().await {
                Event::Status(status) => return Some(status.hub),
                Event::Lagged { .. } => return self.connected().await,
                Event::Stopped => return None,
                _ => {}
            }
        }
    }

    async fn connected(&self) -> Option<bool> {
        Some(self.node.status().await.ok()?.hub)
    }
}

/// Half to one and a half of it: the pages of a hub that restarts do not all ask at once.
fn spread(pause: Duration) -> Duration {
    pause.mul_f64(0.5 + js_sys::Math::random())
}
