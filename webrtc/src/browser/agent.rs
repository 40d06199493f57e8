//! A browser's ICE agent, for connections that are arranged over a signalling stream.

use std::{
    cell::RefCell,
    collections::VecDeque,
    future::poll_fn,
    rc::Rc,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, Waker},
};

use futures::{FutureExt, future::BoxFuture};
use js_sys::{Array, JSON, Object, Reflect};
use libp2p::Stream;
use send_wrapper::SendWrapper;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    Event, RtcConfiguration, RtcDataChannel, RtcDataChannelState, RtcIceCandidateInit, RtcPeerConnection,
    RtcPeerConnectionIceEvent, RtcSdpType, RtcSessionDescriptionInit,
};

use super::{
    callbacks::Callbacks,
    connection::{Connection, INIT},
    dial::DialError,
};
use crate::{
    Budget, Limits,
    signalling::{self, Agent, AgentError, AgentEvent, ExchangeError, Side},
};

/// Makes connections of signalling streams.
#[derive(Debug, Clone)]
pub struct Connector {
    budget: Budget,
    ice_servers: Arc<Mutex<Vec<String>>>,
}

impl Connector {
    /// With these limits, and no servers that tell one's public address.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self { budget: Budget::new(limits), ice_servers: Arc::default() }
    }

    /// Asks these servers, like `stun:192.0.2.1:4748`, for this browser's public address, from the next connection on.
    pub fn set_ice_servers(&self, urls: Vec<String>) {
        *self.ice_servers.lock().unwrap_or_else(PoisonError::into_inner) = urls;
    }

    fn configuration(&self) -> RtcConfiguration {
        let urls = self.ice_servers.lock().unwrap_or_else(PoisonError::into_inner);
        let configuration = RtcConfiguration::new();
        if !urls.is_empty() {
            let server = Object::new();
            let urls: Array = urls.iter().map(|url| JsValue::from_str(url)).collect();
            // This cannot fail on a plain object.
            let _ = Reflect::set(&server, &"urls".into(), &urls);
            configuration.set_ice_servers(&Array::of1(&server));
        }
        configuration
    }
}

impl signalling::Connector for Connector {
    type Connection = Connection;

    fn connect(&self, stream: Stream, side: Side) -> BoxFuture<'static, Result<Connection, ExchangeError>> {
        let connector = self.clone();
        SendWrapper::new(async move {
            let mut agent = BrowserAgent::new(&connector, side)?;
            signalling::exchange::exchange(stream, &mut agent, side).await?;
            Ok(agent.connection)
        })
        .boxed()
    }
}

struct BrowserAgent {
    connection: Connection,
    arranging: Arranging,
    state: Rc<RefCell<State>>,
}

/// What is there only until there is a connection.
struct Arranging {
    peer: RtcPeerConnection,
    /// The dialer's.
    init: Option<RtcDataChannel>,
    _callbacks: Callbacks,
}

impl Drop for Arranging {
    fn drop(&mut self) {
        self.peer.set_onicecandidate(None);
        if let Some(init) = &self.init {
            init.set_onopen(None);
            init.close();
        }
    }
}

#[derive(Default)]
struct State {
    candidates: VecDeque<String>,
    waker: Option<Waker>,
}

impl State {
    fn wake(state: &RefCell<Self>) {
        let waker = state.borrow_mut().waker.take();
        waker.into_iter().for_each(Waker::wake);
    }
}

