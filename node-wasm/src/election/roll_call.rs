//! Asks the other tabs which slots they hold. A hint, never a proof: who is silent may only sleep.

use std::{cell::RefCell, collections::BTreeSet, rc::Rc, time::Duration};

use n0_future::time::{Instant, sleep_until};
use tokio::sync::Notify;
use wasm_bindgen::{JsCast, closure::Closure};
use web_sys::{BroadcastChannel, MessageEvent};

use super::MAX_TABS;

/// How long tabs that are awake may take to answer.
const ANSWER_WAIT: Duration = Duration::from_millis(100);
const QUESTION: &str = "who holds what?";

/// A question to all tabs, and their answers so far.
#[derive(Debug)]
pub(super) struct RollCall {
    until: Instant,
    answers: Rc<Answers>,
    _channel: Option<Channel>,
}

#[derive(Debug, Default)]
struct Answers {
    held: RefCell<BTreeSet<u32>>,
    changed: Notify,
}

impl RollCall {
    pub(super) fn begin(scope: &str) -> Self {
        let answers = Rc::new(Answers::default());
        let heard = answers.clone();
        let channel = Channel::open(scope, move |_, text| {
            if let Some(slot) = text.parse().ok().filter(|slot| *slot < MAX_TABS) {
                heard.held.borrow_mut().insert(slot);
                heard.changed.notify_waiters();
            }
        });
        if let Some(channel) = &channel {
            channel.say(QUESTION);
        }
        Self { until: Instant::now() + ANSWER_WAIT, answers, _channel: channel }
    }

    /// Ends when another tab says that it holds the slot; else never.
    pub(super) async fn held(&self, slot: u32) {
        loop {
            let changed = self.answers.changed.notified();
            if self.answers.held.borrow().contains(&slot) {
                return;
            }
            changed.await;
        }
    }

    /// The slots of all tabs that answered in time.
    pub(super) async fn all_held(&self) -> Vec<u32> {
        if self._channel.is_some() {
            sleep_until(self.until).await;
        }
        self.answers.held.borrow().iter().copied().collect()
    }
}

/// Answers the roll calls of other tabs until dropped.
#[derive(Debug)]
pub(super) struct Roster {
    _channel: Channel,
}

impl Roster {
    pub(super) fn answer(scope: &str, slot: u32) -> Option<Self> {
        let answer = slot.to_string();
        let channel = Channel::open(scope, move |channel, text| {
            if text == QUESTION {
                post(channel, &answer);
            }
        })?;
        Some(Self { _channel: channel })
    }
}

/// An open broadcast channel, closed when dropped. A channel does not hear itself.
#[derive(Debug)]
struct Channel {
    inner: BroadcastChannel,
    _handler: Closure<dyn FnMut(MessageEvent)>,
}

impl Channel {
    fn open(scope: &str, mut handle: impl FnMut(&BroadcastChannel, String) + 'static) -> Option<Self> {
        let inner = BroadcastChannel::new(&format!("{scope}-tabs")).ok()?;
        let channel = inner.clone();
        let handler = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
            if let Some(text) = event.data().as_string() {
                handle(&channel, text);
            }
        });
        inner.set_onmessage(Some(handler.as_ref().unchecked_ref()));
        Some(Self { inner, _handler: handler })
    }

    fn say(&self, text: &str) {
        post(&self.inner, text);
    }
}

/// A channel that is closed has nobody to tell.
fn post(channel: &BroadcastChannel, text: &str) {
    let _ = channel.post_message(&text.into());
}

impl Drop for Channel {
    fn drop(&mut self) {
        self.inner.set_onmessage(None);
        self.inner.close();
    }
}
