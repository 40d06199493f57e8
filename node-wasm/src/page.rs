//! The one small seam through which a page holds its node. All that passes is plain data, so that a
//! worker or another tab can hold the node in the page's place later.

use std::sync::Arc;

use tincan_shared::{
    Error, Event, Events, Message, Multiaddr, Node, NodeInfo, PeerId, PeerInfo, RoomInfo, Said, Status, Surface, repl,
};
use tokio::sync::Notify;

use crate::{
    storage::Unwritten,
    transport::{self, Surroundings},
    wake::Wake,
};

/// A running node, as a page sees it. Clones speak to the same one.
#[derive(Debug, Clone)]
pub struct PageNode {
    node: Node,
    surroundings: Surroundings,
    retry: Arc<Notify>,
    unwritten: Option<Unwritten>,
    wake: Wake,
}

/// What the node tells the page, in order.
#[derive(Debug)]
pub struct PageEvents(Events);

impl PageEvents {
    /// The next event. [`Event::Stopped`] is the last one, and repeats.
    pub async fn next(&mut self) -> Event {
        self.0.next().await
    }
}

impl From<Events> for PageEvents {
    fn from(events: Events) -> Self {
        Self(events)
    }
}

impl PageNode {
    pub(crate) fn new(node: Node, surroundings: Surroundings, unwritten: Option<Unwritten>, wake: Wake) -> Self {
        Self { node, surroundings, retry: Arc::default(), unwritten, wake }
    }

    /// This node's peer id.
    #[must_use]
    pub fn peer_id(&self) -> PeerId {
        self.node.peer_id()
    }

    /// One more listener; it hears what happens from now on.
    #[must_use]
    pub fn events(&self) -> PageEvents {
        PageEvents(self.node.events())
    }

    /// What the node says about itself.
    ///
    /// # Errors
    /// [`Error::Stopped`].
    pub async fn info(&self) -> Result<NodeInfo, Error> {
        self.node.info().await
    }

    /// How the node stands to the network.
    ///
    /// # Errors
    /// [`Error::Stopped`].
    pub async fn status(&self) -> Result<Status, Error> {
        self.node.status().await
    }

    /// Everybody connected.
    ///
    /// # Errors
    /// [`Error::Stopped`].
    pub async fn peers(&self) -> Result<Vec<PeerInfo>, Error> {
        self.node.peers().await
    }

    /// The joined rooms.
    ///
    /// # Errors
    /// [`Error::Stopped`].
    pub async fn rooms(&self) -> Result<Vec<RoomInfo>, Error> {
        self.node.rooms().await
    }

    /// The last lines of a room, oldest first, waiting ones last.
    ///
    /// # Errors
    /// As [`Node::messages`].
    pub async fn messages(&self, room: impl Into<String>) -> Result<Vec<Message>, Error> {
        self.node.messages(room).await
    }

    /// Joins a room; `plain` for one of another program.
    ///
    /// # Errors
    /// As [`Node::join`].
    pub async fn join(&self, room: impl Into<String>, plain: bool) -> Result<RoomInfo, Error> {
        self.node.join(room, plain).await
    }

    /// Lets members of a room connect to this page directly, or no longer.
    ///
    /// # Errors
    /// As [`Node::set_direct`].
    pub async fn set_direct(&self, room: impl Into<String>, direct: bool) -> Result<(), Error> {
        self.node.set_direct(room, direct).await
    }

    /// Leaves a room.
    ///
    /// # Errors
    /// As [`Node::leave`].
    pub async fn leave(&self, room: impl Into<String>) -> Result<(), Error> {
        self.node.leave(room).await
    }

    /// Says a line, or keeps it until somebody is there.
    ///
    /// # Errors
    /// As [`Node::say`].
    pub async fn say(&self, room: impl Into<String>, text: impl Into<String>) -> Result<Said, Error> {
        self.node.say(room, text).await
    }

    /// Changes the nick, in all rooms.
    ///
    /// # Errors
    /// As [`Node::set_nick`].
    pub async fn set_nick(&self, nick: impl Into<String>) -> Result<(), Error> {
        self.node.set_nick(nick).await
    }

    /// Dials lost hubs now instead of after their back-off, and asks the page's origin for its hub anew.
    ///
    /// # Errors
    /// [`Error::Stopped`].
    pub async fn retry(&self) -> Result<(), Error> {
        self.retry.notify_waiters();
        self.node.retry().await
    }

    /// Waits until all that happened before is in the browser's storage. False when it never will be, as where this
    /// browser keeps nothing.
    pub async fn is_stored(&self) -> bool {
        match &self.unwritten {
            Some(unwritten) => unwritten.written().await,
            None => false,
        }
    }

    /// The browser has a network again, or the page goes on after a pause: as [`Self::retry`], but for hubs that told us to
    /// stay away. Connections that do not work any more are closed.
    pub(crate) async fn is_back(&self) -> Result<(), Error> {
        self.wake.ask();
        self.retry.notify_waiters();
        self.node.dial_lost().await
    }

    /// Connects to an address, once.
    ///
    /// # Errors
    /// [`Error::Address`] for what is no address or none a page can dial, else as [`Node::dial`].
    pub async fn dial(&self, address: &str) -> Result<PeerId, Error> {
        self.node.dial(transport::parse(address, &self.surroundings)?).await
    }

    /// One console line, one answer.
    ///
    /// # Errors
    /// As [`repl::answer`].
    pub async fn console(&self, line: &str) -> Result<String, Error> {
        repl::answer(&self.node, line, Surface::Screen).await.map(repl::Answer::line)
    }

    /// Stays connected to one hub from now on.
    pub(crate) async fn stay_connected(&self, hub: Vec<Multiaddr>) -> Result<(), Error> {
        self.node.stay_connected(hub).await
    }

    /// Dials lost hubs now, but for those that told us to stay away.
    pub(crate) async fn dial_lost(&self) -> Result<(), Error> {
        self.node.dial_lost().await
    }

    /// Until somebody calls [`Self::retry`] or [`Self::is_back`].
    pub(crate) async fn wants_retry(&self) {
        self.retry.notified().await;
    }

    /// Ends the node.
    pub(crate) async fn shutdown(&self) {
        self.node.shutdown().await;
    }

    pub(crate) fn surroundings(&self) -> &Surroundings {
        &self.surroundings
    }
}
