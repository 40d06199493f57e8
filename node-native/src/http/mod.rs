//! What a hub shows a browser: the page, the API, and its health. Read-only.

mod headers;
mod listener;
mod page;

use std::{
    fmt::Write,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{
    Json, Router,
    extract::State,
    http::{StatusCode, header},
    middleware,
    response::{IntoResponse, Response},
    routing::get,
};
use serde::Serialize;
use tincan_shared::{Counters, Node};
use tokio::{net::TcpListener, time::timeout};

use crate::{Error, addresses};

/// Until a node that does not answer counts as ill.
const NODE_TIMEOUT: Duration = Duration::from_secs(2);

/// What the handlers know.
#[derive(Debug, Clone)]
pub struct Site {
    node: Node,
    listening: Arc<AtomicBool>,
}

impl Site {
    /// Of a node that does not yet listen.
    #[must_use]
    pub fn new(node: Node) -> Self {
        Self { node, listening: Arc::default() }
    }

    /// Every listener is up from now on.
    pub fn set_listening(&self) {
        self.listening.store(true, Ordering::Relaxed);
    }
}

/// Takes the port.
///
/// # Errors
/// [`Error::InUse`], [`Error::Listen`].
pub async fn bind(address: &str) -> Result<TcpListener, Error> {
    TcpListener::bind(address).await.map_err(|error| addresses::refused(address.to_owned(), &error, "--http"))
}

/// Answers until dropped.
///
/// # Errors
/// [`Error::SetUp`] when the listener breaks.
pub async fn serve(listener: TcpListener, site: Site) -> Result<(), Error> {
    axum::serve(listener::Bounded::new(listener), router(site))
        .await
        .map_err(|error| Error::SetUp { what: "HTTP", reason: error.to_string() })
}

fn router(site: Site) -> Router {
    Router::new()
        .route("/", get(page::index))
        .route("/healthz", get(health))
        .route("/api/v1/node", get(node))
        .route("/metrics", get(metrics))
        .route("/{*path}", get(page::file))
        .fallback(page::not_found)
        .method_not_allowed_fallback(method_not_allowed)
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
    for ((name, value), (_, what)) in counters.values().into_iter().zip(Counters::NAMES) {
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
    ice_servers: [String; 0],
}

async fn node(State(site): State<Site>) -> Response {
    let Ok(Ok(info)) = timeout(NODE_TIMEOUT, site.node.info()).await else {
        return refusal(StatusCode::SERVICE_UNAVAILABLE, "stopped", "the node does not answer; try again");
    };
    let answer = NodeAnswer {
        peer_id: info.peer_id.to_string(),
        addresses: info.addresses.iter().filter(|a| addresses::is_dialable(a)).map(ToString::to_string).collect(),
        agent: info.agent,
        protocols: info.protocols,
        ice_servers: [],
    };
    let public = [(header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"), (header::CACHE_CONTROL, "no-store")];
    (public, Json(answer)).into_response()
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
