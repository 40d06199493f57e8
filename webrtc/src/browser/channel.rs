//! A browser's data channel.

use bytes::Bytes;
use js_sys::{ArrayBuffer, Uint8Array};
use send_wrapper::SendWrapper;
use wasm_bindgen::JsCast;
use web_sys::{Event, MessageEvent, RtcDataChannel, RtcDataChannelState, RtcDataChannelType};

use super::callbacks::Callbacks;
use crate::{
    Account, Acknowledging, Channel, ChannelGone, Feed, Opened, Stream,
    stream::{self, Outlet},
};

/// Bytes the browser may hold unsent before writers wait.
const HIGH_WATER: u32 = 256 * 1024;
/// Bytes down to which it must come before they go on.
const LOW_WATER: u32 = 64 * 1024;

struct Inner {
    channel: RtcDataChannel,
    /// Only kept.
    _callbacks: Callbacks,
}

struct BrowserChannel(SendWrapper<Inner>);

/// A stream over a channel. To be called as soon as there is a channel: what comes before is lost.
pub(super) fn stream(
    channel: RtcDataChannel,
    opened: Opened,
    account: &Account,
    acknowledging: Acknowledging,
) -> (Stream, Feed) {
    channel.set_binary_type(RtcDataChannelType::Arraybuffer);
    channel.set_buffered_amount_low_threshold(LOW_WATER);
    let (stream, feed, outlet) = stream::unconnected(opened, account, acknowledging);
    connect(channel, &feed, outlet);
    (stream, feed)
}

fn connect(channel: RtcDataChannel, feed: &Feed, outlet: Outlet) {
    let mut callbacks = Callbacks::default();
    let message = callbacks.add({
        let feed = feed.clone();
        move |event: MessageEvent| {
            // Text is no frame, and nobody sends it: as if it were garbage.
            let bytes = event.data().dyn_into::<ArrayBuffer>().map(|buffer| Uint8Array::new(&buffer).to_vec());
            feed.message(bytes.map_or(Bytes::from_static(&[1, 0xff]), Bytes::from));
        }
    });
    let ready = callbacks.add({
        let feed = feed.clone();
        move |_: Event| feed.drained()
    });
    let closed = callbacks.add({
        let feed = feed.clone();
        move |_: Event| feed.closed()
    });
    channel.set_onmessage(Some(&message));
    channel.set_onopen(Some(&ready));
    channel.set_onbufferedamountlow(Some(&ready));
    channel.set_onclose(Some(&closed));
    outlet.connect(BrowserChannel(SendWrapper::new(Inner { channel, _callbacks: callbacks })));
}

impl Channel for BrowserChannel {
    fn has_room(&self) -> bool {
        self.0.channel.ready_state() == RtcDataChannelState::Open && self.0.channel.buffered_amount() < HIGH_WATER
    }

    fn send(&mut self, message: Bytes) -> Result<(), ChannelGone> {
        self.0.channel.send_with_u8_array(&message).map_err(|_| ChannelGone)
    }

    fn close(&mut self) {
        let channel = &self.0.channel;
        channel.set_onmessage(None);
        channel.set_onopen(None);
        channel.set_onbufferedamountlow(None);
        channel.set_onclose(None);
        channel.close();
    }
}
