//! One dial: look-ups and attempts run at the same time.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex},
    time::Duration,
};

use futures::{FutureExt, StreamExt, future::BoxFuture, stream::FuturesUnordered};
use libp2p::{
    Multiaddr,
    core::transport::{DialOpts, Transport, TransportError},
    multiaddr::Protocol,
};
use tincan_shared::innermost_reason;
use tokio::time::timeout;

use super::{
    CONNECT_TIMEOUT, DialError, Layer, LookupError, Shared,
    address_queue::AddressQueue,
    host_names::Family,
    lock,
    stagger::{Stagger, peer_of},
    txt,
};

/// How long IPv4 addresses wait for those of IPv6 (RFC 8305, *Resolution Delay*).
const RESOLUTION_DELAY: Duration = Duration::from_millis(50);
/// Look-ups of one dial: records of a `/dnsaddr/` may name further ones, even in a circle.
const MAX_LOOKUPS_PER_DIAL: usize = 16;
/// Addresses whose errors are reported when a dial fails.
const MAX_REASONS: usize = 3;

type Lookup = BoxFuture<'static, Result<Vec<Multiaddr>, LookupError>>;

/// Connects to one address, once it may.
pub(super) async fn dial_one<C, E: std::error::Error + 'static>(
    dial: impl Future<Output = Result<C, E>>,
    stagger: Arc<Stagger>,
) -> Result<C, DialError<E>> {
    stagger.wait_turn().await;
    let dialled = connected(dial).await;
    if dialled.is_err() {
        stagger.failed();
    }
    dialled
}

async fn connected<C, E: std::error::Error + 'static>(
    dial: impl Future<Output = Result<C, E>>,
) -> Result<C, DialError<E>> {
    match timeout(CONNECT_TIMEOUT, dial).await {
        Ok(dialled) => dialled.map_err(DialError::Transport),
        Err(_) => Err(DialError::NoAnswer),
    }
}

/// Resolves the name in an address, and takes the first connection to one of the resulting addresses.
pub(super) async fn dial<T>(
    inner: Arc<Mutex<T>>,
    shared: Shared,
    layer: Layer,
    address: Multiaddr,
    options: DialOpts,
) -> Result<T::Output, DialError<T::Error>>
where
    T: Transport + Send,
    T::Dial: Send + 'static,
    T::Output: Send,
    T::Error: Send + Sync + 'static,
{
    // If the peer is known, the layer below delays the attempts for a `/dnsaddr/`.
    let is_delayed = layer == Layer::Hosts || peer_of(&address).is_none();
    let stagger = if is_delayed { Some(shared.staggers.of(&address)) } else { None };
    let mut address_queue = AddressQueue::new(shared.dial_counts.next(&address));
    let mut lookups = FuturesUnordered::from_iter(look_up(&shared, layer, &address));
    let mut looked_up = 1;
    let mut attempts = FuturesUnordered::new();
    let (mut failures, mut unknown) = (Vec::new(), Vec::new());
    loop {
        tokio::select! {
            biased;
            Some((attempted, dialled)) = attempts.next() => match dialled {
                Ok(connection) => return Ok(connection),
                Err(error) => {
                    failures.push((attempted, error));
                    stagger.iter().for_each(|stagger| stagger.failed());
                }
            },
            Some(found) = lookups.next() => match found {
                Ok(found) => {
                    let (names, addresses): (Vec<_>, Vec<_>) =
                        found.into_iter().partition(|address| layer.name(address).is_some());
                    address_queue.add(addresses);
                    for name in names.iter().take(MAX_LOOKUPS_PER_DIAL.saturating_sub(looked_up)) {
                        looked_up += 1;
                        lookups.extend(look_up(&shared, layer, name));
                    }
                }
                Err(error) => unknown.push(error),
            },
            () = wait_turn(stagger.as_deref()), if !address_queue.is_empty() => {
                let Some(address) = address_queue.next() else { continue };
                let dial = lock(&inner).dial(address.clone(), options);
                attempts.push(attempt(layer, address, dial).boxed());
            },
            else => return Err(failure(failures, unknown)),
        }
    }
}

