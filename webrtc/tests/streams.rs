//! Two ends of an in-memory channel that takes little at a time: streams as libp2p uses them.

use std::{
    collections::VecDeque,
    io::ErrorKind,
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::Context,
    time::Duration,
};

use bytes::Bytes;
use futures::{
    AsyncReadExt, AsyncWrite, AsyncWriteExt, future,
    task::{ArcWake, waker_ref},
};
use tincan_webrtc::{
    Budget, Channel, ChannelEvents, ChannelGone, FinAckSupport, Limits, Opener, Stream, frame,
    machine::FIN_ACK_TIMEOUT, open,
};
use tokio::sync::Notify;

/// Messages that lie in a channel before it takes no more.
const DEPTH: usize = 2;

#[derive(Default)]
struct Pipe {
    messages: Mutex<VecDeque<Bytes>>,
    changed: Notify,
    closed: AtomicBool,
}

impl Pipe {
    fn messages(&self) -> MutexGuard<'_, VecDeque<Bytes>> {
        self.messages.lock().expect("nobody panicked with it")
    }

    fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Relaxed)
    }
}

struct End(Arc<Pipe>);

impl Channel for End {
    fn has_room(&self) -> bool {
        self.0.messages().len() < DEPTH
    }

    fn send(&mut self, message: Bytes) -> Result<(), ChannelGone> {
        self.0.messages().push_back(message);
        self.0.changed.notify_one();
        Ok(())
    }

    fn close(&mut self) {
        self.0.closed.store(true, Ordering::Relaxed);
        self.0.changed.notify_one();
    }
}

/// Carries messages one way until the channel is closed.
async fn carry(pipe: Arc<Pipe>, sender: ChannelEvents, receiver: ChannelEvents) {
    loop {
        let message = pipe.messages().pop_front();
        match message {
            Some(message) => {
                receiver.on_message(message);
                sender.on_drained();
            }
            None if pipe.is_closed() => return receiver.on_closed(),
            None => pipe.changed.notified().await,
        }
    }
}

struct Pair {
    streams: [Stream; 2],
    pipes: [Arc<Pipe>; 2],
    channels: [ChannelEvents; 2],
    carrying: [tokio::task::JoinHandle<()>; 2],
}

fn pair(limits: Limits) -> Pair {
    let pipes = [Arc::new(Pipe::default()), Arc::new(Pipe::default())];
    let memory = Budget::new(limits).connection();
    memory.set_authenticated();
    let [one, other] = [(&pipes[0], Opener::Local), (&pipes[1], Opener::Remote)]
        .map(|(pipe, opened)| open(End(pipe.clone()), opened, &memory, FinAckSupport::default()));
    let carry = |from: usize, sender: &ChannelEvents, receiver: &ChannelEvents| {
        tokio::spawn(carry(pipes[from].clone(), sender.clone(), receiver.clone()))
    };
    let carrying = [carry(0, &one.1, &other.1), carry(1, &other.1, &one.1)];
    Pair { streams: [one.0, other.0], pipes, channels: [one.1, other.1], carrying }
}

#[tokio::test]
async fn a_megabyte_each_way_at_once_and_the_channels_close() {
    let Pair { streams: [mut one, mut other], carrying, .. } = pair(Limits::default());
    let sent: Vec<u8> = (0..1 << 20).map(|at: u32| (at * 31) as u8).collect();
    let talk = async |stream: &mut Stream| {
        let (mut reader, mut writer) = futures::AsyncReadExt::split(stream);
        let write = async {
            writer.write_all(&sent).await.unwrap();
            writer.close().await.unwrap();
        };
        let mut received = Vec::new();
        let (_, read) = future::join(write, reader.read_to_end(&mut received)).await;
        read.unwrap();
        assert!(received == sent);
    };
    future::join(talk(&mut one), talk(&mut other)).await;
    for carried in carrying {
        carried.await.unwrap();
    }
}

#[tokio::test]
async fn who_closes_before_reading_gets_the_answer() {
    let Pair { streams: [mut asker, mut answerer], carrying, .. } = pair(Limits::default());
    let ask = async {
        asker.write_all(b"question").await.unwrap();
        asker.close().await.unwrap();
        let mut answer = String::new();
        asker.read_to_string(&mut answer).await.unwrap();
        answer
    };
    let answer = async {
        let mut question = String::new();
        answerer.read_to_string(&mut question).await.unwrap();
        answerer.write_all(question.to_uppercase().as_bytes()).await.unwrap();
        answerer.close().await.unwrap();
    };
    assert_eq!(future::join(ask, answer).await.0, "QUESTION");
    drop((asker, answerer));
    for carried in carrying {
        carried.await.unwrap();
    }
}

