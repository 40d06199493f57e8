//! The node as the page holds it: started once, asked by the regions of the screen, heard by one loop.

use std::sync::Arc;

use leptos::{prelude::*, task::spawn_local};
use tincan_shared::{Error, Event, Message, PeerId, short_id};
use tincan_wasm::{HostNews, Options, PageEvents, PageNode, Passport, Stage, Started, Vault};

use crate::{
    changes::Changes,
    clock,
    keep::{Keep, What},
    model::{Ask, Model, Room},
    muted::Muted,
    names::tidy,
    persist,
    reading::read_marks,
    roster::Roster,
    routing,
    unstored::Unstored,
};

/// How far the page has come.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Phase {
    Starting(&'static str),
    Running,
    Failed(String),
}

/// What is true of this tab for as long as it lives.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tab {
    /// 0 for the first tab of a profile.
    pub(crate) guest: u32,
    pub(crate) forgets: bool,
    pub(crate) problem: Option<String>,
}

/// Handed to every region as context.
#[derive(Clone, Copy)]
pub(crate) struct Session {
    pub(crate) phase: RwSignal<Phase>,
    pub(crate) tab: RwSignal<Tab>,
    pub(crate) model: RwSignal<Model>,
    /// Who is there, gathered once for all regions.
    pub(crate) roster: Memo<Roster>,
    /// Whose lines are hidden. Each row asks, and hears of nothing else that changes.
    pub(crate) muted: Memo<Arc<Muted>>,
    /// Which lines of ours the browser has not stored yet.
    pub(crate) unstored: Unstored,
    changes: Changes,
    node: StoredValue<Option<PageNode>, LocalStorage>,
    vault: StoredValue<Option<Vault>, LocalStorage>,
    keep: StoredValue<Keep>,
}

impl Session {
    pub(crate) fn new() -> Self {
        let model = RwSignal::new(Model::default());
        let people = Memo::new(move |_| model.with(|model| (model.people_revision, model.me)));
        Self {
            roster: Memo::new(move |_| {
                // Merely tracked, a memo that nobody reads would never look at the model.
                people.get();
                model.with_untracked(Roster::of)
            }),
            muted: Memo::new(move |_| model.with(|model| model.muted.clone())),
            unstored: Unstored::new(),
            changes: Changes::of(model),
            phase: RwSignal::new(Phase::Starting("Making your key…")),
            tab: RwSignal::new(Tab::default()),
            model,
            node: StoredValue::new_local(None),
            vault: StoredValue::new_local(None),
            keep: StoredValue::new(Keep::default()),
        }
    }

    /// Starts the node and listens to it for as long as the page lives.
    pub(crate) fn start(self) {
        spawn_local(async move {
            let location = window().location();
            let search = location.search().unwrap_or_default();
            let (hubs, direct) = (routing::hubs_in(&search), routing::is_direct(&search));
            let options = Options { hubs, direct };
            let stage = move |stage| {
                self.phase.set(Phase::Starting(match stage {
                    Stage::Key => "Making your key…",
                    Stage::Hub => "Looking for the hub…",
                }));
            };
            match tincan_wasm::start(options, stage).await {
                Ok(started) => self.run(started).await,
                Err(error) => self.phase.set(Phase::Failed(error.to_string())),
            }
        });
    }

    async fn run(self, started: Started) {
        let Started { node, events, guest, slot, persistent, problem, vault, host } = started;
        if persistent {
            self.keep.set_value(Keep::of(slot));
        }
        self.tab.set(Tab { guest, forgets: !persistent, problem });
        self.node.set_value(Some(node.clone()));
        self.vault.set_value(Some(vault));
        self.model.update(|model| {
            model.marks = read_marks(&self.keep().get(What::Marks).unwrap_or_default());
        });
        self.read_muted();
        if let Err(error) = self.read_everything(&node).await {
            self.phase.set(Phase::Failed(error.to_string()));
            return;
        }
        self.phase.set(Phase::Running);
        self.follow_address();
        spawn_local(self.follow_host(host));
        self.listen(node, events).await;
    }

