//! A connection's life, played by a stand-in for the browser's WebSocket: what a real one does only
//! by chance, or never on loopback.

#![allow(clippy::unwrap_used)]

use std::{
    io::{Error, ErrorKind, Result},
    pin::Pin,
    sync::Arc,
    sync::atomic::{AtomicUsize, Ordering},
    task::{Context, Poll, Wake, Waker},
    time::Duration,
};

use futures::{AsyncRead as _, AsyncReadExt as _, AsyncWrite as _, AsyncWriteExt as _};
use js_sys::{Array, Function, Reflect, Uint8Array};
use libp2p::core::{
    Endpoint,
    transport::{DialOpts, PortUse, Transport as _},
};
use n0_future::time::{sleep, timeout};
use tincan_wasm::websocket::{HIGH_WATER, MAX_UNREAD, MESSAGE_BYTES, Stream, Transport};
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

/// As far as a page sees: it hands out itself, records what is done to it, and keeps to the rule that
/// nothing arrives once it closes.
const STAND_IN: &str = r#"
const real = window.WebSocket;
window.WebSocket = class {
    constructor(url) {
        if (url.includes("forbidden")) throw new DOMException("mixed content", "SecurityError");
        Object.assign(this, { readyState: 0, bufferedAmount: 0, binaryType: "blob", sent: [], closes: [] });
        window.standIn = this;
    }
    send(bytes) { this.sent.push(bytes.slice()); }
    close(code) { this.closes.push(code); this.readyState = 2; }
    open() { this.readyState = 1; this.onopen?.({}); }
    bytes(data) { if (this.readyState == 1) this.onmessage?.(new MessageEvent("message", { data: data.buffer })); }
    text(data) { if (this.readyState == 1) this.onmessage?.(new MessageEvent("message", { data })); }
    fail() { this.readyState = 3; this.onerror?.({}); }
    gone(code) { this.readyState = 3; this.onclose?.(new CloseEvent("close", { code })); }
    listeners() { return [this.onopen, this.onmessage, this.onerror, this.onclose].filter((it) => it).length; }
};
return real;
"#;

/// The other end of the stand-in.
struct Far(JsValue);

impl Far {
    fn get(&self, name: &str) -> JsValue {
        Reflect::get(&self.0, &name.into()).unwrap()
    }

    fn call(&self, name: &str, argument: impl Into<JsValue>) -> JsValue {
        self.get(name).unchecked_into::<Function>().call1(&self.0, &argument.into()).unwrap()
    }

    fn bytes(&self, data: &[u8]) {
        self.call("bytes", Uint8Array::from(data));
    }

    fn buffered(&self, amount: usize) {
        Reflect::set(&self.0, &"bufferedAmount".into(), &(amount as u32).into()).unwrap();
    }

    fn sent(&self) -> Vec<Vec<u8>> {
        let sent: Array = self.get("sent").unchecked_into();
        sent.iter().map(|bytes| bytes.unchecked_into::<Uint8Array>().to_vec()).collect()
    }

    fn closes(&self) -> Vec<f64> {
        self.get("closes").unchecked_into::<Array>().iter().map(|code| code.as_f64().unwrap()).collect()
    }
}

type Dial = Pin<Box<dyn Future<Output = Result<Stream>> + Send>>;

/// A dial that has begun. The real WebSocket is back before anything else runs.
fn dial(host: &str) -> (Dial, Poll<Result<Stream>>) {
    let real = Function::new_no_args(STAND_IN).call0(&JsValue::NULL).unwrap();
    let options = DialOpts { role: Endpoint::Dialer, port_use: PortUse::Reuse };
    let mut dial = Transport.dial(format!("/dns4/{host}/tcp/80/ws").parse().unwrap(), options).unwrap();
    let begun = dial.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    Reflect::set(&js_sys::global(), &"WebSocket".into(), &real).unwrap();
    (dial, begun)
}

fn connecting() -> (Dial, Far) {
    let (dial, begun) = dial("hub.example");
    assert!(begun.is_pending());
    let far = Far(Reflect::get(&js_sys::global(), &"standIn".into()).unwrap());
    assert_eq!(far.get("binaryType"), "arraybuffer");
    assert_eq!(far.call("listeners", JsValue::NULL), 4);
    (dial, far)
}

async fn connected() -> (Stream, Far) {
    let (dial, far) = connecting();
    far.call("open", JsValue::NULL);
    (dial.await.unwrap(), far)
}

#[derive(Default)]
struct Counter(AtomicUsize);