impl BrowserAgent {
    fn new(connector: &Connector, side: Side) -> Result<Self, AgentError> {
        let peer = RtcPeerConnection::new_with_configuration(&connector.configuration()).map_err(refused)?;
        let connection = Connection::new(peer, &connector.budget);
        // The stream has proven who the other side is, and its description will name its certificate.
        connection.set_authenticated();
        // Whoever speaks this protocol knows FIN_ACK.
        connection.set_supports_fin_ack();
        connection.ignore_init();
        let (state, mut callbacks) = (Rc::new(RefCell::new(State::default())), Callbacks::default());
        let tell_candidate = {
            let state = state.clone();
            move |event: RtcPeerConnectionIceEvent| {
                // None where all were found, which nobody needs to be told.
                let Some(candidate) = event.candidate() else { return };
                if let Some(json) = JSON::stringify(&candidate.to_json()).ok().and_then(|json| json.as_string()) {
                    state.borrow_mut().candidates.push_back(json);
                    State::wake(&state);
                }
            }
        };
        connection.peer().set_onicecandidate(Some(&callbacks.add(tell_candidate)));
        let init = (side == Side::Dialer).then(|| connection.peer().create_data_channel(INIT));
        if let Some(init) = &init {
            let state = state.clone();
            init.set_onopen(Some(&callbacks.add(move |_: Event| State::wake(&state))));
        }
        let arranging = Arranging { peer: connection.peer().clone(), init, _callbacks: callbacks };
        Ok(Self { connection, arranging, state })
    }

    async fn set_local(&self, created: JsValue) -> Result<String, AgentError> {
        let description: RtcSessionDescriptionInit = created.unchecked_into();
        let sdp = Reflect::get(&description, &"sdp".into()).ok().and_then(|sdp| sdp.as_string());
        JsFuture::from(self.connection.peer().set_local_description(&description)).await.map_err(refused)?;
        sdp.ok_or_else(|| AgentError("the browser describes nothing".to_owned()))
    }

    async fn set_remote(&self, kind: RtcSdpType, sdp: &str) -> Result<(), AgentError> {
        let description = RtcSessionDescriptionInit::new(kind);
        description.set_sdp(sdp);
        JsFuture::from(self.connection.peer().set_remote_description(&description)).await.map_err(refused)?;
        Ok(())
    }

    fn poll_next(&self, cx: &Context<'_>) -> Poll<AgentEvent> {
        let mut state = self.state.borrow_mut();
        if let Some(json) = state.candidates.pop_front() {
            return Poll::Ready(AgentEvent::Candidate(json));
        }
        if let Poll::Ready(why) = self.connection.poll_end(cx) {
            return Poll::Ready(AgentEvent::Failed(why));
        }
        let is_open = self.arranging.init.as_ref().is_none_or(|init| init.ready_state() == RtcDataChannelState::Open);
        if self.connection.poll_connected(cx).is_ready() && is_open {
            return Poll::Ready(AgentEvent::Connected);
        }
        state.waker = Some(cx.waker().clone());
        Poll::Pending
    }
}

impl Agent for BrowserAgent {
    async fn offer(&mut self) -> Result<String, AgentError> {
        let offer = JsFuture::from(self.connection.peer().create_offer()).await.map_err(refused)?;
        self.set_local(offer).await
    }

    async fn answer(&mut self, offer: String) -> Result<String, AgentError> {
        self.set_remote(RtcSdpType::Offer, &offer).await?;
        let answer = JsFuture::from(self.connection.peer().create_answer()).await.map_err(refused)?;
        let answer = self.set_local(answer).await?;
        self.connection.watch();
        Ok(answer)
    }

    async fn accept(&mut self, answer: String) -> Result<(), AgentError> {
        self.set_remote(RtcSdpType::Answer, &answer).await?;
        self.connection.watch();
        Ok(())
    }

    async fn add_candidate(&mut self, json: String) {
        let Some(candidate) = JSON::parse(&json).ok().filter(JsValue::is_object) else {
            return tracing::debug!("a candidate that is no JSON object is passed over");
        };
        let candidate: RtcIceCandidateInit = candidate.unchecked_into();
        let added = self.connection.peer().add_ice_candidate_with_opt_rtc_ice_candidate_init(Some(&candidate));
        if let Err(error) = JsFuture::from(added).await {
            tracing::debug!(error = %DialError::from(error), "the browser takes no such candidate; it is passed over");
        }
    }

    async fn next(&mut self) -> AgentEvent {
        poll_fn(|cx| self.poll_next(cx)).await
    }
}

fn refused(thrown: JsValue) -> AgentError {
    AgentError(DialError::from(thrown).to_string())
}
