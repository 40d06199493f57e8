//! What every request passes: is there room for it?

use std::sync::Arc;

use axum::{
    extract::{ConnectInfo, Request, State, connect_info::Connected},
    http::{HeaderValue, StatusCode, header},
    middleware::Next,
    response::Response,
    serve::IncomingStream,
};
use tincan_shared::source;

use super::{
    listener::{Bounded, Visitor},
    proxies::Proxies,
    refusal,
};

/// Answered even when the hub is busy, so that it is not taken for dead.
pub(super) const HEALTH: &str = "/healthz";
/// When somebody who was told that the hub is busy may ask again, in seconds.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("5");

impl Connected<IncomingStream<'_, Bounded>> for Visitor {
    fn connect_info(stream: IncomingStream<'_, Bounded>) -> Self {
        stream.remote_addr().clone()
    }
}

/// Answers what there is room for.
pub(super) async fn guard(
    State(proxies): State<Arc<Proxies>>,
    ConnectInfo(visitor): ConnectInfo<Visitor>,
    request: Request,
    next: Next,
) -> Response {
    let client = proxies.client(visitor.ip, request.headers());
    if visitor.begin(client.filter(|ip| proxies.bounded(*ip)).map(source)) {
        return next.run(request).await;
    }
    let mut answer = if request.uri().path() == HEALTH {
        next.run(request).await
    } else {
        visitor.turned_away();
        refusal(
            StatusCode::SERVICE_UNAVAILABLE,
            "busy",
            "this hub has as many visitors as it can serve; try again soon",
        )
    };
    answer.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    answer.headers_mut().insert(header::RETRY_AFTER, RETRY_AFTER);
    answer
}
