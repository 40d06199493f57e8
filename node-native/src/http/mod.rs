//! What a hub shows a browser: the page, the API, and its health. Read-only.

mod connection_slots;
mod guard;
mod headers;
mod listener;
mod page;
mod pages;
mod proxies;
mod requester;

use std::{
    fmt::Write,
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{
    Json, Router,
    extract::{ConnectInfo, FromRef, State},
    http::{HeaderMap, StatusCode, header},
    middleware,
    response::{IntoResponse, Response},
    routing::get,
};
use serde::Serialize;
use tincan_shared::{Counters, IpNet, Multiaddr, Node};
use tincan_webrtc::direct::address::Target;
use tokio::{
    net::{TcpListener, TcpSocket, lookup_host},
    time::timeout,
};

pub use self::page::Page;
use self::{guard::HEALTH, listener::Visitor, proxies::Proxies, requester::Requester};
use crate::{Error, addresses};

/// Until a node that does not answer counts as ill.
const NODE_TIMEOUT: Duration = Duration::from_secs(2);

/// Bytes of answers that the system holds for one connection, about twice this: enough for 2 MiB/s over 200 ms, and
/// for all connections together not all of the memory.
const SEND_BUFFER: u32 = 256 * 1024;
/// Bytes of an answer that Linux holds beyond those under way. By itself it asks for more only once a third of the send
/// buffer is free, which over a slow line looks like no progress for minutes; other systems ask sooner.
#[cfg(any(target_os = "linux", target_os = "android"))]
const UNSENT: u32 = 32 * 1024;
/// Connections that the system holds until they are accepted.
const BACKLOG: u32 = 1024;

/// Names of the counters that [`serve`] adds to the node's, and what they count.
pub const COUNTERS: [(&str, &str); 3] = [
    ("http_connections", "HTTP connections."),
    ("http_cut", "HTTP connections that gave up their place to another, idle ones first."),
    ("http_busy", "HTTP requests answered with no more than that the hub is busy."),
];

/// What the handlers know.
#[derive(Debug, Clone)]
pub struct Site {
    node: Node,
    http: SocketAddr,
    listening: Arc<AtomicBool>,
    page: Page,
    proxies: Arc<Proxies>,
    slots: listener::Shared,
}

impl FromRef<Site> for Page {
    fn from_ref(site: &Site) -> Self {
        site.page.clone()
    }
}

impl Site {
    /// Of a node that does not yet listen, served at `http`. `proxies` are believed whom they bring.
    #[must_use]
    pub fn new(node: Node, http: SocketAddr, page: Page, proxies: Vec<IpNet>) -> Self {
        let proxies = Arc::new(Proxies::new(proxies));
        Self { node, http, listening: Arc::default(), page, proxies, slots: listener::Shared::default() }
    }

    /// Every listener is up from now on.
    pub fn set_listening(&self) {
        self.listening.store(true, Ordering::Relaxed);
    }
}

/// Takes the port. `[::]` stands for all addresses of this machine, of IPv6 and IPv4; where there is no IPv6, for those
/// of IPv4.
///
/// # Errors
/// [`Error::InUse`], [`Error::Listen`].
pub async fn bind(address: &str) -> Result<TcpListener, Error> {
    let refused = |error| addresses::refused(address.to_owned(), &error, "--http");
    let mut last = std::io::Error::from(std::io::ErrorKind::NotFound);
    for socket_address in lookup_host(address).await.map_err(refused)? {
        match listen(socket_address).or_else(|error| without_ipv6(socket_address, error)) {
            Ok(listener) => return Ok(listener),
            Err(error) => last = error,
        }
    }
    Err(refused(last))
}

/// A host without IPv6 refuses `[::]` as an address that it does not have.
fn without_ipv6(address: SocketAddr, error: std::io::Error) -> std::io::Result<TcpListener> {
    if address.is_ipv4() || !address.ip().is_unspecified() || addresses::has_ipv6() {
        return Err(error);
    }
    listen(SocketAddr::from((Ipv4Addr::UNSPECIFIED, address.port())))
}

fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    if address.is_ipv6() && address.ip().is_unspecified() {
        // Some systems keep IPv4 out unless told.
        socket2::SockRef::from(&socket).set_only_v6(false)?;
    }
    socket.set_reuseaddr(true)?;
    // Accepted connections inherit it.
    socket.set_send_buffer_size(SEND_BUFFER)?;
    #[cfg(any(target_os = "linux", target_os = "android"))]
    socket2::SockRef::from(&socket).set_tcp_notsent_lowat(UNSENT)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Answers until dropped.
///
/// # Errors
/// [`Error::SetUp`] when the listener breaks.
pub async fn serve(listener: TcpListener, site: Site) -> Result<(), Error> {
    let listener = listener::Bounded::new(listener, site.slots.clone(), Arc::clone(&site.proxies));
    axum::serve(listener, router(site).into_make_service_with_connect_info::<Visitor>())
        .await
        .map_err(|error| Error::SetUp { what: "HTTP", reason: error.to_string() })
}

fn router(site: Site) -> Router {
    Router::new()
        .route("/", get(page::index))
        .route(HEALTH, get(health))
        .route("/api/v1/node", get(node))
        .route("/metrics", get(metrics))
        .route("/{*path}", get(page::file))
        .fallback(page::not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(middleware::from_fn_with_state(Arc::clone(&site.proxies), guard::guard))
        .layer(middleware::map_response(headers::secure))
        .with_state(site)
}

async fn health(State(site): State<Site>) -> Response {
    let alive = matches!(timeout(NODE_TIMEOUT, site.node.status()).await, Ok(Ok(_)));
    match alive && site.listening.load(Ordering::Relaxed) {
        true => (StatusCode::OK, [(header::CACHE_CONTROL, "no-store")], "ok").into_response(),
        false => refusal(StatusCode::SERVICE_UNAVAILABLE, "not_listening", "the swarm does not listen yet; try again"),
    }
}

/// The node's counters, as Prometheus reads them.
async fn metrics(State(site): State<Site>) -> Response {
    let Ok(Ok(counters)) = timeout(NODE_TIMEOUT, site.node.counters()).await else {
        return refusal(StatusCode::SERVICE_UNAVAILABLE, "stopped", "the node does not answer; try again");
    };
    let mut text = String::new();
    let counts = site.slots.lock().counts();
    let values = [counts.connections, counts.cut, counts.busy];
    let own = COUNTERS.iter().zip(values).map(|((name, what), value)| (*name, value, *what));
    let node =
        counters.values().into_iter().zip(Counters::NAMES).map(|((name, value), (_, what))| (name, value, *what));
    for (name, value, what) in node.chain(own) {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "# HELP tincan_{name} {what}\ntincan_{name} {value}");
    }
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4"), (header::CACHE_CONTROL, "no-store")], text).into_response()
}

/// What a page needs to join.
#[derive(Serialize)]
struct NodeAnswer {
    peer_id: String,
    addresses: Vec<String>,
    agent: String,
    protocols: Vec<String>,
    /// Where a browser learns its own public address: this hub answers STUN on the port of WebRTC-direct.
    ice_servers: Vec<String>,
    /// Where others can open the page; told to pages that were opened on this machine.
    pages: Vec<String>,
}

async fn node(State(site): State<Site>, ConnectInfo(visitor): ConnectInfo<Visitor>, headers: HeaderMap) -> Response {
    let Ok(Ok(info)) = timeout(NODE_TIMEOUT, site.node.info()).await else {
        return refusal(StatusCode::SERVICE_UNAVAILABLE, "stopped", "the node does not answer; try again");
    };
    let told = Requester::of(visitor.ip, &headers, &site.proxies).visible_addresses(&info);
    let answer = NodeAnswer {
        peer_id: info.peer_id.to_string(),
        pages: pages::pages(site.http, visitor.ip, &told),
        addresses: told.iter().map(ToString::to_string).collect(),
        agent: info.agent,
        protocols: info.protocols,
        ice_servers: stun_urls(&told),
    };
    let public = [(header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"), (header::CACHE_CONTROL, "no-store")];
    (public, Json(answer)).into_response()
}

/// One URL for each socket that is told.
fn stun_urls(told: &[Multiaddr]) -> Vec<String> {
    let urls = told.iter().filter_map(|address| Target::read(address).ok()).map(|target| target.stun_url());
    let mut urls: Vec<String> = urls.collect();
    urls.dedup();
    urls
}

async fn method_not_allowed() -> Response {
    refusal(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "nothing can be changed here; use GET")
}

#[derive(Serialize)]
struct Refusal {
    code: &'static str,
    message: &'static str,
}

fn refusal(status: StatusCode, code: &'static str, message: &'static str) -> Response {
    (status, [(header::CACHE_CONTROL, "no-store")], Json(Refusal { code, message })).into_response()
}
