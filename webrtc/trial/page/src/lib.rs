//! The trial in a page: what `trial.mjs` beside it makes `globalThis.trial` of.

#![cfg(target_family = "wasm")]

mod transports;

use js_sys::{Date, Function, JSON};
use libp2p::Multiaddr;
use serde::Serialize;
use tincan_trial::{Error, Node};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::{fmt, layer::SubscriberExt, util::SubscriberInitExt};
use wasm_bindgen::prelude::*;

use transports::Which;

/// What a page tries, by transports that were chosen once.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Trial(Which);

/// What any method of [`Trial`] answers: an object, or an error with a message.
type Answer = Result<JsValue, JsError>;

#[wasm_bindgen]
impl Trial {
    /// By `ours` or `published`; logs to the console from this level on.
    #[wasm_bindgen(constructor)]
    pub fn new(transports: &str, level: &str) -> Result<Self, JsError> {
        console_error_panic_hook::set_once();
        let level: LevelFilter = level.parse()?;
        let console =
            fmt::layer().with_ansi(false).without_time().with_writer(tracing_web::MakeWebConsoleWriter::new());
        tracing_subscriber::registry().with(level).with(console).try_init()?;
        Ok(Self(transports.parse().map_err(|why: String| JsError::new(&why))?))
    }

    /// See [`Node::join`].
    pub async fn join(&self, address: String, pings: usize) -> Answer {
        answer(self.node()?.join(&parse(&address)?, pings).await)
    }

    /// See [`Node::bulk`].
    pub async fn bulk(&self, address: String, direction: String, bytes: f64) -> Answer {
        let direction = direction.parse().map_err(|why: String| JsError::new(&why))?;
        answer(self.node()?.bulk(&parse(&address)?, direction, bytes as u64).await)
    }

    /// See [`Node::cycles`].
    pub async fn cycles(&self, address: String, count: usize) -> Answer {
        answer(self.node()?.cycles(&parse(&address)?, count).await)
    }

    /// See [`Node::streams`].
    pub async fn streams(&self, address: String, count: usize, at_once: usize) -> Answer {
        answer(self.node()?.streams(&parse(&address)?, count, at_once).await)
    }

    /// See [`Node::unread`].
    pub async fn unread(&self, address: String, bytes: f64) -> Answer {
        answer(self.node()?.unread(&parse(&address)?, bytes as u64).await)
    }

    /// See [`Node::watch`]; answers with the time of day.
    pub async fn watch(&self, address: String, connected: Function) -> Answer {
        let mut node = self.node()?;
        let say = || {
            let _ = connected.call0(&JsValue::NULL);
        };
        node.watch(&parse(&address)?, say).await?;
        let gone = Date::now();
        answer(Ok(Gone { ms: gone }))
    }

    fn node(&self) -> Result<Node, JsError> {
        Ok(Node::peer(|keypair| transports::build(keypair, self.0))?)
    }
}

#[derive(Debug, Serialize)]
struct Gone {
    ms: f64,
}

fn parse(address: &str) -> Result<Multiaddr, JsError> {
    address.parse().map_err(|error| JsError::new(&format!("{address:?} is no multiaddr: {error}")))
}

fn answer(outcome: Result<impl Serialize, Error>) -> Answer {
    let text = serde_json::to_string(&outcome?)?;
    JSON::parse(&text).map_err(|_| JsError::new("an answer that is no JSON"))
}
