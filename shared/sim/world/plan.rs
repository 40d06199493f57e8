//! What happens in one run, made from a seed. A plan is data, so a failing one can be cut down to what matters.

/// One node.
#[derive(Debug, Clone, Default)]
pub(super) struct Member {
    pub(super) is_hub: bool,
    /// Nodes that it stays connected to.
    pub(super) bootstrap: Vec<usize>,
    pub(super) rooms: Vec<&'static str>,
    /// It knows each of those by two addresses that do not name it.
    pub(super) nameless: bool,
    /// It is on the local network, where all find each other.
    pub(super) local: bool,
    /// It runs with the key of that one.
    pub(super) twin_of: Option<usize>,
    /// When it comes for the first time.
    pub(super) starts_ms: u64,
    /// How it lies, if it does.
    pub(super) lie: Option<Lie>,
    /// Nodes whose peers it denies.
    pub(super) denies: Vec<usize>,
}

/// What no honest node does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lie {
    /// Calls itself a hub although nobody chose it, and names members of every room that do not exist.
    FalseHub,
    /// Is of a later version, whose lines are longer than this one reads. That is no lie, but nobody can know.
    Newer,
    /// Says more than a log keeps.
    #[cfg_attr(not(test), allow(dead_code, reason = "only in plans written by hand"))]
    Floods,
}

/// Something that happens.
#[derive(Debug, Clone)]
pub(super) enum Step {
    /// A node says so many lines at once.
    Say {
        node: usize,
        room: &'static str,
        lines: usize,
    },
    Join {
        node: usize,
        room: &'static str,
    },
    Leave {
        node: usize,
        room: &'static str,
    },
    Nick {
        node: usize,
    },
    /// A node ends without a word and comes back; `forgets`: with its key alone.
    Crash {
        node: usize,
        back_after: u64,
        forgets: bool,
    },
    /// A node does nothing for so long, while what others send waits.
    Freeze {
        node: usize,
        for_ms: u64,
    },
    /// The connection between two nodes ends, if there is one.
    Cut {
        one: usize,
        other: usize,
    },
    /// A person names another address of a node, without its id, to stay connected to.
    Name {
        node: usize,
        to: usize,
    },
    /// A person wants what is lost to be dialled again.
    Retry {
        node: usize,
    },
    /// What gossip brings from one node to the other is lost for so long, and neither notices.
    Lose {
        from: usize,
        to: usize,
        for_ms: u64,
    },
    /// Those in `apart` cannot be reached by the others for so long.
    Partition {
        apart: Vec<usize>,
        for_ms: u64,
    },
    /// What one node sends does not reach another for so long, though the other way is open.
    Deaf {
        from: usize,
        to: usize,
        for_ms: u64,
    },
    /// A node's storage takes nothing for so long.
    Full {
        node: usize,
        for_ms: u64,
    },
    /// A node's clock is wrong by so much for so long.
    Clock {
        node: usize,
        off_ms: i64,
        for_ms: u64,
    },
    /// A node's storage takes seconds for each write for so long.
    Slow {
        node: usize,
        for_ms: u64,
    },
}

/// A whole run.
#[derive(Debug, Clone)]
pub struct Plan {
    pub(super) seed: u64,
    pub(super) members: Vec<Member>,
    /// The longest way between two nodes, one way.
    pub(super) latency_ms: u64,
    /// Part of gossip's payloads that is lost.
    pub(super) loss: f64,
    /// Payloads that may be on their way over a connection; gossip drops further ones.
    pub(super) queue: usize,
    /// Whether nodes keep and queue little, so that bounds are reached.
    pub(super) tight: bool,
    /// Whether people agree to direct connections.
    pub(super) direct: bool,
    /// How long a write takes until it outlives a crash.
    pub(super) write_ms: u64,
    pub(super) steps: Vec<(u64, Step)>,
    /// From when on nothing more goes wrong.
    pub(super) healed_ms: u64,
}

impl Plan {
    /// The same, whether people agree to direct connections or not.
    #[must_use]
    pub fn directly(self, direct: bool) -> Self {
        Self { direct, ..self }
    }

