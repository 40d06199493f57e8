//! `tincan serve`

use std::{
    collections::BTreeSet,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use libp2p::{Multiaddr, multiaddr::Protocol};
use tincan_shared::{Config, Event, Node};
use tokio::time::{Instant, timeout_at};

use crate::{
    Error,
    addresses::{self, Point},
    args::Args,
    http, interfaces, output,
    session::Session,
    settings::Settings,
    signals::{Reload, Stop},
};

/// Until every listener must be up.
const LISTEN_TIMEOUT: Duration = Duration::from_secs(10);
/// A wildcard becomes several addresses, one event each: after so long without another they are all there.
const QUIET: Duration = Duration::from_millis(100);

pub(super) async fn run(args: &Args, settings: Settings, mut stop: Stop) -> Result<(), Error> {
    let reload = Reload::new()?;
    let page = settings.page.as_deref().map_or_else(|| Ok(http::Page::built_in()), http::Page::folder)?;
    let listener = http::bind(&settings.http).await?;
    let local = listener.local_addr().map_err(|error| addresses::refused(settings.http.clone(), &error, "--http"))?;
    let mut session = Session::start(&settings, Config::hub())?;
    raise_file_limit();
    output::line(&format!("peer id: {}", session.node.peer_id()))?;
    let site = http::Site::new(session.node.clone(), local, page, settings.trusted_proxy.clone());
    let session_node = session.node.clone();
    let done = tokio::select! {
        () = stop.asked() => Ok(()),
        done = http::serve(listener, site.clone()) => done,
        done = hub(&mut session, &site, local) => done,
        done = rules(args, settings, session_node, reload) => done,
    };
    tracing::info!("ending");
    session.end().await;
    done
}

/// Reads the settings anew whenever SIGHUP asks for it. What is wrong with them is logged, and the old ones stay.
async fn rules(args: &Args, mut settings: Settings, node: Node, mut reload: Reload) -> Result<(), Error> {
    loop {
        reload.asked().await;
        let read = match Settings::merge(args) {
            Ok(read) => read,
            Err(error) => {
                tracing::error!("the settings stay as they were: {error}");
                continue;
            }
        };
        match node.reload(read.rules()).await {
            Ok(limits) => {
                let waiting: Vec<&str> = read.fixed_changes(&settings).into_iter().chain(limits).collect();
                tracing::info!("the settings were read anew");
                if !waiting.is_empty() {
                    tracing::warn!("these take effect with the next start only: {}", waiting.join(", "));
                }
                settings.deny = read.deny;
            }
            Err(error @ tincan_shared::Error::Stopped) => return Err(error.into()),
            Err(error) => tracing::error!("the settings stay as they were: {error}"),
        }
    }
}

async fn hub(session: &mut Session, site: &http::Site, http: SocketAddr) -> Result<(), Error> {
    let mut hosts = listening(session).await?;
    site.set_listening();
    for page in pages(http, &hosts) {
        output::line(&format!("page: {page}"))?;
    }
    loop {
        match session.events.next().await {
            Event::Listening { address } => {
                // By now nobody may be reading any more; the hub goes on.
                if let Err(error) = announce(session, &address, &mut hosts) {
                    tracing::debug!(%error, "an address was not printed");
                }
            }
            Event::Stopped => return Err(tincan_shared::Error::Stopped.into()),
            event => log(&event),
        }
    }
}

/// Prints addresses until every listener has one and no more come; the IP addresses in them.
async fn listening(session: &mut Session) -> Result<BTreeSet<IpAddr>, Error> {
    let mut missing: Vec<(Multiaddr, Point)> =
        session.listen.iter().filter_map(|address| Some((address.clone(), Point::of(address)?))).collect();
    let mut hosts = BTreeSet::new();
    let mut until = Instant::now() + LISTEN_TIMEOUT;
    loop {
        match timeout_at(until, session.events.next()).await {
            Ok(Event::Listening { address }) => {
                announce(session, &address, &mut hosts)?;
                let heard = Point::of(&address);
                missing.retain(|(_, point)| !heard.is_some_and(|heard| point.covers(&heard)));
                if missing.is_empty() {
                    until = Instant::now() + QUIET;
                }
            }
            Ok(Event::Stopped) => return Err(tincan_shared::Error::Stopped.into()),
            Ok(event) => log(&event),
            Err(_) => break,
        }
    }
    match missing.first() {
        None => Ok(hosts),
        Some(_) if interfaces::known().is_some_and(|own| own.is_empty()) => Err(Error::NoNetwork),
        Some((address, _)) => Err(Error::Listen {
            address: address.to_string(),
            reason: "it is not up within 10 s".into(),
            flag: "--listen",
        }),
    }
}

fn announce(session: &Session, address: &Multiaddr, hosts: &mut BTreeSet<IpAddr>) -> Result<(), Error> {
    if !addresses::is_dialable(address) {
        return Ok(());
    }
    match address.iter().next() {
        Some(Protocol::Ip4(ip)) => drop(hosts.insert(ip.into())),
        Some(Protocol::Ip6(ip)) => drop(hosts.insert(ip.into())),
        _ => {}
    }
    output::line(&format!("listening: {address}/p2p/{}", session.node.peer_id()))
}

/// Where the page can be opened: a wildcard stands for this machine and for its addresses on the network. That of IPv6
/// takes IPv4 too.
fn pages(http: SocketAddr, hosts: &BTreeSet<IpAddr>) -> Vec<String> {
    let page = |ip: IpAddr| format!("http://{}/", SocketAddr::new(ip, http.port()));
    if !http.ip().is_unspecified() {
        return vec![page(http.ip())];
    }
    let ipv4 = http.is_ipv4() || hosts.is_empty() || hosts.iter().any(IpAddr::is_ipv4);
    let own: IpAddr = if ipv4 { Ipv4Addr::LOCALHOST.into() } else { Ipv6Addr::LOCALHOST.into() };
    let others = hosts.iter().filter(|ip| !ip.is_loopback() && (ip.is_ipv4() || http.is_ipv6()));
    std::iter::once(&own).chain(others).map(|ip| page(*ip)).collect()
}

/// Each connection is a file; the usual soft limit of 1,024 is below what a hub takes.
fn raise_file_limit() {
    match rlimit::increase_nofile_limit(u64::MAX) {
        Ok(limit) => tracing::info!(limit, "open files"),
        Err(error) => tracing::warn!(%error, "cannot raise the limit of open files; many peers at once may fail"),
    }
}

fn log(event: &Event) {
    match event {
        Event::PeerUp(peer) => tracing::info!(peer = %peer.peer, transport = peer.transport, "connected"),
        Event::PeerDown { peer } => tracing::info!(%peer, "disconnected"),
        Event::Discovered { peer, address } => tracing::info!(%peer, %address, "discovered"),
        Event::Expired { peer, address } => tracing::info!(%peer, %address, "expired"),
        Event::Refused { peer, reason, .. } => tracing::warn!(%peer, reason, "refused"),
        Event::Unreachable { address, reason } => tracing::warn!("cannot reach {address}: {reason}"),
        Event::Slow { peer } => tracing::info!(%peer, "slow: lines may have been lost, asked for a sync"),
        Event::ClockWrong { offset_ms } => tracing::warn!(offset_ms, "this machine's clock differs from another hub's"),
        Event::ClockRight => tracing::info!("this machine's clock is right again"),
        Event::Lagged { missed } => tracing::warn!(missed, "events missed"),
        event => tracing::debug!(?event),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wildcard_is_never_shown() {
        let hosts = ["127.0.0.1", "192.0.2.7", "::1", "2001:db8::7"].map(|ip| ip.parse().unwrap());
        let shown = |text: &str, hosts: &[IpAddr]| pages(text.parse().unwrap(), &hosts.iter().copied().collect());
        assert_eq!(shown("0.0.0.0:80", &hosts), ["http://127.0.0.1:80/", "http://192.0.2.7:80/"]);
        let all = ["http://127.0.0.1:80/", "http://192.0.2.7:80/", "http://[2001:db8::7]:80/"];
        assert_eq!(shown("[::]:80", &hosts), all);
        assert_eq!(shown("[::]:80", &hosts[2..]), ["http://[::1]:80/", "http://[2001:db8::7]:80/"]);
        assert_eq!(shown("192.0.2.9:80", &hosts), ["http://192.0.2.9:80/"]);
        assert_eq!(shown("[2001:db8::9]:80", &hosts), ["http://[2001:db8::9]:80/"]);
    }
}