    async fn follow_host(self, mut news: HostNews) {
        let mut host = Some(news.now());
        while let Some(now) = host {
            if now.cleared {
                // What the node does not store was cleared too.
                self.keep_muted();
            }
            self.model.update(|model| model.set_host(now));
            host = news.next().await;
        }
    }

    /// The one loop that turns events into what is on the screen.
    async fn listen(self, node: PageNode, mut events: PageEvents) {
        loop {
            let event = events.next().await;
            let stopped = event == Event::Stopped;
            if self.keep().keeps() {
                self.unstored.note(&node, &event);
            }
            // Known at once, and drawn with all else that this frame brings.
            let ask = self.model.try_update_untracked(|model| model.apply(event, clock::now_ms())).flatten();
            self.changes.tell();
            let asked = match ask {
                Some(Ask::Lines(room)) => self.read_lines(&node, room).await,
                Some(Ask::Everything) => self.read_everything(&node).await,
                None => Ok(()),
            };
            if let Err(error) = asked {
                tracing::warn!(%error, "the node did not answer");
            }
            if stopped {
                return;
            }
        }
    }

    async fn read_everything(self, node: &PageNode) -> Result<(), Error> {
        let info = node.info().await?;
        let status = node.status().await?;
        let peers = node.peers().await?;
        let rooms = node.rooms().await?;
        let names: Vec<String> = rooms.iter().map(|room| room.room.clone()).collect();
        self.model.update(|model| {
            model.me = Some(info.peer_id);
            model.nick = info.nick;
            model.set_status(status, clock::now_ms());
            model.set_peers(peers);
            model.set_rooms(rooms, clock::now_ms());
        });
        for room in names {
            self.read_lines(node, room).await?;
        }
        Ok(())
    }

    async fn read_lines(self, node: &PageNode, room: String) -> Result<(), Error> {
        let messages: Vec<Message> = match node.messages(room.clone()).await {
            // Left in the meantime.
            Err(Error::NotInRoom { .. }) => return Ok(()),
            answer => answer?,
        };
        self.model.update(|model| model.merge_lines(&room, messages, clock::now_ms()));
        Ok(())
    }

    /// Opens the room that the page's address names, joining it if need be.
    pub(crate) fn follow_address(self) {
        let hash = window().location().hash().unwrap_or_default();
        let current = self.model.with_untracked(|model| model.current.clone());
        let room = match routing::room_in(&hash) {
            Some(room) => room,
            None if current.is_empty() => routing::DEFAULT_ROOM.to_owned(),
            None => return,
        };
        let room = if routing::is_exact(&hash) { room } else { self.meant(room) };
        if room == current {
            return;
        }
        // Who follows a link into a room knows somebody there; the room that everybody begins in is everybody's.
        let is_known = self.model.with_untracked(|model| model.room(&room).is_some());
        let is_invited = self.arranges() && room != routing::DEFAULT_ROOM && !is_known;
        spawn_local(async move {
            let joined = self.join(room.clone(), routing::is_plain(&hash)).await;
            let joined = match joined {
                Ok(()) if is_invited => self.set_direct(room, true).await,
                joined => joined,
            };
            if let Err(error) = joined {
                self.model.update(|model| model.warn(format!("The room in the address: {error}.")));
            }
        });
    }

    /// The room that a person means by a name: the one that is called so letter by letter, if they are in it.
    fn meant(self, typed: String) -> String {
        let joined = self.model.with_untracked(|model| model.room(&typed).is_some());
        if joined { typed } else { tidy(&typed) }
    }

    /// As [`Self::join`], for a name that a person typed.
    pub(crate) async fn join_named(self, typed: String, plain: bool) -> Result<(), Error> {
        self.join(self.meant(typed), plain).await
    }

