//! What happens in one run, made from a seed. A plan is data, so a failing one can be cut down to what matters.

use rand::{RngExt, SeedableRng, rngs::SmallRng, seq::IndexedRandom};

/// How long things happen until all is healed, at most.
const LONGEST_MS: u64 = 120_000;
/// Nodes of a run: most have about ten.
const NODES: [usize; 9] = [2, 3, 4, 6, 8, 10, 12, 16, 30];
/// Rooms that are talked in.
const ROOMS: [&str; 2] = ["lobby", "den"];

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
    /// A node begins to run, which did not from the start.
    Start {
        node: usize,
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
    Deaf {
        from: usize,
        to: usize,
        for_ms: u64,
    },
    /// Those in `apart` cannot be reached by the others for so long.
    Partition {
        apart: Vec<usize>,
        for_ms: u64,
    },
    /// A node's storage takes nothing for so long.
    Full {
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
    /// Part of gossip's payloads that is lost, as where a queue overflows.
    pub(super) loss: f64,
    /// How long a write takes until it outlives a crash.
    pub(super) write_ms: u64,
    pub(super) steps: Vec<(u64, Step)>,
    /// From when on nothing more goes wrong.
    pub(super) healed_ms: u64,
}

impl Plan {
    /// The plan of a seed.
    #[must_use]
    pub fn of(seed: u64) -> Self {
        let mut rng = SmallRng::seed_from_u64(seed);
        let count = *NODES.choose(&mut rng).expect("there are some");
        let hubs = rng.random_range(1..=3.min(count - 1));
        let members = (0..count).map(|node| Member::random(node, hubs, &mut rng)).collect();
        let healed_ms = rng.random_range(LONGEST_MS / 4..LONGEST_MS);
        let mut plan = Self {
            seed,
            members,
            latency_ms: *[2, 20, 100, 300].choose(&mut rng).expect("there are some"),
            loss: *[0.0, 0.0, 0.01, 0.1].choose(&mut rng).expect("there are some"),
            write_ms: *[5, 100, 1000].choose(&mut rng).expect("there are some"),
            steps: Vec::new(),
            healed_ms,
        };
        let troubles = rng.random_range(0..count);
        for _ in 0..troubles {
            let at = rng.random_range(0..healed_ms);
            let step = plan.trouble(at, &mut rng);
            plan.steps.push((at, step));
        }
        for _ in 0..rng.random_range(5..60) {
            let at = rng.random_range(0..healed_ms);
            let step = plan.talk(&mut rng);
            plan.steps.push((at, step));
        }
        if count > hubs + 2 && rng.random_bool(0.1) {
            plan.run_one_key_twice(&mut rng);
        }
        // A line that nobody noticed to be missing is known by the one after it.
        for node in hubs..count {
            for room in ROOMS {
                plan.steps.push((healed_ms, Step::Say { node, room, lines: 1 }));
            }
        }
        plan.steps.sort_by_key(|(at, _)| *at);
        plan
    }

    /// The last node has another one's key, and begins to run later.
    fn run_one_key_twice(&mut self, rng: &mut SmallRng) {
        let hubs = self.members.iter().filter(|member| member.is_hub).count();
        let node = self.members.len() - 1;
        self.members[node].twin_of = Some(rng.random_range(hubs..node));
        for at in self.steps.iter_mut().filter(|(_, step)| step.names(node)).map(|(at, _)| at) {
            *at = (*at).max(self.healed_ms / 2);
        }
        let begin = rng.random_range(0..self.healed_ms / 2);
        self.steps.push((begin, Step::Start { node }));
        for _ in 0..rng.random_range(0..3) {
            self.steps.push((rng.random_range(begin..self.healed_ms), Step::Retry { node }));
        }
    }

    fn node(&self, rng: &mut SmallRng) -> usize {
        rng.random_range(0..self.members.len())
    }

    fn talk(&self, rng: &mut SmallRng) -> Step {
        // Hubs carry rooms and are in none.
        let hubs = self.members.iter().filter(|member| member.is_hub).count();
        let node = rng.random_range(hubs..self.members.len());
        let room = ROOMS[usize::from(rng.random_bool(0.2))];
        match rng.random_range(0..20) {
            0 => Step::Leave { node, room },
            1 | 2 => Step::Join { node, room },
            3 => Step::Nick { node },
            4 => Step::Say { node, room, lines: rng.random_range(2..12) },
            _ => Step::Say { node, room, lines: 1 },
        }
    }

    fn trouble(&self, at: u64, rng: &mut SmallRng) -> Step {
        let node = self.node(rng);
        let left = self.healed_ms - at;
        let for_ms = rng.random_range(0..=left.min(40_000));
        match rng.random_range(0..8) {
            0 => {
                Step::Crash { node, back_after: for_ms.min(10_000), forgets: self.members[node].is_hub && rng.random() }
            }
            1 => Step::Crash { node, back_after: 50.min(left), forgets: false },
            2 => Step::Freeze { node, for_ms: for_ms.min(20_000) },
            3 => Step::Cut { one: node, other: self.node(rng) },
            4 => {
                let apart = (0..self.members.len()).filter(|_| rng.random_bool(0.4)).collect();
                Step::Partition { apart, for_ms }
            }
            5 => Step::Deaf { from: node, to: self.node(rng), for_ms: for_ms.min(5_000) },
            6 => Step::Name { node, to: 0 },
            _ => Step::Full { node, for_ms },
        }
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
        // Without the last node, if no step names it.
        let last = self.members.len() - 1;
        if last > 1 && !self.members[last].is_hub && !self.steps.iter().any(|(_, step)| step.names(last)) {
            let mut plan = self.clone();
            plan.members.pop();
            all.push(plan);
        }
        all
    }
}

impl Step {
    fn names(&self, node: usize) -> bool {
        match self {
            Self::Say { node: it, .. }
            | Self::Join { node: it, .. }
            | Self::Leave { node: it, .. }
            | Self::Nick { node: it }
            | Self::Crash { node: it, .. }
            | Self::Freeze { node: it, .. }
            | Self::Start { node: it }
            | Self::Retry { node: it }
            | Self::Full { node: it, .. } => *it == node,
            Self::Cut { one, other } => [one, other].contains(&&node),
            Self::Name { node: from, to } | Self::Deaf { from, to, .. } => [from, to].contains(&&node),
            Self::Partition { apart, .. } => apart.contains(&node),
        }
    }
}

impl Member {
    fn random(node: usize, hubs: usize, rng: &mut SmallRng) -> Self {
        if node < hubs {
            // Each hub stays connected to those before it.
            return Self { is_hub: true, bootstrap: (0..node).collect(), ..Self::default() };
        }
        let first = rng.random_range(0..hubs);
        let mut bootstrap = vec![first];
        if rng.random_bool(0.2) {
            bootstrap.extend((0..hubs).find(|hub| *hub != first));
        }
        let mut rooms = vec![ROOMS[0]];
        if rng.random_bool(0.3) {
            rooms.push(ROOMS[1]);
        }
        Self { bootstrap, rooms, nameless: rng.random_bool(0.1), ..Self::default() }
    }
}
