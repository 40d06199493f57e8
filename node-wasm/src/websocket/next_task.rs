//! Waiting for the next task of the page's event loop. A browser sends between tasks, so a program that always has more to
//! write has to let it.

use std::{
    cell::RefCell,
    rc::Rc,
    task::{Context, Poll, Waker},
};

use wasm_bindgen::{JsCast as _, JsValue, closure::Closure};
use web_sys::{MessageChannel, MessagePort};

/// See the [module](self). It posts a message to itself, since browsers delay timers that follow each other.
#[derive(Debug)]
pub(super) struct NextTask {
    phase: Rc<RefCell<Phase>>,
    here: MessagePort,
    there: MessagePort,
    _fired: Closure<dyn Fn(JsValue)>,
}

#[derive(Debug, Default)]
enum Phase {
    #[default]
    Idle,
    Waiting(Waker),
    Fired,
}

impl NextTask {
    /// None if there are no message channels.
    pub(super) fn new() -> Option<Self> {
        let channel = MessageChannel::new().ok()?;
        let (here, there) = (channel.port1(), channel.port2());
        let phase: Rc<RefCell<Phase>> = Rc::default();
        let fired = {
            let phase = Rc::clone(&phase);
            Closure::<dyn Fn(JsValue)>::new(move |_| {
                let before = phase.replace(Phase::Fired);
                if let Phase::Waiting(waker) = before {
                    waker.wake();
                }
            })
        };
        here.set_onmessage(Some(fired.as_ref().unchecked_ref()));
        Some(Self { phase, here, there, _fired: fired })
    }

    /// Ready in a later task than the one in which this was first polled.
    pub(super) fn poll(&self, cx: &Context<'_>) -> Poll<()> {
        let mut phase = self.phase.borrow_mut();
        match &mut *phase {
            Phase::Fired => {
                *phase = Phase::Idle;
                return Poll::Ready(());
            }
            Phase::Waiting(waker) => waker.clone_from(cx.waker()),
            Phase::Idle if self.there.post_message(&JsValue::NULL).is_ok() => {
                *phase = Phase::Waiting(cx.waker().clone());
            }
            // Posting this value cannot fail. If it did, not waiting is better than waiting for ever.
            Phase::Idle => return Poll::Ready(()),
        }
        Poll::Pending
    }
}

impl Drop for NextTask {
    fn drop(&mut self) {
        self.here.set_onmessage(None);
        self.here.close();
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use wasm_bindgen_futures::spawn_local;
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;

    #[wasm_bindgen_test]
    async fn a_turn_comes_after_all_that_is_due_and_comes_again() {
        let turn = NextTask::new().expect("message channels");
        for _ in 0..2 {
            let done = Rc::new(RefCell::new(false));
            let set = Rc::clone(&done);
            spawn_local(async move { *set.borrow_mut() = true });
            poll_fn(|cx| turn.poll(cx)).await;
            assert!(*done.borrow());
        }
    }
}
