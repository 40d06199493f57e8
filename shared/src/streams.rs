//! The bytes of our own protocols: tasks that read and write streams and speak with the actor by messages.

use std::{
    hash::{BuildHasher, RandomState},
    io,
    time::Duration,
};

use futures::{AsyncReadExt, AsyncWrite, AsyncWriteExt, StreamExt};
use libp2p::{PeerId, Stream, StreamProtocol};
use libp2p_stream::{Control, OpenStreamError};
use n0_future::{
    task::spawn,
    time::{sleep, timeout},
};
use prost::Message;
use tokio::sync::{mpsc, oneshot, watch};

use crate::{
    core::{Input, TELL_QUEUE},
    framing::{read, write},
    hub::wire::{self as hub, FromHub, Watch},
    pace::{Pace, Turns},
    room::sync::{self, Answer, Question},
    steady::Steady,
};

/// Messages that wait for the actor.
const INPUT_QUEUE: usize = 256;
/// How long one message on a hub stream may take to be written.
const TELL_TIMEOUT: Duration = Duration::from_secs(30);
/// Watches of one peer that are read at a time, and the pause after them: who says more waits.
const WATCHES_AT_ONCE: usize = 16;
const WATCHES_PAUSE: Duration = Duration::from_millis(400);
/// So many rooms in a watch make it count as one more.
const ROOMS_PER_WATCH: usize = 32;
/// The same for reports of one hub.
const REPORTS_AT_ONCE: usize = 512;
const REPORTS_PAUSE: Duration = Duration::from_millis(500);
/// The same for whatever else a hub says.
const OTHERS_AT_ONCE: usize = 8;
const OTHERS_PAUSE: Duration = Duration::from_secs(1);
/// Syncs of one peer answered at once; more wait their turn.
const MAX_SYNCS_PER_PEER: usize = 2;
/// How long an answered sync keeps its turn, however small the answer.
const SYNC_PAUSE: Duration = Duration::from_millis(5);
/// Bytes of answers in one turn in a second: who asks for everything over and over gets twice as much, and no more.
const SYNC_BYTES_PER_SECOND: usize = 4 * 1024 * 1024;
/// Hub streams of one peer that are taken within `WATCHER_TURN`; more wait.
const WATCHERS_PER_TURN: usize = 4;
const WATCHER_TURN: Duration = Duration::from_secs(1);
/// So many wait, for at most two such turns; further ones are reset, the peer asks anew.
const MAX_WAITING_WATCHERS: usize = 8;
/// Waits before a sync that failed is tried again.
const SYNC_RETRIES: [Duration; 4] =
    [Duration::from_millis(500), Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(4)];
/// How long the bytes of a sync may stand still, whoever reads them; see [`Steady`]. A peer that takes a question and says
/// nothing is given up after this.
const SYNC_READ_TIMEOUT: Duration = Duration::from_secs(30);
/// The same for who writes them: yamux lets a reader take 128 KiB before it says so, 32 s on a line of 4 KiB/s.
const SYNC_WRITE_TIMEOUT: Duration = Duration::from_secs(60);
/// How long one sync may take however it goes on, the tries of who asks included. It leaves a full log of the default size,
/// 256 KiB and its presences, twice its time on a line of 4 KiB/s, as other things go over that line too; 2 MiB, the most
/// there may be, need 12 KiB/s. Who is slow on purpose holds a turn of its own for as long, nobody else's.
const SYNC_TIMEOUT: Duration = Duration::from_secs(180);

/// What the tasks tell the actor: with a stream that opens, where to speak on it.
#[derive(Debug)]
pub(crate) enum StreamEvent {
    /// [`Input::WatcherOpened`].
    WatcherOpened { peer: PeerId, serial: u64, tell: mpsc::Sender<FromHub> },
    /// [`Input::HubOpened`]. What is sent is written when the stream takes it; only the latest matters.
    HubOpened { hub: PeerId, serial: u64, tell: watch::Sender<Watch> },
    /// Everything else.
    Input(Input),
}

impl From<Input> for StreamEvent {
    fn from(input: Input) -> Self {
        Self::Input(input)
    }
}

/// Opens and accepts.
#[derive(Clone)]
pub(crate) struct Streams {
    control: Control,
    inputs: mpsc::Sender<StreamEvent>,
}

