//! What happens in one run, made from a seed. A plan is data, so a failing one can be cut down to what matters.

use rand::{RngExt, SeedableRng, rngs::SmallRng, seq::IndexedRandom};

/// How long things happen until all is healed, at most.
const LONGEST_MS: u64 = 120_000;
/// Nodes of a run: half of them have up to ten.
const NODES: [usize; 13] = [2, 3, 4, 5, 7, 9, 10, 10, 12, 15, 20, 30, 50];
/// How long after everything has healed somebody may still come for the first time.
const LATEST_MS: u64 = 10_000;
/// By how much clocks are wrong: some by less than matters.
const CLOCKS_OFF_MS: [i64; 4] = [-7_200_000, -1_200_000, 5_000_000, 86_400_000];
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
        let healed_ms = rng.random_range(LONGEST_MS / 4..LONGEST_MS);
        let members: Vec<Member> = (0..count).map(|node| Member::random(node, hubs, healed_ms, &mut rng)).collect();
        let mut plan = Self {
            seed,
            members,
            latency_ms: *[2, 20, 100, 300].choose(&mut rng).expect("there are some"),
            loss: *[0.0, 0.0, 0.01, 0.1].choose(&mut rng).expect("there are some"),
            queue: *[2, 10, 1000, 1000].choose(&mut rng).expect("there are some"),
            tight: rng.random_bool(0.15),
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
        if rng.random_bool(0.1) {
            // More than may be on their way, and than go in a second.
            let node = rng.random_range(hubs..count);
            let step = Step::Say { node, room: ROOMS[0], lines: rng.random_range(100..160) };
            plan.steps.push((rng.random_range(0..healed_ms), step));
        }
        if count > hubs + 2 && rng.random_bool(0.1) {
            plan.run_one_key_twice(&mut rng);
        }
        // A line that nobody noticed to be missing is known by the one after it.
        for node in (hubs..count).filter(|_| !plan.tight) {
            for room in ROOMS {
                plan.steps.push((healed_ms, Step::Say { node, room, lines: 1 }));
            }
        }
        plan.distrust(hubs);
        plan.steps.sort_by_key(|(at, _)| *at);
        plan
    }

    /// Adds peers that lie, that are denied, and clocks that are wrong. Everything else stays as it is without them.
    fn distrust(&mut self, hubs: usize) {
        let mut rng = SmallRng::seed_from_u64(!self.seed);
        let people: Vec<usize> = (hubs..self.members.len()).collect();
        let somebody = |rng: &mut SmallRng| *people.choose(rng).expect("there are some");
        if rng.random_bool(0.2) {
            self.members[somebody(&mut rng)].lie = Some(Lie::Newer);
        }
        if rng.random_bool(0.2) {
            let (denies, denied) = (somebody(&mut rng), somebody(&mut rng));
            self.members[denies].denies.extend(Some(denied).filter(|denied| *denied != denies));
        }
        if rng.random_bool(0.3) {
            for _ in 0..rng.random_range(1..4) {
                let at = rng.random_range(0..self.healed_ms);
                let for_ms = rng.random_range(0..=(self.healed_ms - at).min(40_000));
                let off_ms = *CLOCKS_OFF_MS.choose(&mut rng).expect("there are some");
                self.steps.push((at, Step::Clock { node: self.node(&mut rng), off_ms, for_ms }));
            }
        }
        if rng.random_bool(0.2) {
            let dials = self.node(&mut rng);
            self.members.push(Member::false_hub(vec![dials]));
        }
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
        self.members[node].starts_ms = begin;
        for _ in 0..rng.random_range(0..3) {
            self.steps.push((rng.random_range(begin..self.healed_ms), Step::Retry { node }));
        }
    }

    fn node(&self, rng: &mut SmallRng) -> usize {
        rng.random_range(0..self.members.len())
    }

    fn talk(&self, rng: &mut SmallRng) -> Step {
        // Hubs carry rooms and are in none.
        let talkers = self.members.iter().enumerate().filter(|(_, member)| !member.is_hub);
        let talkers: Vec<usize> = talkers.map(|(node, _)| node).collect();
        let node = *talkers.choose(rng).expect("there are some");
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
        match rng.random_range(0..11) {
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
            5 => Step::Full { node, for_ms },
            6 => Step::Slow { node, for_ms },
            7 => Step::Deaf { from: node, to: self.node(rng), for_ms },
            8 if !self.tight => Step::Lose { from: node, to: self.node(rng), for_ms: for_ms.min(5_000) },
            9 => Step::Name { node, to: 0 },
            _ => Step::Freeze { node: rng.random_range(0..=2.min(self.members.len() - 1)), for_ms },
        }
    }

    /// All of it, a line for each node and step.
    #[must_use]
    pub fn describe(&self) -> String {
        let Self { latency_ms, loss, queue, tight, write_ms, healed_ms, .. } = self;
        let mut lines = vec![format!(
            "latency {latency_ms} ms, loss {loss}, queue {queue}, tight {tight}, writes {write_ms} ms, healed {healed_ms} ms"
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

    /// The same without one node, if it is no hub and no step names it.
    fn without(&self, node: usize) -> Option<Self> {
        let has_twin = self.members.iter().any(|member| member.twin_of == Some(node));
        if has_twin || self.members[node].is_hub || self.steps.iter().any(|(_, step)| step.names(node)) {
            return None;
        }
        let mut plan = self.clone();
        plan.members.remove(node);
        for twin_of in plan.members.iter_mut().filter_map(|member| member.twin_of.as_mut()) {
            *twin_of -= usize::from(*twin_of > node);
        }
        plan.steps.iter_mut().for_each(|(_, step)| step.renumber(node));
        Some(plan)
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
    fn random(node: usize, hubs: usize, healed_ms: u64, rng: &mut SmallRng) -> Self {
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
        let starts_ms = if rng.random_bool(0.2) { rng.random_range(0..healed_ms + LATEST_MS) } else { 0 };
        Self { bootstrap, rooms, starts_ms, nameless: rng.random_bool(0.1), ..Self::default() }
    }

    /// Dials others by itself.
    pub(super) fn false_hub(dials: Vec<usize>) -> Self {
        Self { is_hub: true, bootstrap: dials, lie: Some(Lie::FalseHub), ..Self::default() }
    }
}
