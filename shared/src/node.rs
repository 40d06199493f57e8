//! The handle: a cheap clone whose methods ask the one actor that owns the swarm.

use libp2p::{Multiaddr, PeerId};
use tokio::sync::{broadcast, mpsc, oneshot};

use crate::{
    Config, Counters, Error, Event, HostBehaviour, Message, NodeInfo, PeerInfo, Platform, ProvideOutcome, PutOutcome,
    RoomInfo, Rules, Said, Status, StoredRoom, actor::Actor, command::Command,
};

/// Commands that may wait for the actor.
const COMMAND_QUEUE: usize = 256;
/// Events a slow listener may fall behind before it misses some.
const EVENT_QUEUE: usize = 4096;

/// A running node. Clones speak to the same one; it ends with [`Node::shutdown`] or its last clone.
#[derive(Debug, Clone)]
pub struct Node {
    commands: mpsc::Sender<Command>,
    /// Weak, so that listeners learn when the actor is gone, however it went.
    events: broadcast::WeakSender<Event>,
    peer_id: PeerId,
}

/// A listener's end of the event stream.
#[derive(Debug)]
pub struct Events {
    /// Nothing once the node has stopped.
    receiver: Option<broadcast::Receiver<Event>>,
}

impl Events {
    /// The next event. [`Event::Stopped`] is the last one, and repeats.
    pub async fn next(&mut self) -> Event {
        let Some(receiver) = &mut self.receiver else { return Event::Stopped };
        match receiver.recv().await {
            Ok(Event::Stopped) | Err(broadcast::error::RecvError::Closed) => {
                self.receiver = None;
                Event::Stopped
            }
            Ok(event) => event,
            Err(broadcast::error::RecvError::Lagged(missed)) => Event::Lagged { missed },
        }
    }
}

impl Node {
    /// Starts a node. Nothing happens before this returns, so its [`Events`] miss nothing.
    ///
    /// # Errors
    /// A setting out of bounds, or an address that cannot be listened on.
    pub fn spawn<B: HostBehaviour>(config: Config, platform: Platform<B>) -> Result<(Self, Events), Error> {
        config.validate()?;
        let peer_id = platform.keypair.public().to_peer_id();
        let (commands, inbox) = mpsc::channel(COMMAND_QUEUE);
        let (events, listener) = broadcast::channel(EVENT_QUEUE);
        let actor = Actor::new(config, platform, inbox, events.clone())?;
        let events = events.downgrade();
        n0_future::task::spawn(actor.run());
        Ok((Self { commands, events, peer_id }, Events { receiver: Some(listener) }))
    }

    /// This node's peer id.
    #[must_use]
    pub fn peer_id(&self) -> PeerId {
        self.peer_id
    }

    /// One more listener; it hears what happens from now on.
    #[must_use]
    pub fn events(&self) -> Events {
        Events { receiver: self.events.upgrade().map(|events| events.subscribe()) }
    }

    /// What the node says about itself.
    ///
    /// # Errors
    /// [`Error::Stopped`].
    pub async fn info(&self) -> Result<NodeInfo, Error> {
        self.ask(|reply| Command::Info { reply }).await
    }

    /// How the node stands to the network.
    ///
    /// # Errors
    /// [`Error::Stopped`].
    pub async fn status(&self) -> Result<Status, Error> {
        self.ask(|reply| Command::Status { reply }).await
    }

    /// Everybody connected.
    ///
    /// # Errors
    /// [`Error::Stopped`].
    pub async fn peers(&self) -> Result<Vec<PeerInfo>, Error> {
        self.ask(|reply| Command::Peers { reply }).await
    }

    /// What happened so far, in numbers.
    ///
    /// # Errors
    /// [`Error::Stopped`].
    pub async fn counters(&self) -> Result<Counters, Error> {
        self.ask(|reply| Command::Counters { reply }).await
    }

