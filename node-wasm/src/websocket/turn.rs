//! The next turn of the page's event loop. A browser sends what it was given in its own turns, and a program that always
//! has more to give leaves it none.

use std::{
    cell::RefCell,
    rc::Rc,
    task::{Context, Poll, Waker},
};

use wasm_bindgen::{JsCast as _, JsValue, closure::Closure};
use web_sys::{MessageChannel, MessagePort};

/// See the [module](self). A message to oneself, as timers are held back where they follow each other.
#[derive(Debug)]
pub(super) struct Turn {
    phase: Rc<RefCell<Phase>>,
    here: MessagePort,
    there: MessagePort,
    _came: Closure<dyn Fn(JsValue)>,
}

#[derive(Debug, Default)]
enum Phase {
    #[default]
    Unasked,
    Asked(Waker),
    Came,
}

impl Turn {
    /// That nobody waits for yet; nothing where there are no message channels.
    pub(super) fn new() -> Option<Self> {
        let channel = MessageChannel::new().ok()?;
        let (here, there) = (channel.port1(), channel.port2());
        let phase: Rc<RefCell<Phase>> = Rc::default();
        let came = {
            let phase = Rc::clone(&phase);
            Closure::<dyn Fn(JsValue)>::new(move |_| {
                let before = phase.replace(Phase::Came);
                if let Phase::Asked(waker) = before {
                    waker.wake();
                }
            })
        };
        here.set_onmessage(Some(came.as_ref().unchecked_ref()));
        Some(Self { phase, here, there, _came: came })
    }

    /// Ready once a turn has come since this was asked first.
    pub(super) fn poll(&self, cx: &Context<'_>) -> Poll<()> {
        let mut phase = self.phase.borrow_mut();
        match &mut *phase {
            Phase::Came => {
                *phase = Phase::Unasked;
                return Poll::Ready(());
            }
            Phase::Asked(waker) => waker.clone_from(cx.waker()),
            Phase::Unasked if self.there.post_message(&JsValue::NULL).is_ok() => {
                *phase = Phase::Asked(cx.waker().clone());
            }
            // Not for a value that can be copied; better no turn than none ever.
            Phase::Unasked => return Poll::Ready(()),
        }
        Poll::Pending
    }
}

impl Drop for Turn {
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
        let turn = Turn::new().expect("message channels");
        for _ in 0..2 {
            let done = Rc::new(RefCell::new(false));
            let set = Rc::clone(&done);
            spawn_local(async move { *set.borrow_mut() = true });
            poll_fn(|cx| turn.poll(cx)).await;
            assert!(*done.borrow());
        }
    }
}
