//! A browser's WebSocket as a stream of bytes, driven by its events.

use std::{
    cell::RefCell,
    future::poll_fn,
    io,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, ready},
    time::Duration,
};

use futures::{AsyncRead, AsyncWrite, FutureExt as _};
use js_sys::{ArrayBuffer, Uint8Array};
use n0_future::time::{Instant, Sleep, sleep};
use send_wrapper::SendWrapper;
use tincan_shared::neutralise;
use wasm_bindgen::{JsCast as _, JsValue, closure::Closure, convert::FromWasmAbi};
use web_sys::{BinaryType, CloseEvent, DomException, MessageEvent, WebSocket};

use super::{
    drain_rate::DrainRate,
    next_task::NextTask,
    state::{Event, State},
};

/// Bytes handed to the browser and not sent, above which writing waits.
pub const HIGH_WATER: usize = 1024 * 1024;

/// Bytes down to which a full send buffer should come before more is written.
const LOW_WATER: usize = 256 * 1024;

/// Bytes written in one task of the event loop, so that the browser gets to send them.
const MAX_TASK_BYTES: usize = 256 * 1024;

/// Bytes of a message while the browser has as many to send, since each message has a fixed cost.
pub const MESSAGE_BYTES: usize = 64 * 1024;

/// How long the other side may take to close, too. One that is gone never does, and browsers wait a minute for it.
const CLOSE_WAIT: Duration = Duration::from_secs(1);

/// The close code of an orderly end, the only standard one that a page may send.
const NORMAL_CLOSURE: u16 = 1000;

/// An open WebSocket. Dropping it closes it.
#[derive(Debug)]
pub struct Stream {
    inner: SendWrapper<Inner>,
}

#[derive(Debug)]
struct Inner {
    socket: WebSocket,
    state: Rc<RefCell<State>>,
    /// Runs only while the send buffer is full.
    recheck: Option<Sleep>,
    /// Runs once it is being closed.
    closing: Option<Sleep>,
    /// What was written while the browser had enough to send, until it fills a message.
    unsent: Vec<u8>,
    next_task: Option<NextTask>,
    /// Bytes written in this task.
    task_bytes: usize,
    drain_rate: DrainRate,
    _callbacks: Callbacks,
}

/// The socket's callbacks, kept as long as it may call them. They are `Fn`, since one callback may cause another.
#[derive(Debug)]
struct Callbacks {
    _open: Closure<dyn Fn(JsValue)>,
    _message: Closure<dyn Fn(MessageEvent)>,
    _error: Closure<dyn Fn(JsValue)>,
    _close: Closure<dyn Fn(CloseEvent)>,
}

impl Stream {
    /// Opens a connection. Dropping the future closes it.
    pub(super) async fn open(url: &str) -> io::Result<Self> {
        let stream = Self::create(url)?;
        poll_fn(|cx| stream.inner.state.borrow_mut().poll_open(cx)).await?;
        Ok(stream)
    }

    fn create(url: &str) -> io::Result<Self> {
        let socket = WebSocket::new(url).map_err(|error| not_created(url, &error))?;
        socket.set_binary_type(BinaryType::Arraybuffer);
        let state = Rc::new(RefCell::new(State::new()));
        let callbacks = Callbacks::set(&socket, &state);
        Ok(Self {
            inner: SendWrapper::new(Inner {
                socket,
                state,
                recheck: None,
                closing: None,
                unsent: Vec::new(),
                next_task: NextTask::new(),
                task_bytes: 0,
                drain_rate: DrainRate::default(),
                _callbacks: callbacks,
            }),
        })
    }
}

impl Callbacks {
    fn set(socket: &WebSocket, state: &Rc<RefCell<State>>) -> Self {
        let open = callback(state, |_: JsValue| Event::Opened);
        socket.set_onopen(Some(open.as_ref().unchecked_ref()));
        let error = callback(state, |_: JsValue| Event::Errored);
        socket.set_onerror(Some(error.as_ref().unchecked_ref()));
        let close = callback(state, |event: CloseEvent| Event::Closed { code: event.code() });
        socket.set_onclose(Some(close.as_ref().unchecked_ref()));
        let message = Closure::<dyn Fn(MessageEvent)>::new({
            let (socket, state) = (socket.clone(), Rc::clone(state));
            move |event: MessageEvent| {
                let read_message = read_message(&event, state.borrow().capacity());
                State::dispatch(&state, read_message);
                if state.borrow().is_over() {
                    close_socket(&socket);
                }
            }
        });
        socket.set_onmessage(Some(message.as_ref().unchecked_ref()));
        Self { _open: open, _message: message, _error: error, _close: close }
    }
}

fn callback<E: FromWasmAbi + 'static>(
    state: &Rc<RefCell<State>>,
    read: impl Fn(E) -> Event + 'static,
) -> Closure<dyn Fn(E)> {
    let state = Rc::clone(state);
    Closure::new(move |event| State::dispatch(&state, read(event)))
}

/// Copies a message if there is room for it, since the other side chooses its size.
fn read_message(event: &MessageEvent, room: usize) -> Event {
    match event.data().dyn_into::<ArrayBuffer>() {
        Ok(data) if data.byte_length() as usize > room => Event::Overflow,
        Ok(data) => Event::Binary(Uint8Array::new(&data).to_vec()),
        Err(_) => Event::Text,
    }
}