impl Streams {
    /// Starts accepting: syncs everywhere, hub streams on hubs.
    pub(crate) fn new(control: Control, is_hub: bool) -> (Self, mpsc::Receiver<StreamEvent>) {
        let (inputs, received) = mpsc::channel(INPUT_QUEUE);
        let streams = Self { control, inputs };
        streams.accept(sync::PROTOCOL, {
            let mut turns = Turns::new(MAX_SYNCS_PER_PEER);
            move |peer, stream, _, inputs| {
                let turn = turns.of(peer);
                spawn(async move {
                    let answered = timeout(SYNC_TIMEOUT, async {
                        // The peer waits as long for the answer's beginning.
                        let turn =
                            timeout(SYNC_READ_TIMEOUT, turn.acquire()).await.map_err(|_| io::ErrorKind::TimedOut)?;
                        let turn = turn.map_err(io::Error::other)?;
                        let bytes = answer_sync(peer, stream, inputs).await?;
                        Ok::<_, io::Error>((turn, bytes))
                    });
                    let answered = answered.await;
                    match answered {
                        Ok(Ok((_turn, bytes))) => {
                            tracing::debug!(%peer, bytes, "sync answered");
                            let pause = bytes as f64 / SYNC_BYTES_PER_SECOND as f64;
                            sleep(SYNC_PAUSE + Duration::from_secs_f64(pause)).await;
                        }
                        Ok(Err(error)) => tracing::debug!(%peer, %error, "a sync was not answered"),
                        Err(_) => tracing::debug!(%peer, "a sync took too long"),
                    }
                });
            }
        });
        if is_hub {
            let mut turns = Turns::new(WATCHERS_PER_TURN);
            // Places of those in turn and of those that wait.
            let mut line = Turns::new(WATCHERS_PER_TURN + MAX_WAITING_WATCHERS);
            streams.accept(hub::PROTOCOL, move |peer, stream, serial, inputs| {
                let Ok(place) = line.of(peer).try_acquire_owned() else {
                    tracing::debug!(%peer, "a hub stream is reset: too many wait");
                    return;
                };
                let turns = turns.of(peer);
                spawn(async move {
                    // Fails never: turns are not closed.
                    let Ok(turn) = turns.acquire().await else { return };
                    let keep_turn = async move {
                        sleep(WATCHER_TURN).await;
                        drop((turn, place));
                    };
                    futures::join!(serve_watcher(peer, serial, stream, inputs), keep_turn);
                });
            });
        }
        (streams, received)
    }

    fn accept(
        &self,
        protocol: StreamProtocol,
        mut take: impl FnMut(PeerId, Stream, u64, mpsc::Sender<StreamEvent>) + Send + 'static,
    ) {
        let inputs = self.inputs.clone();
        match self.control.clone().accept(protocol) {
            Ok(mut incoming) => {
                spawn(async move {
                    let mut serial = 0;
                    while let Some((peer, stream)) = incoming.next().await {
                        serial += 1;
                        take(peer, stream, serial, inputs.clone());
                    }
                });
            }
            Err(error) => tracing::error!(%error, "a protocol is accepted twice"),
        }
    }

    /// Opens the stream to a hub; [`Input::HubOpened`] or [`Input::HubClosed`] follows.
    pub(crate) fn open_hub(&self, hub: PeerId, serial: u64) {
        let (mut control, inputs) = (self.control.clone(), self.inputs.clone());
        spawn(async move {
            let ended = match control.open_stream(hub, hub::PROTOCOL).await {
                Ok(stream) => follow_hub(hub, serial, stream, &inputs).await,
                Err(OpenStreamError::Io(error)) => Err(error),
                Err(error) => Err(io::Error::other(error.to_string())),
            };
            tracing::debug!(%hub, ?ended, "hub stream ended");
            let _ = inputs.send(Input::HubClosed { hub, serial }.into()).await;
        });
    }

    /// Asks a peer, again when it fails; [`Input::Answered`] follows.
    pub(crate) fn ask(&self, peer: PeerId, question: Question) {
        let (mut control, inputs) = (self.control.clone(), self.inputs.clone());
        spawn(async move {
            let answer = timeout(SYNC_TIMEOUT, async {
                let mut retries = SYNC_RETRIES.into_iter();
                loop {
                    match ask_once(&mut control, peer, &question).await {
                        Ok(answer) => break Some(answer),
                        Err(error) => tracing::debug!(%peer, room = question.room, %error, "sync failed"),
                    }
                    let wait = retries.next()?;
                    sleep(wait.mul_f64(0.5 + rand::random::<f64>())).await;
                }
            });
            // Time is up: as if there was no answer.
            let answer = answer.await.unwrap_or_default();
            let _ = inputs.send(Input::Answered { peer, room: question.room, answer }.into()).await;
        });
    }
}

