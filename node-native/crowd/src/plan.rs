//! What is measured, with how many peers and lines, and how long anything may take.

use std::{path::PathBuf, time::Duration};

use crate::{
    hub::Transport,
    rows::{Arrival, Kind},
};

/// Peers, where nothing else is said.
const PEERS: [usize; 3] = [200, 500, 1000];
/// With so many peers the hub is also disturbed and restarted, if that is one of the counts.
const DISTURBED: usize = 500;

/// Everything that can be set.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The hub's binary.
    pub hub: PathBuf,
    /// By which transport peers dial. Those that mean harm always dial by TCP.
    pub transport: Transport,
    /// With how many peers. Defaults to 200, 500 and 1,000.
    pub peers: Vec<usize>,
    /// Words that a row's name must have to be measured. Defaults to none: all are measured.
    pub words: Vec<String>,
    /// Over how long peers come that come evenly. Defaults to 5 s.
    pub over: Duration,
    /// Lines of a row. Defaults to 30.
    pub lines: usize,
    /// Time between two, but see [`Self::every`]. Defaults to 400 ms.
    pub every: Duration,
    /// Lines said before a restart, so that there is much to hand over, and their bytes. Defaults to 100 of 1,200 bytes.
    pub history: (usize, usize),
    /// Peers that stop reading. Defaults to 100.
    pub deaf: usize,
    /// For how long hub and peers must take little to count as quiet. Defaults to 1 s.
    pub quiet: Duration,
    /// For how long nothing is done, to see what the hub takes then. Defaults to 4 s.
    pub idle: Duration,
    /// How long anything is waited for that may never come. Defaults to 120 s.
    pub patience: Duration,
}

/// A hub and a crowd that are fresh.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Session {
    /// How many.
    pub peers: usize,
    /// Who.
    pub kind: Kind,
    /// How they come.
    pub arrival: Arrival,
    /// Whether the hub is also disturbed and restarted.
    pub is_disturbed: bool,
}

/// A row of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// They come. Always first.
    Join,
    /// Lines are said.
    Lines,
    /// The same while a client repeats `Watch`, with a quiet row before it.
    Watcher,
    /// The same while many stop reading, with a quiet row before it.
    Deaf,
    /// The hub is killed and started again.
    Restart,
}

impl Plan {
    /// Everything, at full counts.
    #[must_use]
    pub fn full(hub: PathBuf) -> Self {
        Self {
            hub,
            transport: Transport::Tcp,
            peers: PEERS.to_vec(),
            words: Vec::new(),
            over: Duration::from_secs(5),
            lines: 30,
            every: Duration::from_millis(400),
            history: (100, 1200),
            deaf: 100,
            quiet: Duration::from_secs(1),
            idle: Duration::from_secs(4),
            patience: Duration::from_secs(120),
        }
    }

    /// Everything once, with few peers and lines: to see that it works.
    #[must_use]
    pub fn quick(hub: PathBuf) -> Self {
        Self {
            peers: vec![50],
            over: Duration::from_secs(1),
            lines: 8,
            every: Duration::from_millis(100),
            history: (20, 1200),
            deaf: 10,
            quiet: Duration::from_millis(300),
            idle: Duration::from_millis(500),
            patience: Duration::from_secs(30),
            ..Self::full(hub)
        }
    }

    /// The time between two lines for so many peers: each line costs the peers' process a delivery for each of them.
    #[must_use]
    pub fn every(&self, peers: usize) -> Duration {
        self.every.max(Duration::from_micros(1000) * u32::try_from(peers).unwrap_or(u32::MAX))
    }

    /// The sessions of which some row is wanted.
    #[must_use]
    pub fn sessions(&self) -> Vec<Session> {
        let disturbed = self.peers.iter().find(|count| **count == DISTURBED).or(self.peers.iter().max()).copied();
        let all = self.peers.iter().flat_map(|peers| {
            let of = |kind, arrival| {
                let is_disturbed = Some(*peers) == disturbed && (kind, arrival) == (Kind::Tincan, Arrival::Evenly);
                Session { peers: *peers, kind, arrival, is_disturbed }
            };
            [of(Kind::Tincan, Arrival::Evenly), of(Kind::Tincan, Arrival::AtOnce), of(Kind::Stock, Arrival::Evenly)]
        });
        all.filter(|session| !self.parts(session).is_empty()).collect()
    }

    /// The rows of a session that are wanted, in order.
    #[must_use]
    pub fn parts(&self, session: &Session) -> Vec<Part> {
        let mut parts = vec![Part::Join];
        if session.arrival == Arrival::Evenly {
            parts.push(Part::Lines);
        }
        if session.is_disturbed {
            parts.extend([Part::Watcher, Part::Deaf, Part::Restart]);
        }
        parts.retain(|part| self.wants(&name(session, *part)));
        parts
    }

    fn wants(&self, name: &str) -> bool {
        self.words.iter().all(|word| name.split(' ').any(|part| part == word))
    }
}

/// A row's name: what is measured, with how many peers, how they came, who they are.
#[must_use]
pub fn name(session: &Session, part: Part) -> String {
    let what = match part {
        Part::Join => "join",
        Part::Lines => "lines",
        Part::Watcher => "lines watcher",
        Part::Deaf => "lines deaf",
        Part::Restart => "restart",
    };
    let how = match session.arrival {
        Arrival::Evenly => "evenly",
        Arrival::AtOnce => "at-once",
    };
    let who = match session.kind {
        Kind::Tincan => "tincan",
        Kind::Stock => "stock",
    };
    format!("{what} {} {how} {who}", session.peers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_chosen_by_words_of_their_names() {
        let mut plan = Plan::full(PathBuf::new());
        let rows = |plan: &Plan| plan.sessions().iter().map(|session| plan.parts(session).len()).sum::<usize>();
        assert_eq!(plan.sessions().len(), 9);
        assert_eq!(rows(&plan), 3 * (2 + 1 + 2) + 3);
        plan.words = vec!["restart".into()];
        assert_eq!(plan.sessions().iter().map(|session| session.peers).collect::<Vec<_>>(), [500]);
        plan.words = vec!["join".into(), "1000".into(), "stock".into()];
        assert_eq!(rows(&plan), 1);
        plan.peers = vec![50];
        plan.words = vec!["deaf".into()];
        assert_eq!(rows(&plan), 1, "the only count is disturbed");
    }
}