impl Wake for Counter {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// Leaves a read and a write waiting, and counts how often each is woken.
fn park(stream: &mut Stream) -> [Arc<Counter>; 2] {
    let reader = Arc::<Counter>::default();
    let read = Pin::new(&mut *stream).poll_read(&mut Context::from_waker(&reader.clone().into()), &mut [0; 8]);
    assert!(read.is_pending());
    [reader, park_writer(stream)]
}

fn park_writer(stream: &mut Stream) -> Arc<Counter> {
    let writer = Arc::<Counter>::default();
    let write = Pin::new(stream).poll_write(&mut Context::from_waker(&writer.clone().into()), b"full");
    assert!(write.is_pending());
    writer
}

fn woken(counters: &[Arc<Counter>; 2]) -> [usize; 2] {
    counters.each_ref().map(|counter| counter.0.load(Ordering::Relaxed))
}

async fn read_error(stream: &mut Stream) -> Error {
    stream.read(&mut [0; 8]).await.unwrap_err()
}

#[wasm_bindgen_test]
async fn bytes_go_both_ways_in_order() {
    let (mut stream, far) = connected().await;
    far.bytes(b"one ");
    far.bytes(b"");
    far.bytes(b"two");
    let mut text = [0; 7];
    stream.read_exact(&mut text).await.unwrap();
    assert_eq!(&text, b"one two");
    stream.write_all(b"three").await.unwrap();
    stream.write_all(b"four").await.unwrap();
    stream.flush().await.unwrap();
    assert_eq!(far.sent(), [b"three".to_vec(), b"four".to_vec()]);
}

#[wasm_bindgen_test]
async fn a_failure_before_it_is_open_ends_the_dial() {
    for play in [|far: &Far| drop(far.call("fail", JsValue::NULL)), |far: &Far| drop(far.call("gone", 1000))] {
        let (dial, far) = connecting();
        play(&far);
        let error = dial.await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
        assert_eq!(far.call("listeners", JsValue::NULL), 0);
    }
    let (_, begun) = dial("forbidden.example");
    let Poll::Ready(Err(error)) = begun else { panic!("{begun:?}") };
    assert!(error.to_string().ends_with("an https page needs a wss address"), "{error}");
}

#[wasm_bindgen_test]
async fn a_dial_given_up_closes_the_socket() {
    let (dial, far) = connecting();
    drop(dial);
    assert_eq!((far.closes(), far.call("listeners", JsValue::NULL)), (vec![1000.0], 0.into()));
    far.call("open", JsValue::NULL);
}

#[wasm_bindgen_test]
async fn a_close_wakes_reader_and_writer_and_what_arrived_comes_first() {
    for (code, clean) in [(1000, true), (1001, true), (1005, true), (1006, false), (1011, false)] {
        let (mut stream, far) = connected().await;
        far.buffered(HIGH_WATER);
        let parked = park(&mut stream);
        far.bytes(b"last");
        assert_eq!(woken(&parked), [1, 1]);
        let mut text = [0; 2];
        stream.read_exact(&mut text).await.unwrap();
        let writer = park_writer(&mut stream);
        far.call("gone", code);
        assert_eq!(writer.0.load(Ordering::Relaxed), 1, "{code}");
        stream.read_exact(&mut text).await.unwrap();
        assert_eq!(&text, b"st");
        if clean {
            assert_eq!(stream.read(&mut text).await.unwrap(), 0, "{code}");
        } else {
            let message = format!("the connection broke (WebSocket close code {code})");
            assert_eq!(read_error(&mut stream).await.to_string(), message);
        }
        assert!(stream.write_all(b"late").await.is_err(), "{code}");
        stream.close().await.unwrap();
    }
    let (mut stream, far) = connected().await;
    far.buffered(HIGH_WATER);
    let parked = park(&mut stream);
    far.call("gone", 1006);
    assert_eq!(woken(&parked), [1, 1]);
}

#[wasm_bindgen_test]
async fn text_ends_the_connection() {
    let (mut stream, far) = connected().await;
    far.call("text", "hello");
    assert_eq!(read_error(&mut stream).await.kind(), ErrorKind::InvalidData);
    assert_eq!(far.closes(), [1000.0]);
    far.call("gone", 1000);
    assert!(read_error(&mut stream).await.to_string().contains("sent text"), "the first reason stays");
}

#[wasm_bindgen_test]
async fn unread_bytes_are_bounded() {
    let (mut stream, far) = connected().await;
    let half = vec![7; MAX_UNREAD / 2];
    far.bytes(&half);
    far.bytes(&half);
    stream.read_exact(&mut [0; 1]).await.unwrap();
    far.bytes(b"x");
    assert!(far.closes().is_empty(), "exactly the bound is allowed");
    far.bytes(b"x");
    let error = read_error(&mut stream).await;
    assert!(error.to_string().contains("more than 16777216 bytes"), "{error}");
    assert_eq!(far.closes(), [1000.0]);
}

#[wasm_bindgen_test]
async fn writing_waits_while_the_send_buffer_is_full() {
    let (mut stream, far) = connected().await;
    far.buffered(HIGH_WATER - 3);
    assert_eq!(stream.write(b"12345").await.unwrap(), 3, "what fits");
    far.buffered(HIGH_WATER + 9);
    let mut write = std::pin::pin!(stream.write(b"67"));
    assert!(timeout(Duration::from_millis(50), write.as_mut()).await.is_err());
    far.buffered(HIGH_WATER - 100);
    assert_eq!(timeout(Duration::from_secs(5), write).await.unwrap().unwrap(), 2);
    timeout(Duration::from_secs(5), stream.flush()).await.unwrap().unwrap();
    assert_eq!(far.sent(), [b"12367"]);
}

#[wasm_bindgen_test]
async fn small_writes_go_at_once_while_the_browser_has_little_to_send_and_together_while_it_has_much() {
    let (mut stream, far) = connected().await;
    stream.write_all(b"1").await.unwrap();
    stream.write_all(b"2").await.unwrap();
    assert_eq!(far.sent(), [b"1", b"2"]);
    far.buffered(HIGH_WATER / 2);
    let part = vec![7; 3 * MESSAGE_BYTES / 4];
    stream.write_all(&part).await.unwrap();
    stream.write_all(&part).await.unwrap();
    stream.flush().await.unwrap();
    let lengths: Vec<usize> = far.sent().iter().map(Vec::len).collect();
    assert_eq!(lengths, [1, 1, MESSAGE_BYTES, MESSAGE_BYTES / 2]);
}

#[wasm_bindgen_test]
async fn a_long_upload_leaves_the_browser_its_turns() {
    let (mut stream, far) = connected().await;
    let other = std::rc::Rc::new(std::cell::Cell::new(false));
    let had_its_turn = other.clone();
    wasm_bindgen_futures::spawn_local(async move {
        sleep(Duration::ZERO).await;
        had_its_turn.set(true);
    });
    // Much is written, and the browser sends it at once.
    for _ in 0..256 {
        stream.write_all(&[7; 64 * 1024]).await.unwrap();
    }
    assert!(other.get());
    assert_eq!(far.sent().iter().map(Vec::len).sum::<usize>(), 256 * 64 * 1024);
}

#[wasm_bindgen_test]
async fn closing_waits_for_the_browser() {
    let (mut stream, far) = connected().await;
    let cx = &mut Context::from_waker(Waker::noop());
    assert!(Pin::new(&mut stream).poll_close(cx).is_pending());
    assert!(Pin::new(&mut stream).poll_close(cx).is_pending());
    assert_eq!(far.closes(), [1000.0], "closed once");
    let refused = stream.write(b"late").await.unwrap_err();
    assert_eq!(refused.to_string(), "the connection is being closed");
    far.call("gone", 1000);
    stream.close().await.unwrap();
    assert_eq!(stream.read(&mut [0; 8]).await.unwrap(), 0);
}

#[wasm_bindgen_test]
async fn closing_does_not_wait_for_one_that_is_gone() {
    let (mut stream, far) = connected().await;
    let closed = n0_future::time::timeout(Duration::from_secs(10), stream.close());
    closed.await.expect("sooner than the browser gives up").unwrap();
    assert_eq!(far.closes(), [1000.0]);
}

/// Reads and drops the connection as soon as anything happens on it: inside the browser's own call.
struct DropsIt(std::sync::Mutex<Option<Stream>>);

impl Wake for DropsIt {
    fn wake(self: Arc<Self>) {
        let Some(mut stream) = self.0.lock().unwrap().take() else { return };
        let read = Pin::new(&mut stream).poll_read(&mut Context::from_waker(Waker::noop()), &mut [0; 8]);
        assert!(read.is_ready());
    }
}

#[wasm_bindgen_test]
async fn it_may_be_read_and_dropped_inside_its_own_callback() {
    let plays: [fn(&Far); 3] =
        [|far| far.bytes(b"x"), |far| drop(far.call("text", "x")), |far| drop(far.call("gone", 1006))];
    for play in plays {
        let (stream, far) = connected().await;
        let holder = Arc::new(DropsIt(std::sync::Mutex::new(Some(stream))));
        let waker = Waker::from(holder.clone());
        let read = {
            let mut held = holder.0.lock().unwrap();
            Pin::new(held.as_mut().unwrap()).poll_read(&mut Context::from_waker(&waker), &mut [0; 8])
        };
        assert!(read.is_pending());
        play(&far);
        assert!(holder.0.lock().unwrap().is_none());
        assert_eq!(far.call("listeners", JsValue::NULL), 0);
        for event in ["open", "fail"] {
            far.call(event, JsValue::NULL);
        }
    }
}
