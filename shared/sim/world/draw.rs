//! Plans are drawn from seeds.

use rand::{RngExt, SeedableRng, rngs::SmallRng, seq::IndexedRandom};

use super::plan::{Lie, Member, Plan, Step};

/// How long things happen until all is healed, at most.
const LONGEST_MS: u64 = 120_000;
/// Nodes of a run: half of them have up to ten.
const NODES: [usize; 13] = [2, 3, 4, 5, 7, 9, 10, 10, 12, 15, 20, 30, 50];
/// How long after everything has healed somebody may still come for the first time.
const LATEST_MS: u64 = 10_000;
/// By how much clocks are wrong: some by less than matters.
const CLOCKS_OFF_MS: [i64; 4] = [-7_200_000, -1_200_000, 5_000_000, 86_400_000];
/// How long a local network is away: longer than who is found there is remembered.
const LOCAL_AWAY_MS: std::ops::Range<u64> = 150_000..190_000;
/// Rooms that are talked in.
const ROOMS: [&str; 2] = ["lobby", "den"];

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
            direct: false,
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
        plan.meet_without_hubs();
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
            self.leave_hubs_one_wrong_clock();
        }
        if rng.random_bool(0.2) {
            let dials = self.node(&mut rng);
            self.members.push(Member::false_hub(vec![dials]));
        }
    }

    /// Now and then nobody knows a hub: all are on a local network, which goes away for so long that nobody is found there
    /// any more.
    fn meet_without_hubs(&mut self) {
        let mut rng = SmallRng::seed_from_u64(self.seed ^ 0x10ca1);
        if !rng.random_bool(0.02) {
            return;
        }
        let count = rng.random_range(2..=6);
        let local = Member { local: true, rooms: vec![ROOMS[0]], ..Member::default() };
        (self.members, self.tight) = (vec![local; count], false);
        let from = rng.random_range(5_000..60_000);
        let for_ms = rng.random_range(LOCAL_AWAY_MS);
        self.healed_ms = from + for_ms;
        let apart = (0..rng.random_range(1..count)).collect();
        self.steps = vec![(from, Step::Partition { apart, for_ms })];
        for _ in 0..rng.random_range(5..30) {
            let at = rng.random_range(0..self.healed_ms);
            let step = self.talk(&mut rng);
            // Only who is in a room of ours is looked for when it is found no more.
            self.steps.extend(Some((at, step)).filter(|(_, step)| !matches!(step, Step::Leave { .. })));
        }
        let last = (0..count).map(|node| (self.healed_ms, Step::Say { node, room: ROOMS[0], lines: 1 }));
        self.steps.extend(last);
    }

    /// Of hubs' clocks one is wrong at a time: where all that a node asks agree on a wrong time, it can know no better.
    fn leave_hubs_one_wrong_clock(&mut self) {
        let mut wrong: Vec<(usize, u64, u64)> = Vec::new();
        let members = &self.members;
        self.steps.retain(|(at, step)| {
            let Step::Clock { node, for_ms, .. } = step else { return true };
            let (from, to) = (*at, at + for_ms);
            let overlaps = |(other, begin, end): &(usize, u64, u64)| other != node && *begin <= to && from <= *end;
            let is_left = !members[*node].is_hub || !wrong.iter().any(overlaps);
            if is_left && members[*node].is_hub {
                wrong.push((*node, from, to));
            }
            is_left
        });
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
}
