//! Closures that JavaScript calls.
//!
//! A closure may be called again while it runs, and may end its owner. So all are `Fn`, and they are freed only after the call
//! that ends their owner has returned.

use wasm_bindgen::{JsCast, closure::Closure, convert::FromWasmAbi};
use wasm_bindgen_futures::spawn_local;

/// The closures of one owner.
#[derive(Default)]
pub(super) struct Callbacks(Vec<Box<dyn std::any::Any>>);

impl std::fmt::Debug for Callbacks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Callbacks").field(&self.0.len()).finish()
    }
}

impl Callbacks {
    /// A function for JavaScript, which may be called until this is dropped.
    pub(super) fn add<E: FromWasmAbi + 'static>(&mut self, call: impl Fn(E) + 'static) -> js_sys::Function {
        let closure = Closure::<dyn Fn(E)>::new(call);
        let function = closure.as_ref().unchecked_ref::<js_sys::Function>().clone();
        self.0.push(Box::new(closure));
        function
    }
}

impl Drop for Callbacks {
    fn drop(&mut self) {
        let closures = std::mem::take(&mut self.0);
        spawn_local(async move { drop(closures) });
    }
}
