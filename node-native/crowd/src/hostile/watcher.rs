//! A client that says `Watch` over and over, each time about other rooms, as fast as the hub takes it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use anyhow::Result;
use futures::{AsyncReadExt, AsyncWriteExt};
use libp2p::{Multiaddr, PeerId, Stream};
use prost::Message;
use tokio::{task::JoinSet, time::sleep};

use super::Raw;
use crate::{
    ROOM,
    wire::{HUB, Watch},
};

/// A hub takes four streams of one peer a second, and keeps few waiting.
const STREAM_EVERY: Duration = Duration::from_millis(250);
/// Streams that it keeps open at once.
const MAX_STREAMS: usize = 64;
/// Watches that are written at once.
const AT_ONCE: usize = 8;

/// The client, until this is dropped.
#[derive(Debug)]
pub(crate) struct Watcher {
    counts: Arc<Counts>,
    /// Aborted when dropped.
    _task: JoinSet<()>,
}

#[derive(Debug, Default)]
struct Counts {
    said: AtomicU64,
    told: AtomicU64,
}

impl Watcher {
    pub(crate) async fn come(hub: &Multiaddr, id: PeerId) -> Result<Self> {
        let mut raw = Raw::new(false)?;
        raw.connect(hub).await?;
        let (counts, mut task) = (Arc::new(Counts::default()), JoinSet::new());
        let counted = counts.clone();
        let hub = hub.clone();
        task.spawn(async move {
            loop {
                run(&mut raw, id, &counted).await;
                // It was cut off: it comes again.
                while raw.connect(&hub).await.is_err() {
                    sleep(STREAM_EVERY).await;
                }
            }
        });
        Ok(Self { counts, _task: task })
    }

    /// Watches that it has said, read or not, and KiB that it was told.
    pub(crate) fn counts(&self) -> (u64, u64) {
        (self.counts.said.load(Ordering::Relaxed), self.counts.told.load(Ordering::Relaxed) / 1024)
    }
}

/// Opens one stream after the other, and speaks on all of them, until the connection ends.
async fn run(raw: &mut Raw, hub: PeerId, counts: &Arc<Counts>) {
    let (mut control, counts) = (raw.control.clone(), counts.clone());
    let speak = async move {
        let mut streams = JoinSet::new();
        loop {
            while streams.try_join_next().is_some() {}
            if streams.len() < MAX_STREAMS
                && let Ok(stream) = control.open_stream(hub, HUB).await
            {
                streams.spawn(repeat(stream, counts.clone()));
            }
            sleep(STREAM_EVERY).await;
        }
    };
    tokio::select! {
        () = speak => {}
        () = raw.run() => {}
    }
}

/// Says it until the stream ends.
async fn repeat(stream: Stream, counts: Arc<Counts>) {
    let (mut reader, mut writer) = stream.split();
    let speak = async {
        for first in (0u64..).step_by(AT_ONCE) {
            let watches = (first..).take(AT_ONCE).flat_map(|n| watch(n).encode_length_delimited_to_vec());
            writer.write_all(&watches.collect::<Vec<u8>>()).await?;
            counts.said.fetch_add(AT_ONCE as u64, Ordering::Relaxed);
        }
        Ok::<_, std::io::Error>(())
    };
    let hear = async {
        let mut bytes = vec![0; 16 * 1024];
        while let Ok(count @ 1..) = reader.read(&mut bytes).await {
            counts.told.fetch_add(count as u64, Ordering::Relaxed);
        }
    };
    tokio::select! {
        _ = speak => {}
        () = hear => {}
    }
}

/// The crowd's room each second time, so that its listing is wanted anew, and another room in between. A hub reads sixteen and
/// pauses: the last of them is about the crowd's.
fn watch(n: u64) -> Watch {
    let room = if n.is_multiple_of(2) { format!("elsewhere {n}") } else { ROOM.to_owned() };
    Watch { rooms: vec![room] }
}