fn not_created(url: &str, error: &JsValue) -> io::Error {
    let url = neutralise(url, false);
    if error.dyn_ref::<DomException>().is_some_and(|error| error.name() == "SecurityError") {
        let message = format!("the browser forbids this page to open {url}; an https page needs a wss address");
        return io::Error::new(io::ErrorKind::PermissionDenied, message);
    }
    io::Error::new(io::ErrorKind::InvalidInput, format!("the browser cannot open {url}; check host and port"))
}

/// Does nothing when it is closed already.
fn close_socket(socket: &WebSocket) {
    if matches!(socket.ready_state(), WebSocket::CONNECTING | WebSocket::OPEN) {
        // Fails for codes and reasons that are not allowed, and this one is.
        let _ = socket.close_with_code(NORMAL_CLOSURE);
    }
}

impl Inner {
    /// Ready with the number of bytes to write now, once the send buffer is below [`HIGH_WATER`]. No event tells that, so the
    /// buffer is checked when it should be nearly empty, and whenever the other side sends something.
    fn poll_room(&mut self, cx: &mut Context<'_>) -> Poll<usize> {
        loop {
            let buffered = self.socket.buffered_amount() as usize;
            self.state.borrow_mut().full = buffered >= HIGH_WATER;
            if buffered < HIGH_WATER {
                (self.recheck, self.drain_rate) = (None, self.drain_rate.with_room());
                if self.task_bytes < MAX_TASK_BYTES {
                    return Poll::Ready((HIGH_WATER - buffered).min(MAX_TASK_BYTES - self.task_bytes));
                }
                ready!(self.poll_next_task(cx));
                continue;
            }
            if self.recheck.is_none() {
                let wait = self.drain_rate.wait_until(LOW_WATER, buffered, now());
                self.recheck = Some(sleep(wait));
            }
            if let Some(recheck) = &mut self.recheck {
                ready!(recheck.poll_unpin(cx));
            }
            (self.recheck, self.task_bytes) = (None, 0);
        }
    }

    fn poll_next_task(&mut self, cx: &Context<'_>) -> Poll<()> {
        if let Some(next_task) = &self.next_task {
            ready!(next_task.poll(cx));
        }
        self.task_bytes = 0;
        Poll::Ready(())
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, buffer: &[u8]) -> Poll<io::Result<usize>> {
        ready!(self.state.borrow_mut().poll_open(cx))?;
        // It is closing and the event is yet to come: the browser would silently drop the bytes.
        if self.socket.ready_state() != WebSocket::OPEN {
            return Poll::Ready(Err(closing()));
        }
        // The end of the connection wakes as well: timers of a hidden page are slow.
        self.state.borrow_mut().await_write(cx);
        let room = ready!(self.poll_room(cx)).min(buffer.len());
        if self.unsent.is_empty() && !self.is_busy() {
            self.send(&buffer[..room])?;
            self.task_bytes += room;
            return Poll::Ready(Ok(room));
        }
        let length = room.min(MESSAGE_BYTES - self.unsent.len());
        self.task_bytes += length;
        self.unsent.extend_from_slice(&buffer[..length]);
        if self.unsent.len() == MESSAGE_BYTES {
            self.send_unsent()?;
        }
        Poll::Ready(Ok(length))
    }

    /// Whether the browser has enough to send for a while.
    fn is_busy(&self) -> bool {
        self.socket.buffered_amount() as usize >= MESSAGE_BYTES
    }

    fn send(&self, bytes: &[u8]) -> io::Result<()> {
        self.socket.send_with_u8_array(bytes).map_err(|_| closing())
    }

    fn send_unsent(&mut self) -> io::Result<()> {
        let sent = self.send(&self.unsent);
        self.unsent.clear();
        sent
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.unsent.is_empty() {
            return Poll::Ready(Ok(()));
        }
        ready!(self.state.borrow_mut().poll_open(cx))?;
        if self.is_busy() {
            ready!(self.poll_next_task(cx));
        }
        Poll::Ready(self.send_unsent())
    }

    fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.state.borrow().is_over() {
            return Poll::Ready(Ok(()));
        }
        if !self.unsent.is_empty() {
            self.send_unsent()?;
        }
        self.state.borrow_mut().await_write(cx);
        close_socket(&self.socket);
        ready!(self.closing.get_or_insert_with(|| sleep(CLOSE_WAIT)).poll_unpin(cx));
        self.closing = None;
        Poll::Ready(Ok(()))
    }
}

#[allow(clippy::disallowed_methods, reason = "the one place that reads the clock")]
fn now() -> Instant {
    Instant::now()
}

fn closing() -> io::Error {
    io::Error::new(io::ErrorKind::BrokenPipe, "the connection is being closed")
}

impl Drop for Inner {
    fn drop(&mut self) {
        // Before the closures are freed: events for them may be queued.
        self.socket.set_onopen(None);
        self.socket.set_onmessage(None);
        self.socket.set_onerror(None);
        self.socket.set_onclose(None);
        close_socket(&self.socket);
    }
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        self.inner.state.borrow_mut().poll_read(cx, buffer)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &[u8]) -> Poll<io::Result<usize>> {
        self.inner.poll_write(cx, buffer)
    }

    /// Ready when what was written is the browser's, which sends it as fast as the network takes it: nothing can hurry
    /// it, and no event tells when it is done.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.inner.poll_flush(cx)
    }

    /// Ready when the other side has closed, too, or does not do so soon: what was written is the browser's by then.
    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.inner.poll_close(cx)
    }
}
