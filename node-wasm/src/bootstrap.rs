//! Whom the page connects to: the hub it was opened from, or those that its address names.

use std::{pin::pin, time::Duration};

use futures::future::{Either, select};
use n0_future::time::{Instant, timeout};
use tincan_shared::{Error, Event, Multiaddr};
use tincan_webrtc::browser::Connector;
use wasm_bindgen_futures::spawn_local;

use crate::{
    PageEvents, PageNode,
    host::{Origin, Teller},
    hubs, origin, transport,
};

/// How long a hub stays lost before its origin is asked whether it became another one.
const LOST_FOR: Duration = Duration::from_secs(4);
/// How long a starting page waits for its origin before it shows itself without.
const FIRST_ANSWER_WAIT: Duration = Duration::from_secs(4);
/// Longest pause between two questions to the origin.
const MAX_PAUSE: Duration = Duration::from_secs(60);
/// Hub identities of one origin that a page follows; each is one more that is dialled for ever.
const MAX_FOLLOWED: usize = 8;

/// Connects to the named hubs, or to the page's own. What did not work is told, and tried again.
///
/// # Errors
/// [`Error::Stopped`].
pub(crate) async fn begin(
    node: &PageNode,
    named: &[String],
    connector: &Connector,
    teller: &Teller,
) -> Result<Option<String>, Error> {
    if named.is_empty() {
        let (node, connector) = (node.clone(), connector.clone());
        let follower = Follower { node, connector, teller: teller.clone(), followed: Vec::new() };
        let events = follower.node.events();
        teller.origin(Origin::Asking);
        spawn_local(async move {
            // It ends with the node.
            let _ = follower.follow(events).await;
        });
        // An error means that it is slow: the page goes on without.
        let _ = timeout(FIRST_ANSWER_WAIT, teller.news().answered()).await;
        return Ok(None);
    }
    let (good, bad): (Vec<_>, Vec<_>) =
        named.iter().map(|text| transport::parse(text, node.surroundings())).partition(Result::is_ok);
    let good: Vec<Multiaddr> = good.into_iter().flatten().collect();
    connector.set_ice_servers(hubs::stun_servers(&good));
    for hub in hubs::by_hub(good) {
        node.stay_connected(hub).await?;
    }
    Ok(bad.into_iter().find_map(Result::err).map(|error| format!("?hub= is not used: {error}")))
}

/// Follows the hub behind the page's own origin, whose key may change when its data is lost.
struct Follower {
    node: PageNode,
    connector: Connector,
    teller: Teller,
    followed: Vec<Vec<Multiaddr>>,
}

impl Follower {
    /// Asks who the hub is, and connects.
    async fn ask(&mut self) -> Result<(), Error> {
        let hub = match origin::hub().await {
            Ok(hub) => hub,
            Err(reason) => {
                tracing::info!("the hub of this page does not answer ({reason})");
                self.teller.origin(Origin::Silent(reason));
                return Ok(());
            }
        };
        let addresses = hubs::seen_from(self.node.surroundings(), &hub);
        if addresses.is_empty() {
            self.teller.origin(Origin::Undiallable);
            return Ok(());
        }
        self.teller.origin(Origin::Answers { hub: hub.peer, ports: hubs::ports(&addresses), page: hub.page });
        self.connector.set_ice_servers(hubs::stun_servers(&addresses));
        if self.followed.contains(&addresses) {
            return self.node.dial_lost().await;
        }
        if self.followed.len() >= MAX_FOLLOWED {
            self.followed.remove(0);
        }
        self.followed.push(addresses.clone());
        self.node.stay_connected(addresses).await
    }

    /// Asks, and asks again whenever no hub is connected for a while: ever more rarely until one is, and at
    /// once when a person wants it.
    async fn follow(mut self, mut events: PageEvents) -> Result<(), Error> {
        self.ask().await?;
        let mut pause = LOST_FOR;
        let mut connected = self.connected().await?;
        loop {
            if connected {
                while connected {
                    connected = self.next(&mut events).await?;
                }
                pause = LOST_FOR;
                self.teller.origin(Origin::Asking);
            }
            let until = Instant::now() + spread(pause);
            while !connected {
                let left = until.saturating_duration_since(Instant::now());
                let wanted = self.node.wants_retry();
                match select(pin!(wanted), pin!(timeout(left, self.next(&mut events)))).await {
                    Either::Right((Ok(now), _)) => connected = now?,
                    Either::Left(_) | Either::Right((Err(_), _)) => break,
                }
            }
            if !connected {
                self.ask().await?;
                pause = (pause * 2).min(MAX_PAUSE);
                connected = self.connected().await?;
            }
        }
    }

    /// Whether a hub is connected, as of the next event that tells.
    async fn next(&self, events: &mut PageEvents) -> Result<bool, Error> {
        loop {
            match events.next().await {
                Event::Status(status) => return Ok(status.hub),
                Event::Lagged { .. } => return self.connected().await,
                Event::Stopped => return Err(Error::Stopped),
                _ => {}
            }
        }
    }

    async fn connected(&self) -> Result<bool, Error> {
        Ok(self.node.status().await?.hub)
    }
}

/// Half to one and a half of it: the pages of a hub that restarts do not all ask at once.
fn spread(pause: Duration) -> Duration {
    pause.mul_f64(0.5 + js_sys::Math::random())
}