async fn ask_once(control: &mut Control, peer: PeerId, question: &Question) -> io::Result<Answer> {
    let opened = control.open_stream(peer, sync::PROTOCOL).await;
    let mut stream = opened.map_err(|error| io::Error::other(error.to_string()))?;
    write(&mut Steady::new(&mut stream, SYNC_WRITE_TIMEOUT), question).await?;
    let mut answering = Steady::new(&mut stream, SYNC_READ_TIMEOUT);
    let answer = read(&mut answering, sync::MAX_BYTES).await?;
    answering.close().await?;
    Ok(answer)
}

/// Returns the bytes of the answer.
async fn answer_sync(peer: PeerId, mut stream: Stream, inputs: mpsc::Sender<StreamEvent>) -> io::Result<usize> {
    let question: Question = read(&mut Steady::new(&mut stream, SYNC_READ_TIMEOUT), sync::MAX_BYTES).await?;
    let (reply, answer) = oneshot::channel();
    inputs.send(Input::Asked { peer, question, reply }.into()).await.map_err(io::Error::other)?;
    let answer = answer.await.map_err(io::Error::other)?;
    let mut stream = Steady::new(stream, SYNC_WRITE_TIMEOUT);
    write(&mut stream, &answer).await?;
    stream.close().await?;
    Ok(answer.encoded_len())
}

async fn serve_watcher(peer: PeerId, serial: u64, stream: Stream, inputs: mpsc::Sender<StreamEvent>) {
    let (tell, mut told) = mpsc::channel::<FromHub>(TELL_QUEUE);
    if inputs.send(StreamEvent::WatcherOpened { peer, serial, tell }).await.is_err() {
        return;
    }
    let (mut reader, mut writer) = stream.split();
    // Of the latest watch only a hash is kept: enough to tell whether the next one is the same.
    let (mut pace, hasher, mut latest) = (Pace::new(WATCHES_AT_ONCE, WATCHES_PAUSE), RandomState::new(), None);
    let listen = async {
        loop {
            let watch: Watch = read(&mut reader, hub::MAX_BYTES).await?;
            pace.read(1 + watch.rooms.len() / ROOMS_PER_WATCH).await;
            let hash = hasher.hash_one(&watch);
            if latest.replace(hash) != Some(hash) {
                inputs.send(Input::Watch { peer, serial, watch }.into()).await.map_err(io::Error::other)?;
            }
        }
    };
    let speak = async {
        while let Some(message) = told.recv().await {
            write_in_time(&mut writer, &message).await?;
            let mut messages = 1;
            while let Ok(message) = told.try_recv() {
                write_in_time(&mut writer, &message).await?;
                messages += 1;
            }
            inputs.send(Input::WatcherTook { peer, serial, messages }.into()).await.map_err(io::Error::other)?;
        }
        writer.close().await
    };
    let ended = until_either_ends(listen, speak).await;
    tracing::debug!(%peer, ?ended, "a peer's hub stream ended");
    let _ = inputs.send(Input::WatcherClosed { peer, serial }.into()).await;
}

async fn follow_hub(hub: PeerId, serial: u64, stream: Stream, inputs: &mpsc::Sender<StreamEvent>) -> io::Result<()> {
    let (tell, mut told) = watch::channel(Watch::default());
    inputs.send(StreamEvent::HubOpened { hub, serial, tell }).await.map_err(io::Error::other)?;
    let (mut reader, mut writer) = stream.split();
    let mut reports = Pace::new(REPORTS_AT_ONCE, REPORTS_PAUSE);
    let mut others = Pace::new(OTHERS_AT_ONCE, OTHERS_PAUSE);
    let listen = async {
        loop {
            let message: FromHub = read(&mut reader, hub::MAX_BYTES).await?;
            let is_report = message.report.is_some() && message.hello.is_none() && message.reason.is_none();
            // Each presence has a signature to be checked.
            let presences = message.report.as_ref().map_or(0, |report| report.presences.len());
            if is_report { &mut reports } else { &mut others }.read(1 + presences).await;
            inputs.send(Input::FromHub { hub, serial, message }.into()).await.map_err(io::Error::other)?;
        }
    };
    let speak = async {
        // Ends when the actor has forgotten the stream.
        while told.changed().await.is_ok() {
            let watch = told.borrow_and_update().clone();
            write_in_time(&mut writer, &watch).await?;
        }
        writer.close().await
    };
    until_either_ends(listen, speak).await
}

async fn write_in_time<M: Message>(writer: &mut (impl AsyncWrite + Unpin), message: &M) -> io::Result<()> {
    timeout(TELL_TIMEOUT, write(writer, message)).await.map_err(|_| io::ErrorKind::TimedOut)?
}

async fn until_either_ends(
    listen: impl Future<Output = io::Result<()>>,
    speak: impl Future<Output = io::Result<()>>,
) -> io::Result<()> {
    tokio::select! {
        ended = listen => ended,
        ended = speak => ended,
    }
}
