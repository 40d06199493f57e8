//! `GET /api/v1/node` of the page's own origin.

use std::time::Duration;

use js_sys::{Array, Reflect};
use n0_future::time::timeout;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortController, RequestCache, RequestInit, Response, Url};

use crate::hubs::Announced;

/// Beside the page, wherever a proxy puts both.
const PATH: &str = "api/v1/node";
/// How long the origin may take: a slow one is better than none.
const ANSWER_WAIT: Duration = Duration::from_secs(10);
/// Announced addresses that are read.
const MAX_ANNOUNCED: u32 = 64;

/// Who the origin's hub is and where it listens.
///
/// # Errors
/// Why it cannot be known now, in words.
pub(crate) async fn hub() -> Result<Announced, String> {
    let abort = AbortController::new().ok();
    let Ok(answer) = timeout(ANSWER_WAIT, get(abort.as_ref())).await else {
        if let Some(abort) = abort {
            abort.abort();
        }
        return Err(format!("nothing within {} s", ANSWER_WAIT.as_secs()));
    };
    read(&answer?).ok_or_else(|| format!("{PATH} is not what a hub says"))
}

/// How long the origin last took to begin an answer: a round trip and what it had to do. Of the question about its hub,
/// else of the page itself.
pub(crate) fn answer_time() -> Option<Duration> {
    let window = web_sys::window()?;
    let performance = window.performance()?;
    let asked = Url::new_with_base(PATH, &window.location().href().ok()?).ok()?;
    let questions = performance.get_entries_by_name(&asked.href());
    let pages = performance.get_entries_by_type("navigation");
    let entry = pages.concat(&questions).pop();
    let moment = |name: &str| Reflect::get(&entry, &name.into()).ok()?.as_f64().filter(|moment| *moment > 0.0);
    let took = moment("responseStart")? - moment("requestStart")?;
    Duration::try_from_secs_f64(took / 1e3).ok()
}

async fn get(abort: Option<&AbortController>) -> Result<JsValue, String> {
    let window = web_sys::window().ok_or("this is no page")?;
    let options = RequestInit::new();
    // Not `no-store`: the page may have asked ahead by a preload link, which counts once. The hub forbids storing.
    options.set_cache(RequestCache::Default);
    options.set_signal(abort.map(AbortController::signal).as_ref());
    let response: Response = JsFuture::from(window.fetch_with_str_and_init(PATH, &options))
        .await
        .and_then(JsCast::dyn_into)
        .map_err(|_| "it cannot be reached")?;
    if !response.ok() {
        return Err(format!("it says {}", response.status()));
    }
    let garbled = |_| format!("{PATH} is no JSON");
    JsFuture::from(response.json().map_err(garbled)?).await.map_err(garbled)
}

fn read(answer: &JsValue) -> Option<Announced> {
    let member = |name: &str| Reflect::get(answer, &name.into()).ok();
    let peer = member("peer_id")?.as_string()?.parse().ok()?;
    let addresses: Array = member("addresses")?.dyn_into().ok()?;
    let addresses = (0..addresses.length().min(MAX_ANNOUNCED))
        .filter_map(|index| addresses.get(index).as_string()?.parse().ok())
        .collect();
    Some(Announced { peer, addresses })
}
