//! Peers in the room that ask for all that there is, and then stop reading their sockets.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use anyhow::{Context, Result};
use futures::AsyncWriteExt;
use libp2p::{Multiaddr, PeerId, Stream};
use prost::Message;
use tokio::{
    sync::watch,
    task::JoinSet,
    time::{sleep, timeout},
};

use super::Raw;
use crate::{
    ROOM,
    wire::{HUB, Question, SYNC, Watch},
};

/// A hub's ping gives up within 20 s; who was hung up on comes again, as somebody else.
const LIFE: Duration = Duration::from_secs(25);
/// After a connection that did not come about.
const PAUSE: Duration = Duration::from_millis(500);

/// So many of them, until this is dropped.
#[derive(Debug)]
pub(crate) struct Deaf {
    all: usize,
    /// How many are deaf by now, or were once.
    deaf: Arc<watch::Sender<usize>>,
    /// Aborted when dropped.
    _tasks: JoinSet<()>,
}

impl Deaf {
    pub(crate) fn come(hub: &Multiaddr, id: PeerId, count: usize) -> Self {
        let (deaf, mut tasks) = (Arc::new(watch::Sender::new(0)), JoinSet::new());
        for _ in 0..count {
            let (hub, deaf) = (hub.clone(), deaf.clone());
            tasks.spawn(async move {
                let mut was_deaf = false;
                loop {
                    let came = timeout(LIFE, come(&hub, id)).await;
                    let Ok(Ok((mut raw, _streams))) = came else {
                        sleep(PAUSE).await;
                        continue;
                    };
                    if !std::mem::replace(&mut was_deaf, true) {
                        deaf.send_modify(|deaf| *deaf += 1);
                    }
                    // An end is as good as time that is over.
                    let _ = timeout(LIFE, raw.run()).await;
                }
            });
        }
        Self { all: count, deaf, _tasks: tasks }
    }

    /// How many are deaf by now, or were once.
    pub(crate) fn count(&self) -> usize {
        *self.deaf.borrow()
    }

    /// Waits until all are deaf.
    pub(crate) async fn until_all_are(&self, within: Duration) {
        let mut deaf = self.deaf.subscribe();
        // Fewer are reported as fewer.
        let _ = timeout(within, deaf.wait_for(|deaf| *deaf >= self.all)).await;
    }
}

/// Comes into the room, asks who is there and for the last lines, and reads no answer.
async fn come(hub: &Multiaddr, id: PeerId) -> Result<(Raw, [Stream; 2])> {
    let mut raw = Raw::new(true)?;
    raw.connect(hub).await?;
    let mut watch = raw.open(id, HUB).await.context("no hub stream")?;
    let mut sync = raw.open(id, SYNC).await.context("no sync")?;
    let watched = Watch { rooms: vec![ROOM.to_owned()] }.encode_length_delimited_to_vec();
    let question = Question { room: ROOM.to_owned(), give: Vec::new() }.encode_length_delimited_to_vec();
    raw.deaf.store(true, Ordering::Relaxed);
    let asking = async {
        for (stream, asked) in [(&mut watch, watched), (&mut sync, question)] {
            stream.write_all(&asked).await?;
            stream.flush().await?;
        }
        Ok::<_, std::io::Error>(())
    };
    tokio::select! {
        asked = asking => asked?,
        () = raw.run() => anyhow::bail!("the hub hung up"),
    }
    Ok((raw, [watch, sync]))
}
