//! `tincan ping`

use std::time::Duration;

use libp2p::{Multiaddr, PeerId};
use tincan_shared::{Config, Event, Events, Node, neutralise};
use tokio::time::timeout;

use crate::{Error, args::Ping, output, session::Session, settings::Settings, signals::Stop};

/// Between two pings.
const INTERVAL: Duration = Duration::from_secs(1);
/// A dial ends by itself before, after the node's `DIAL_TIMEOUT` at the latest, and says why.
const PING_DIAL_TIMEOUT: Duration = Duration::from_secs(21);
/// Without a reply for so long, the peer counts as gone.
const REPLY_TIMEOUT: Duration = Duration::from_secs(10);

pub(super) async fn run(mut settings: Settings, ping: Ping, mut stop: Stop) -> Result<(), Error> {
    // One peer is asked for; the rest of the network need not hear of it.
    settings.mdns = false;
    settings.bootstrap.clear();
    let config = Config { ping_interval: INTERVAL, rejoin: false, ..Config::peer() };
    let mut session = Session::start(&settings, config)?;
    let done = tokio::select! {
        () = stop.asked() => Ok(()),
        done = pongs(&session.node, &mut session.events, &ping.address, settings.count) => done,
    };
    session.end().await;
    done
}

async fn pongs(node: &Node, events: &mut Events, address: &Multiaddr, count: Option<u64>) -> Result<(), Error> {
    let lost = |reason: &str| Error::Ping { reason: reason.to_owned(), address: address.to_string() };
    let peer = dial(node, address).await?;
    let mut left = count;
    while left != Some(0) {
        let heard = timeout(REPLY_TIMEOUT, next(events, peer)).await;
        let rtt_us = match heard.map_err(|_| lost("no reply within 10 s"))? {
            Heard::Pong(rtt_us) => rtt_us,
            Heard::Refusal(reason) => return Err(Error::TurnedAway { reason, address: address.to_string() }),
            Heard::End(reason) => return Err(lost(reason)),
        };
        output::line(&pong(&peer, rtt_us))?;
        left = left.map(|left| left - 1);
    }
    Ok(())
}

async fn dial(node: &Node, address: &Multiaddr) -> Result<PeerId, Error> {
    match timeout(PING_DIAL_TIMEOUT, node.dial(address.clone())).await {
        Ok(answer) => Ok(answer?),
        Err(_) => Err(Error::Ping {
            reason: format!("no connection within {} s", PING_DIAL_TIMEOUT.as_secs()),
            address: address.to_string(),
        }),
    }
}

/// What came of waiting for a reply.
enum Heard {
    /// Its time in microseconds.
    Pong(u64),
    /// The peer refuses us, in its words.
    Refusal(String),
    /// The peer is gone.
    End(&'static str),
}

async fn next(events: &mut Events, pinged: PeerId) -> Heard {
    loop {
        match events.next().await {
            Event::Pong { peer, rtt_us } if peer == pinged => return Heard::Pong(rtt_us),
            Event::Refused { peer, reason, .. } if peer == pinged => return Heard::Refusal(neutralise(&reason, false)),
            Event::PeerDown { peer } if peer == pinged => return Heard::End("the connection was lost"),
            Event::Stopped => return Heard::End("the node stopped"),
            _ => {}
        }
    }
}

fn pong(peer: &PeerId, rtt_us: u64) -> String {
    format!("pong from {peer}: time={}.{:02} ms", rtt_us / 1000, rtt_us % 1000 / 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_two_decimals() {
        let peer = PeerId::random();
        assert_eq!(pong(&peer, 12_345), format!("pong from {peer}: time=12.34 ms"));
        assert_eq!(pong(&peer, 70), format!("pong from {peer}: time=0.07 ms"));
    }
}