async fn wait_turn(stagger: Option<&Stagger>) {
    if let Some(stagger) = stagger {
        stagger.wait_turn().await;
    }
}

async fn attempt<C, E: std::error::Error + 'static>(
    layer: Layer,
    address: Multiaddr,
    dial: Result<impl Future<Output = Result<C, E>>, TransportError<E>>,
) -> (Multiaddr, Result<C, DialError<E>>) {
    let dialled = match (dial, layer) {
        (Ok(dial), Layer::Hosts) => connected(dial).await,
        (Ok(dial), Layer::Dnsaddr) => dial.await.map_err(DialError::Transport),
        (Err(TransportError::MultiaddrNotSupported(address)), _) => Err(DialError::Unsupported(address)),
        (Err(TransportError::Other(error)), _) => Err(DialError::Transport(error)),
    };
    (address, dialled)
}

/// What is to be asked about the name in an address.
fn look_up(shared: &Shared, layer: Layer, address: &Multiaddr) -> Vec<Lookup> {
    let Some((at, part)) = layer.name(address) else { return Vec::new() };
    let (name, families) = match &part {
        Protocol::Dns(name) => (name, &[Family::V6, Family::V4][..]),
        Protocol::Dns4(name) => (name, &[Family::V4][..]),
        Protocol::Dns6(name) => (name, &[Family::V6][..]),
        Protocol::Dnsaddr(name) => {
            let (name, suffix) = (name.to_string(), address.iter().skip(at + 1).collect());
            return vec![async move { txt::addresses(&name, &suffix).await }.boxed()];
        }
        _ => return Vec::new(),
    };
    let answers: Vec<_> = families.iter().map(|family| shared.host_names.addresses(name, *family)).collect();
    let ahead = (answers.len() > 1).then(|| answers[0].clone());
    let waits = std::iter::once(None).chain(std::iter::once(ahead));
    answers
        .into_iter()
        .zip(waits)
        .map(|(answer, ahead)| {
            let address = address.clone();
            async move {
                let found = answer.await?;
                if let Some(ahead) = ahead {
                    let _ = timeout(RESOLUTION_DELAY, ahead).await;
                }
                Ok(found.into_iter().filter_map(|ip| address.replace(at, |_| Some(Protocol::from(ip)))).collect())
            }
            .boxed()
        })
        .collect()
}

/// The one reason, or each address with its own. What was not found matters only where nothing was.
fn failure<E: std::error::Error + 'static>(
    mut failures: Vec<(Multiaddr, DialError<E>)>,
    unknown: Vec<LookupError>,
) -> DialError<E> {
    if failures.len() > 1 {
        return DialError::Several(Reasons::of(&failures));
    }
    match (failures.pop(), unknown.into_iter().max()) {
        (Some((_, error)), _) => error,
        (None, Some(error)) => error.into(),
        (None, None) => DialError::NoAnswer,
    }
}

/// Why several addresses of one name could not be reached: `10.0.0.1: Connection refused, 10.0.0.9: no answer within 10 s`.
#[derive(Debug)]
pub struct Reasons {
    /// By host, so that the same reasons read the same whichever was tried first.
    by_host: BTreeMap<String, String>,
}

impl Reasons {
    fn of<E: std::error::Error + 'static>(failures: &[(Multiaddr, DialError<E>)]) -> Self {
        let host = |address: &Multiaddr| address.to_string().split('/').nth(2).unwrap_or_default().to_owned();
        Self { by_host: failures.iter().map(|(address, error)| (host(address), innermost_reason(error))).collect() }
    }
}

impl fmt::Display for Reasons {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let said = |(host, reason): (&String, &String)| {
            format!("{host}: {}", reason.split_once("; ").map_or(reason.as_str(), |(what, _)| what))
        };
        let told: Vec<String> = self.by_host.iter().take(MAX_REASONS).map(said).collect();
        f.write_str(&told.join(", "))?;
        match self.by_host.len().saturating_sub(MAX_REASONS) {
            0 => Ok(()),
            more => write!(f, ", and {more} more"),
        }
    }
}
