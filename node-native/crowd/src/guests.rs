//! Who is in the room, of either kind, and the board that all are on.

use std::{sync::Arc, time::Duration};

use anyhow::Result;
use libp2p::Multiaddr;

use crate::{
    board::Board,
    crowd::{Crowd, Dialled},
    rows::Kind,
    stock::Stock,
};

/// Peers of one kind.
#[derive(Debug)]
pub(crate) struct Guests {
    pub(crate) board: Arc<Board>,
    who: Who,
}

#[derive(Debug)]
enum Who {
    Tincan(Crowd),
    /// Beside them one peer of Tincan, the last on the board, who says when the hub knows all of them.
    Stock {
        peers: Stock,
        observer: Crowd,
    },
}

impl Guests {
    pub(crate) async fn gather(kind: Kind, count: usize) -> Result<Self> {
        match kind {
            Kind::Tincan => {
                let board = Arc::new(Board::new(count));
                Ok(Self { who: Who::Tincan(Crowd::gather(0..count, &board).await?), board })
            }
            Kind::Stock => {
                let board = Arc::new(Board::new(count + 1));
                // No hub tells them a total.
                (0..count).for_each(|peer| board.want(peer, 0));
                let observer = Crowd::gather(count..count + 1, &board).await?;
                Ok(Self { who: Who::Stock { peers: Stock::gather(count, &board)?, observer }, board })
            }
        }
    }

    /// How many say lines.
    pub(crate) fn len(&self) -> usize {
        match &self.who {
            Who::Tincan(crowd) => crowd.len(),
            Who::Stock { peers, .. } => peers.len(),
        }
    }

    /// How many are on the board.
    pub(crate) fn all(&self) -> usize {
        match &self.who {
            Who::Tincan(crowd) => crowd.len(),
            Who::Stock { peers, observer } => peers.len() + observer.len(),
        }
    }

    /// Those of Tincan, where all are.
    pub(crate) fn crowd(&self) -> Option<&Crowd> {
        match &self.who {
            Who::Tincan(crowd) => Some(crowd),
            Who::Stock { .. } => None,
        }
    }

    /// All dial the hub, at equal distances over this time.
    pub(crate) async fn join(&self, hub: &Multiaddr, over: Duration) -> Result<Dialled> {
        match &self.who {
            Who::Tincan(crowd) => crowd.join(hub, over).await,
            Who::Stock { peers, observer } => {
                observer.join(hub, Duration::ZERO).await?;
                peers.join(hub, over).await
            }
        }
    }

    /// One says a line. False where it waits with its author.
    pub(crate) async fn say(&self, author: usize, text: String) -> Result<bool> {
        match &self.who {
            Who::Tincan(crowd) => crowd.say(author, text).await,
            Who::Stock { peers, .. } => peers.say(author, text).await.map(|()| true),
        }
    }

    pub(crate) async fn leave(self) {
        match self.who {
            Who::Tincan(crowd) => crowd.leave().await,
            Who::Stock { observer, .. } => observer.leave().await,
        }
    }
}