    /// Takes new rules without dropping anybody whom they do not forbid. Answers with the names of changed limits
    /// that take effect with the next start only.
    ///
    /// # Errors
    /// A rule out of bounds: the old ones stay. [`Error::Stopped`].
    pub async fn reload(&self, rules: Rules) -> Result<Vec<&'static str>, Error> {
        self.ask(|reply| Command::Reload { rules: Box::new(rules), reply }).await?
    }

    /// The joined rooms.
    ///
    /// # Errors
    /// [`Error::Stopped`].
    pub async fn rooms(&self) -> Result<Vec<RoomInfo>, Error> {
        self.ask(|reply| Command::Rooms { reply }).await
    }

    /// Rooms of earlier runs that this node is not in, with what waits there; see [`Config::rejoin`].
    ///
    /// # Errors
    /// [`Error::Stopped`].
    pub async fn stored_rooms(&self) -> Result<Vec<StoredRoom>, Error> {
        self.ask(|reply| Command::StoredRooms { reply }).await
    }

    /// The last lines of a room, oldest first, waiting ones last.
    ///
    /// # Errors
    /// [`Error::NotInRoom`], [`Error::Stopped`].
    pub async fn messages(&self, room: impl Into<String>) -> Result<Vec<Message>, Error> {
        let room = room.into();
        self.ask(|reply| Command::Messages { room, reply }).await?
    }

    /// Joins a room; `plain` for one of another program. Joining again only changes whether it is plain.
    ///
    /// # Errors
    /// [`Error::RoomName`], [`Error::TooManyRooms`], [`Error::TooManyStoredRooms`], [`Error::Stopped`].
    pub async fn join(&self, room: impl Into<String>, plain: bool) -> Result<RoomInfo, Error> {
        let room = room.into();
        self.ask(|reply| Command::Join { room, plain, reply }).await?
    }

    /// Lets members of a room connect to this node directly, or no longer. They learn its addresses by that, and it theirs; a
    /// room is joined without it. Stored with the room.
    ///
    /// # Errors
    /// [`Error::NotInRoom`], [`Error::Stopped`].
    pub async fn set_direct(&self, room: impl Into<String>, direct: bool) -> Result<(), Error> {
        let room = room.into();
        self.ask(|reply| Command::SetDirect { room, direct, reply }).await?
    }

    /// Leaves a room; its lines and what waits in it are forgotten.
    ///
    /// # Errors
    /// [`Error::NotInRoom`], [`Error::Stopped`].
    pub async fn leave(&self, room: impl Into<String>) -> Result<(), Error> {
        let room = room.into();
        self.ask(|reply| Command::Leave { room, reply }).await?
    }

    /// Says a line. With nobody there it waits, survives a restart, and goes out when somebody appears.
    ///
    /// # Errors
    /// [`Error::TextTooLong`], [`Error::TextEmpty`], [`Error::NotInRoom`], [`Error::TooManyWaiting`], [`Error::Stopped`].
    pub async fn say(&self, room: impl Into<String>, text: impl Into<String>) -> Result<Said, Error> {
        let (room, text) = (room.into(), text.into());
        self.ask(|reply| Command::Say { room, text, patient: false, reply }).await?
    }

    /// Says a line as [`Self::say`] does, but answers only once it was sent or, with nobody there, has a place among the
    /// waiting lines: for a caller with many lines, who says the next one then. Give up by dropping the future: the line is
    /// not said then. At most [`crate::config::MAX_PATIENT`] callers wait so.
    ///
    /// # Errors
    /// As [`Self::say`]; [`Error::TooManyWaiting`] when too many callers wait.
    pub async fn say_patiently(&self, room: impl Into<String>, text: impl Into<String>) -> Result<Said, Error> {
        let (room, text) = (room.into(), text.into());
        self.ask(|reply| Command::Say { room, text, patient: true, reply }).await?
    }

    /// Answers when no line waits in a room and a hub or a member is known to have all that was said there; asks them for
    /// it meanwhile. [`Event::Taken`] tells of progress. May take for ever.
    ///
    /// In a room of another program nobody can tell: there lines count as taken two seconds after they were sent.
    ///
    /// # Errors
    /// [`Error::NotInRoom`], [`Error::TooManyWaiting`] when too many callers wait, [`Error::Stopped`].
    pub async fn settle(&self, room: impl Into<String>) -> Result<(), Error> {
        let room = room.into();
        self.ask(|reply| Command::Settle { room, reply }).await?
    }

    /// Lines of ours that were sent in a room and that nobody is known to have, oldest first. Only what was said by
    /// [`Self::say_patiently`], or before [`Self::settle`], is asked about.
    ///
    /// # Errors
    /// [`Error::NotInRoom`], [`Error::Stopped`].
    pub async fn untaken(&self, room: impl Into<String>) -> Result<Vec<Message>, Error> {
        let room = room.into();
        self.ask(|reply| Command::Untaken { room, reply }).await?
    }

    /// Changes the nick, in all rooms.
    ///
    /// # Errors
    /// [`Error::Nick`], [`Error::Stopped`].
    pub async fn set_nick(&self, nick: impl Into<String>) -> Result<(), Error> {
        let nick = nick.into();
        self.ask(|reply| Command::SetNick { nick, reply }).await?
    }

    /// Connects, once. Answers when the peer is authenticated.
    ///
    /// # Errors
    /// [`Error::Dial`], [`Error::Denied`], [`Error::Stopped`].
    pub async fn dial(&self, address: Multiaddr) -> Result<PeerId, Error> {
        self.ask(|reply| Command::Dial { address, reply }).await?
    }

    /// Stays connected from now on: dials these addresses of one hub again whenever it is lost.
    ///
    /// # Errors
    /// [`Error::Stopped`].
    pub async fn stay_connected(&self, addresses: Vec<Multiaddr>) -> Result<(), Error> {
        self.ask(|reply| Command::StayConnected { addresses, reply }).await
    }

    /// Dials lost hubs now instead of after their back-off, also those that told us to stay away for a while: for a
    /// person who asks for it.
    ///
    /// # Errors
    /// [`Error::Stopped`].
    pub async fn retry(&self) -> Result<(), Error> {
        self.ask(|reply| Command::Retry { wanted: true, reply }).await
    }

    /// Dials lost hubs now instead of after their back-off, but for those that told us to stay away.
    ///
    /// # Errors
    /// [`Error::Stopped`].
    pub async fn dial_lost(&self) -> Result<(), Error> {
        self.ask(|reply| Command::Retry { wanted: false, reply }).await
    }

    /// Stores a record on the closest peers, and here.
    ///
    /// # Errors
    /// [`Error::Key`], [`Error::ValueTooLarge`], [`Error::StoreFull`], [`Error::TimedOut`], [`Error::Stopped`].
    pub async fn put(&self, key: impl Into<String>, value: impl Into<Vec<u8>>) -> Result<PutOutcome, Error> {
        let (key, value) = (key.into(), value.into());
        self.ask(|reply| Command::Put { key, value, reply }).await?
    }

    /// Finds a record.
    ///
    /// # Errors
    /// [`Error::Key`], [`Error::TimedOut`], [`Error::Stopped`]. Finding nothing is no error.
    pub async fn get(&self, key: impl Into<String>) -> Result<Option<Vec<u8>>, Error> {
        let key = key.into();
        self.ask(|reply| Command::Get { key, reply }).await?
    }

    /// Says to the network that this node has the thing behind a key.
    ///
    /// # Errors
    /// [`Error::Key`], [`Error::StoreFull`], [`Error::TimedOut`], [`Error::Stopped`].
    pub async fn provide(&self, key: impl Into<String>) -> Result<ProvideOutcome, Error> {
        let key = key.into();
        self.ask(|reply| Command::Provide { key, reply }).await?
    }

    /// Who says to have the thing behind a key, oneself included; sorted.
    ///
    /// # Errors
    /// [`Error::Key`], [`Error::TimedOut`], [`Error::Stopped`].
    pub async fn providers(&self, key: impl Into<String>) -> Result<Vec<PeerId>, Error> {
        let key = key.into();
        self.ask(|reply| Command::Providers { key, reply }).await?
    }

    /// Ends the node: what was said leaves the machine, connections are closed, what is unwritten is written.
    pub async fn shutdown(&self) {
        // An error means that it has ended already.
        let _ = self.ask(|reply| Command::Shutdown { reply }).await;
    }

    async fn ask<T>(&self, command: impl FnOnce(oneshot::Sender<T>) -> Command) -> Result<T, Error> {
        let (reply, answer) = oneshot::channel();
        self.commands.send(command(reply)).await.map_err(|_| Error::Stopped)?;
        answer.await.map_err(|_| Error::Stopped)
    }
}
