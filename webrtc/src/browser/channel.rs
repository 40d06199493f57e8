//! A browser's data channel.

use bytes::Bytes;
use js_sys::{ArrayBuffer, Uint8Array};
use send_wrapper::SendWrapper;
use wasm_bindgen::JsCast;
use web_sys::{Event, MessageEvent, RtcDataChannel, RtcDataChannelState, RtcDataChannelType};

use super::callbacks::Callbacks;
use crate::{
    Channel, ChannelEvents, ChannelGone, ConnectionBudget, FinAckSupport, Opener, Stream,
    stream::{self, ChannelSlot},
};

/// Bytes that the browser may hold unsent before writers wait.
const HIGH_WATER: u32 = 256 * 1024;
/// Bytes to which that has to fall before they continue.
const LOW_WATER: u32 = 64 * 1024;

struct Inner {
    channel: RtcDataChannel,
    /// Kept as long as the channel.
    _callbacks: Callbacks,
}

struct BrowserChannel(SendWrapper<Inner>);

/// A stream over a channel. To be called as soon as the channel exists, since earlier messages are lost.
pub(super) fn stream(
    channel: RtcDataChannel,
    opener: Opener,
    memory: &ConnectionBudget,
    fin_ack: FinAckSupport,
) -> (Stream, ChannelEvents) {
    channel.set_binary_type(RtcDataChannelType::Arraybuffer);
    channel.set_buffered_amount_low_threshold(LOW_WATER);
    let (stream, events, slot) = stream::pending_stream(opener, memory, fin_ack);
    connect(channel, &events, slot);
    (stream, events)
}

fn connect(channel: RtcDataChannel, events: &ChannelEvents, slot: ChannelSlot) {
    let mut callbacks = Callbacks::default();
    let message = callbacks.add({
        let events = events.clone();
        move |event: MessageEvent| {
            // Text is no frame: handled as garbage.
            let bytes = event.data().dyn_into::<ArrayBuffer>().map(|buffer| Uint8Array::new(&buffer).to_vec());
            events.on_message(bytes.map_or(Bytes::from_static(&[1, 0xff]), Bytes::from));
        }
    });
    let ready = callbacks.add({
        let events = events.clone();
        move |_: Event| events.on_drained()
    });
    let closed = callbacks.add({
        let events = events.clone();
        move |_: Event| events.on_closed()
    });
    channel.set_onmessage(Some(&message));
    channel.set_onopen(Some(&ready));
    channel.set_onbufferedamountlow(Some(&ready));
    channel.set_onclose(Some(&closed));
    slot.connect(BrowserChannel(SendWrapper::new(Inner { channel, _callbacks: callbacks })));
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