    /// All of it, a line for each node and step.
    #[must_use]
    pub fn describe(&self) -> String {
        let Self { latency_ms, loss, queue, tight, direct, write_ms, healed_ms, .. } = self;
        let mut lines = vec![format!(
            "latency {latency_ms} ms, loss {loss}, queue {queue}, tight {tight}, direct {direct}, writes {write_ms} ms, healed {healed_ms} ms"
        )];
        let members = self.members.iter().enumerate();
        lines.extend(members.map(|(n, member)| format!("{}: {member:?}", super::name(n))));
        lines.extend(self.steps.iter().map(|(at, step)| format!("{at} ms: {step:?}")));
        lines.join("\n")
    }

    /// How many steps it has.
    #[must_use]
    pub fn steps(&self) -> usize {
        self.steps.len()
    }

    /// How much is in it.
    #[must_use]
    pub fn size(&self) -> usize {
        self.steps.len() + self.members.len()
    }

    /// Smaller plans, the smallest first.
    #[must_use]
    pub fn smaller(&self) -> Vec<Self> {
        let mut all = Vec::new();
        let mut part = self.steps.len();
        while part > 0 {
            for from in (0..self.steps.len()).step_by(part) {
                let mut plan = self.clone();
                plan.steps.drain(from..(from + part).min(self.steps.len()));
                all.push(plan);
            }
            part /= 2;
        }
        if self.loss > 0.0 {
            all.push(Self { loss: 0.0, ..self.clone() });
        }
        all.extend((2..self.members.len()).rev().filter_map(|node| self.without(node)));
        all
    }

    /// The same without one node, if it is no hub and nobody names it.
    fn without(&self, node: usize) -> Option<Self> {
        let is_named = |member: &Member| {
            member.twin_of == Some(node) || member.bootstrap.contains(&node) || member.denies.contains(&node)
        };
        let is_needed = self.members[node].is_hub || self.members.iter().any(is_named);
        if is_needed || self.steps.iter().any(|(_, step)| step.names(node)) {
            return None;
        }
        let mut plan = self.clone();
        plan.members.remove(node);
        for member in &mut plan.members {
            let named = member.twin_of.iter_mut().chain(&mut member.bootstrap).chain(&mut member.denies);
            named.for_each(|it| *it -= usize::from(*it > node));
        }
        plan.steps.iter_mut().for_each(|(_, step)| step.renumber(node));
        Some(plan)
    }
}

impl Step {
    pub(super) fn names(&self, node: usize) -> bool {
        match self {
            Self::Say { node: it, .. }
            | Self::Join { node: it, .. }
            | Self::Leave { node: it, .. }
            | Self::Nick { node: it }
            | Self::Crash { node: it, .. }
            | Self::Freeze { node: it, .. }
            | Self::Retry { node: it }
            | Self::Slow { node: it, .. }
            | Self::Full { node: it, .. }
            | Self::Clock { node: it, .. } => *it == node,
            Self::Cut { one, other } => [one, other].contains(&&node),
            Self::Name { node: from, to } | Self::Lose { from, to, .. } | Self::Deaf { from, to, .. } => {
                [from, to].contains(&&node)
            }
            Self::Partition { apart, .. } => apart.contains(&node),
        }
    }

    /// A node that it does not name is gone: those after it have lower numbers.
    fn renumber(&mut self, gone: usize) {
        let lower = |node: &mut usize| *node -= usize::from(*node > gone);
        match self {
            Self::Say { node, .. }
            | Self::Join { node, .. }
            | Self::Leave { node, .. }
            | Self::Nick { node }
            | Self::Crash { node, .. }
            | Self::Freeze { node, .. }
            | Self::Retry { node }
            | Self::Slow { node, .. }
            | Self::Full { node, .. }
            | Self::Clock { node, .. } => lower(node),
            Self::Cut { one, other } => [one, other].into_iter().for_each(lower),
            Self::Name { node: from, to } | Self::Lose { from, to, .. } | Self::Deaf { from, to, .. } => {
                [from, to].into_iter().for_each(lower);
            }
            Self::Partition { apart, .. } => apart.iter_mut().for_each(lower),
        }
    }
}

impl Member {
    /// Dials others by itself.
    pub(super) fn false_hub(dials: Vec<usize>) -> Self {
        Self { is_hub: true, bootstrap: dials, lie: Some(Lie::FalseHub), ..Self::default() }
    }
}