    /// Joins a room, or goes back to it, and shows it. `plain` is for a room of another program.
    pub(crate) async fn join(self, room: String, plain: bool) -> Result<(), Error> {
        // Plain also when it was joined otherwise: what was said and what waits stays.
        let is_as_wanted = |known: &Room| known.info.plain || !plain;
        if !self.model.with_untracked(|model| model.room(&room).is_some_and(is_as_wanted)) {
            self.node()?.join(room.clone(), plain).await?;
        }
        self.model.update(|model| model.open(&room, clock::now_ms()));
        Ok(())
    }

    /// Whether this page connects to others directly.
    pub(crate) fn arranges(self) -> bool {
        routing::is_direct(&window().location().search().unwrap_or_default())
    }

    /// Lets the people of a room connect to this page directly, or no longer.
    pub(crate) async fn set_direct(self, room: String, direct: bool) -> Result<(), Error> {
        self.node()?.set_direct(room, direct).await
    }

    pub(crate) async fn leave(self, room: String) -> Result<(), Error> {
        self.node()?.leave(room).await
    }

    pub(crate) async fn say(self, room: String, text: String) -> Result<(), Error> {
        self.node()?.say(room, text).await?;
        // Only now there is something worth keeping.
        persist::ask_once(self.keep());
        Ok(())
    }

    pub(crate) async fn set_nick(self, nick: String) -> Result<(), Error> {
        self.node()?.set_nick(nick.clone()).await?;
        self.model.update(|model| model.nick = nick);
        Ok(())
    }

    /// Hides what a peer says, under the nick that it has now; without a nick, shows it again.
    pub(crate) fn mute(self, peer: PeerId, nick: Option<&str>) {
        // Another tab may have changed the list.
        self.read_muted();
        self.model.update(|model| {
            let muted = Arc::make_mut(&mut model.muted);
            match nick {
                Some(nick) => muted.add(peer, nick),
                None => muted.remove(&peer),
            }
        });
        self.keep_muted();
    }

    fn keep_muted(self) {
        self.keep().set(What::Muted, &self.model.with_untracked(|model| model.muted.write()));
    }

    /// Takes in who is muted in this browser. Where it keeps nothing, this tab alone knows.
    pub(crate) fn read_muted(self) {
        if self.keep().keeps() {
            let muted = Muted::read(&self.keep().get(What::Muted).unwrap_or_default());
            if self.model.with_untracked(|model| *model.muted != muted) {
                self.model.update(|model| model.muted = Arc::new(muted));
            }
        }
    }

    /// The name and the text of a file with this tab's identity.
    pub(crate) fn export_identity(self) -> Result<(String, String), String> {
        let (me, nick) = self.model.with_untracked(|model| (model.me, model.nick.clone()));
        let (vault, me) = self.vault.get_value().zip(me).ok_or_else(|| Error::Stopped.to_string())?;
        Ok((format!("tincan-identity-{}.json", short_id(&me)), vault.export(&nick)?))
    }

    /// Whether this tab can become who a file says.
    pub(crate) async fn check_identity(self, file: &str) -> Result<Passport, String> {
        self.vault()?.check(file).await
    }

    /// Makes this tab somebody else from its next start on.
    pub(crate) async fn become_identity(self, passport: &Passport) -> Result<(), String> {
        self.vault()?.replace(passport).await
    }

    fn vault(self) -> Result<Vault, String> {
        self.vault.get_value().ok_or_else(|| Error::Stopped.to_string())
    }

    /// What the page itself keeps in the browser.
    pub(crate) fn keep(self) -> Keep {
        self.keep.get_value()
    }

    pub(crate) async fn dial(self, address: String) -> Result<PeerId, Error> {
        self.node()?.dial(&address).await
    }

    pub(crate) async fn console(self, line: String) -> Result<String, Error> {
        self.node()?.console(&line).await
    }

    pub(crate) fn retry(self) {
        spawn_local(async move {
            // The outcome comes as an event.
            if let Ok(node) = self.node() {
                let _ = node.retry().await;
            }
        });
    }

    fn node(self) -> Result<PageNode, Error> {
        self.node.get_value().ok_or(Error::Stopped)
    }
}

/// The session, in any region of the screen.
pub(crate) fn session() -> Session {
    expect_context()
}