#[tokio::test]
async fn a_dropped_stream_is_reset_and_its_reader_learns_it() {
    let Pair { streams: [mut one, mut other], carrying, .. } = pair(Limits::default());
    one.write_all(b"half").await.unwrap();
    drop(one);
    let mut read = Vec::new();
    let error = other.read_to_end(&mut read).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    assert_eq!(other.write_all(b"x").await.unwrap_err().kind(), ErrorKind::ConnectionReset);
    for carried in carrying {
        carried.await.unwrap();
    }
}

#[tokio::test]
async fn a_lost_channel_wakes_reader_and_writer() {
    let Pair { streams: [mut one, _other], channels: [events, _], carrying, .. } = pair(Limits::default());
    carrying.iter().for_each(tokio::task::JoinHandle::abort);
    let (mut reader, mut writer) = futures::AsyncReadExt::split(&mut one);
    let mut buffer = [0];
    let read = reader.read(&mut buffer);
    let write = async { writer.write_all(&[0; 1 << 20]).await };
    let lose = async {
        tokio::task::yield_now().await;
        events.on_closed();
    };
    let (read, write, ()) = future::join3(read, write, lose).await;
    assert_eq!(read.unwrap_err().kind(), ErrorKind::ConnectionAborted);
    assert_eq!(write.unwrap_err().kind(), ErrorKind::ConnectionAborted);
}

/// Counts how often it is woken.
#[derive(Default)]
struct Woken(AtomicUsize);

impl ArcWake for Woken {
    fn wake_by_ref(woken: &Arc<Self>) {
        woken.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[tokio::test]
async fn a_writer_that_asks_again_while_it_waits_is_not_woken_by_asking() {
    let Pair { streams: [mut one, _other], channels: [events, _], pipes: [pipe, _], carrying } =
        pair(Limits::default());
    carrying.iter().for_each(tokio::task::JoinHandle::abort);
    let woken = Arc::new(Woken::default());
    let waker = waker_ref(&woken);
    let mut cx = Context::from_waker(&waker);
    let taken = |free: bool| {
        if free {
            pipe.messages().clear();
            events.on_drained();
        }
        woken.0.swap(0, Ordering::Relaxed)
    };
    let some = [0; 1024];
    while Pin::new(&mut one).poll_write(&mut cx, &some).is_ready() {}
    taken(false);
    for _ in 0..3 {
        assert!(Pin::new(&mut one).poll_write(&mut cx, &some).is_pending());
        assert!(Pin::new(&mut one).poll_flush(&mut cx).is_pending());
    }
    for _ in 0..3 {
        assert!(Pin::new(&mut one).poll_close(&mut cx).is_pending());
    }
    assert_eq!(taken(false), 0, "nothing has changed");
    let mut told = 0;
    while Pin::new(&mut one).poll_close(&mut cx).is_pending() {
        told += taken(true);
    }
    assert_eq!(told, 1, "once it is closed, and not before");
}

#[tokio::test]
async fn what_comes_when_nobody_waits_for_it_wakes_who_used_the_stream_last() {
    let Pair { streams: [mut one, _other], channels: [events, _], carrying, .. } = pair(Limits::default());
    carrying.iter().for_each(tokio::task::JoinHandle::abort);
    let woken = Arc::new(Woken::default());
    let waker = waker_ref(&woken);
    let mut cx = Context::from_waker(&waker);
    assert!(Pin::new(&mut one).poll_write(&mut cx, b"an answer").is_ready());
    for _ in 0..3 {
        events.on_message(frame::data(b"the next question"));
    }
    assert_eq!(woken.0.load(Ordering::Relaxed), 1);
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_never_acknowledges_keeps_no_channel_open() {
    let Pair { streams: [mut one, _other], pipes: [pipe, _], channels: [events, _], carrying } =
        pair(Limits::default());
    carrying.iter().for_each(tokio::task::JoinHandle::abort);
    events.on_message(frame::signal(frame::Flag::Fin));
    one.close().await.unwrap();
    pipe.messages().clear();
    events.on_drained();
    drop(one);
    assert!(!pipe.is_closed());
    tokio::time::sleep(FIN_ACK_TIMEOUT + Duration::from_millis(10)).await;
    assert!(pipe.is_closed());
}
