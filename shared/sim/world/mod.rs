//! Many nodes in one virtual network, driven by one seed: nothing here reads a clock or a thread's random numbers, so a
//! run can be repeated.
//!
//! | file | what lives there |
//! |---|---|
//! | `plan`, `draw` | what happens in a run, and how that is drawn from a seed |
//! | `node` | one node, and what outlives it |
//! | `discovery` | who is found on the local network |
//! | `disk` | what outlives a crash, and when |
//! | `wires` | connections, and when each end learns that one is gone |
//! | `network`, `streams` | what travels over them: inputs, syncs and gossip; hub streams |
//! | `perform` | what a core wants done, done in this network |
//! | `steps` | the plan's steps |
//! | `lies` | what lying nodes do |
//! | `checks` | what is promised of lines and members, and whether it holds |
//! | `bounds` | what holds at every step: bounds, nobody remembered who is gone |
//! | `trust_scenarios` | plans written by hand, about what is believed |

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a simulator that stops tells where")]

mod bounds;
mod checks;
mod direct;
mod discovery;
mod disk;
mod draw;
mod lies;
mod network;
mod node;
mod perform;
mod plan;
mod steps;
mod streams;
#[cfg(test)]
mod trust_scenarios;
mod wires;

#[cfg(test)]
mod scenarios_links;
#[cfg(test)]
mod scenarios_order;

use std::{
    collections::BTreeMap,
    fmt::Write,
    panic::{self, AssertUnwindSafe},
    time::Duration,
};

use libp2p::identity::Keypair;
use n0_future::time::Instant;
use rand::{RngExt, SeedableRng, rngs::SmallRng};
use tincan_webrtc::signalling::OfferId;

pub use self::plan::Plan;
use self::{
    checks::Checks,
    discovery::{FIRST_DISCOVERY_MS, Found},
    node::Node,
    steps::Back,
    wires::Network,
};
use crate::{
    Change,
    config::FRAME_TIME_WINDOW,
    core::{DialId, Input, Output},
    room::{Now, frame::claimed_place},
};

/// When a run begins, unix time in milliseconds.
const BEGIN_MS: u64 = 1_700_000_000_000;
/// How long nodes have until everything promised must hold, once nothing goes wrong any more.
const SETTLE_MS: u64 = 30_000;
/// Happenings after which a run is given up: something goes round in circles.
const MAX_HAPPENINGS: u64 = 2_000_000;
/// Lines of a trace that are kept, the last ones.
const MAX_TRACE: usize = 1_000;

/// What was promised and did not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// Which promise; the same for every way to break it.
    pub promise: &'static str,
    /// Where and how.
    pub how: String,
}

/// How a run went.
#[derive(Debug)]
pub struct Outcome {
    /// The first promise that did not hold.
    pub broken: Option<Broken>,
    /// How many nodes there were.
    pub nodes: usize,
    /// How many lines were said.
    pub lines: usize,
    /// How many things happened.
    pub happenings: u64,
    /// What happened, as text.
    pub trace: String,
    /// How many connections each node lost.
    pub lost: Vec<usize>,
    /// Which reasons to go each node was given.
    pub refused: Vec<Vec<String>>,
}

/// Something that will happen.
enum Happening {
    Step(usize),
    Back(Back),
    /// A node's core is due.
    Tick {
        node: usize,
        run: u64,
        tick: u64,
    },
    /// Something reaches a node, unless its connection has gone.
    Arrives(network::Arrival),
    /// A connection comes about, or is found dead.
    Established(wires::Dialled),
    Dead {
        connection: u64,
        node: usize,
    },
    /// A direct connection is offered, or comes to nothing.
    Offered(wires::Dialled),
    NotArranged {
        node: usize,
        run: u64,
        dial: DialId,
    },
    /// Nodes of the local network ask who is there.
    Discover,
    /// A node is frozen no longer.
    Thaw {
        node: usize,
    },
    /// A node's clock is wrong no longer by so much.
    ClockBack {
        node: usize,
        off_ms: i64,
    },
    /// What a node stored outlives a crash from now on.
    Written {
        node: usize,
        run: u64,
        changes: Vec<Change>,
    },
}

/// A run under way.
struct World {
    plan: Plan,
    origin: Instant,
    now_ms: u64,
    rng: SmallRng,
    queue: BTreeMap<(u64, u64), Happening>,
    queued: u64,
    nodes: Vec<Node>,
    /// How far each node's clock is from the right time, in milliseconds.
    skews: Vec<i64>,
    /// By how much it is wrong now, beside that.
    clocks_off: Vec<i64>,
    network: Network,
    found: Found,
    checks: Checks,
    trace: Option<Vec<String>>,
    /// Direct connections that are offered, and how many there were.
    offered: BTreeMap<OfferId, wires::Dialled>,
    offers: u64,
}

/// Runs a plan. `traced`: with what happened as text.
#[must_use]
pub fn run(plan: &Plan, traced: bool) -> Outcome {
    let mut world = World::new(plan.clone(), traced);
    if let Err(panic) = panic::catch_unwind(AssertUnwindSafe(|| world.go())) {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("without a word");
        world.checks.fail("nothing panics", text.to_owned());
    }
    let trace = world.trace.take().unwrap_or_default();
    Outcome {
        broken: world.checks.broken.take(),
        nodes: world.nodes.len(),
        lines: world.checks.said(),
        happenings: world.queued,
        trace: trace.join("\n"),
        lost: world.checks.losses.clone(),
        refused: world.checks.refusals.clone(),
    }
}

impl World {
    fn new(plan: Plan, traced: bool) -> Self {
        #[allow(clippy::disallowed_methods, reason = "an origin for the run's own clock")]
        let origin = Instant::now();
        let mut rng = SmallRng::seed_from_u64(plan.seed ^ 0x51_u64);
        let key = |(node, member): (usize, &plan::Member)| keypair(plan.seed, member.twin_of.unwrap_or(node));
        let keypairs: Vec<Keypair> = plan.members.iter().enumerate().map(key).collect();
        let nodes =
            plan.members.iter().enumerate().map(|(n, member)| Node::new(n, member, &keypairs, plan.tight)).collect();
        let skews: Vec<i64> = plan.members.iter().map(|_| rng.random_range(-1500..1500)).collect();
        let checks = Checks::new(&keypairs, &plan);
        Self {
            network: Network::new(plan.latency_ms, plan.seed),
            found: Found::default(),
            plan,
            origin,
            now_ms: 0,
            rng,
            queue: BTreeMap::new(),
            queued: 0,
            nodes,
            clocks_off: vec![0; skews.len()],
            offered: BTreeMap::new(),
            offers: 0,
            skews,
            checks,
            trace: traced.then(Vec::new),
        }
    }

    fn go(&mut self) {
        for step in 0..self.plan.steps.len() {
            self.at(self.plan.steps[step].0, Happening::Step(step));
        }
        for node in 0..self.nodes.len() {
            self.at(self.plan.members[node].starts_ms, Happening::Back(Back { node, run: 0 }));
        }
        if self.plan.members.iter().any(|member| member.local) {
            self.at(FIRST_DISCOVERY_MS, Happening::Discover);
        }
        let end_ms = self.plan.healed_ms + SETTLE_MS;
        while let Some(((at, _), happening)) = self.queue.pop_first() {
            if at > end_ms || self.checks.broken.is_some() {
                break;
            }
            if self.queued > MAX_HAPPENINGS {
                self.checks.fail("a run ends", format!("{MAX_HAPPENINGS} things happened by {} ms", self.now_ms));
                return;
            }
            self.now_ms = self.now_ms.max(at);
            self.happen(happening);
        }
        if self.checks.broken.is_none() {
            self.now_ms = end_ms;
            self.check_end();
        }
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Step(step) => self.step(step),
            Happening::Back(back) => self.back(back),
            Happening::Tick { node, run, tick } => {
                let it = &self.nodes[node];
                if it.run != run || it.tick != tick || !it.is_up() {
                } else if it.frozen_until > self.now_ms {
                    self.at(it.frozen_until, Happening::Tick { node, run, tick });
                } else {
                    self.handle(node, Input::Tick);
                }
            }
            Happening::Arrives(arrival) => self.arrive(arrival),
            Happening::Established(dialled) => self.establish(dialled),
            Happening::Offered(dialled) => self.offer(dialled),
            Happening::NotArranged { node, run, dial } => {
                if self.nodes[node].run == run && self.nodes[node].is_up() {
                    self.dial_failed(node, dial, crate::core::DialFailure::Unreachable);
                }
            }
            Happening::Discover => self.discover(),
            Happening::Dead { connection, node } => self.found_dead(node, connection),
            Happening::Thaw { node } => self.thaw(node),
            Happening::ClockBack { node, off_ms } => self.clocks_off[node] -= off_ms,
            Happening::Written { node, run, changes } => self.written(node, run, changes),
        }
    }

    fn at(&mut self, at_ms: u64, happening: Happening) {
        self.queued += 1;
        self.queue.insert((at_ms.max(self.now_ms), self.queued), happening);
    }

    fn after(&mut self, ms: u64, happening: Happening) {
        self.at(self.now_ms + ms, happening);
    }

    fn now(&self, node: usize) -> Now {
        let instant = self.origin + Duration::from_millis(self.now_ms);
        Now {
            instant,
            unix_ms: (BEGIN_MS + self.now_ms).saturating_add_signed(self.skews[node] + self.clocks_off[node]),
        }
    }

    /// Frames reach a node because they were wanted. What is not of its hour by its clock may be of use later.
    fn given(&mut self, from: usize, to: usize, frames: &[Vec<u8>]) {
        let now_ms = i64::try_from(self.now(to).unix_ms).unwrap_or(i64::MAX);
        let off_ms = |frame: &Vec<u8>| i64::try_from(claimed_place(frame).0).unwrap_or(i64::MAX).abs_diff(now_ms);
        let is_of_now = |frame: &&Vec<u8>| off_ms(frame) <= time_window_ms().unsigned_abs();
        let of_now: Vec<Vec<u8>> = frames.iter().filter(is_of_now).cloned().collect();
        self.checks.given(from, to, self.nodes[to].run, &of_now);
    }

    /// Whether a node's clock is wrong and a hub's as well, by as much: it can know nothing of it.
    fn is_misled(&self, node: usize) -> bool {
        let (window, off_ms) = (time_window_ms(), self.clocks_off[node]);
        let agrees = |hub: usize| (self.clocks_off[hub] - off_ms).abs() <= window;
        let mut hubs = (0..self.nodes.len()).filter(|hub| *hub != node && self.plan.members[*hub].is_hub);
        off_ms.abs() > window && hubs.any(agrees)
    }

    fn start(&mut self, node: usize) {
        let now = self.now(node);
        let arranges = self.plan.direct && !self.plan.members[node].is_hub;
        self.nodes[node].start(self.plan.seed.wrapping_mul(31) + node as u64, arranges, now);
        self.note(|| format!("{} starts", name(node)));
        let outputs = self.nodes[node].core.as_mut().map(crate::core::Core::take_outputs).unwrap_or_default();
        self.perform(node, outputs);
        self.arm(node);
        self.check_start(node);
        // What was stored is there at once, and late lines are measured by it.
        let stored = crate::room::load(&self.nodes[node].disk).into_values();
        let frames: Vec<Vec<u8>> = stored.flat_map(|room| room.frames).map(|frame| frame.bytes).collect();
        self.frames_arrive(node, &frames);
        for room in self.plan.members[node].rooms.clone() {
            if self.nodes[node].run == 1 {
                self.join(node, room);
            }
        }
    }

    /// Lets a node's core decide.
    fn handle(&mut self, node: usize, input: Input) {
        let now = self.now(node);
        if self.queued + 20 > MAX_HAPPENINGS {
            self.note(|| format!("{} hears {input:?}", name(node)));
        }
        let ends = self.note_connected(node, &input);
        let Some(core) = &mut self.nodes[node].core else { return };
        let outputs = core.handle(input, now);
        if self.queued + 20 > MAX_HAPPENINGS {
            let due = core.deadlines().into_iter().filter(|(_, at)| at.is_some_and(|at| at <= now.instant));
            let due: Vec<&str> = due.map(|(part, _)| part).collect();
            self.note(|| format!("{} does {outputs:?}; due: {due:?}", name(node)));
        }
        self.check_node(node, ends);
        self.perform(node, outputs);
        self.arm(node);
    }

    /// Sets a node's next tick.
    fn arm(&mut self, node: usize) {
        let Some(core) = &self.nodes[node].core else { return };
        let due = core.deadline().saturating_duration_since(self.origin);
        let due_ms = u64::try_from(due.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX);
        self.nodes[node].tick += 1;
        let (run, tick) = (self.nodes[node].run, self.nodes[node].tick);
        self.at(due_ms, Happening::Tick { node, run, tick });
    }

    fn perform(&mut self, node: usize, outputs: Vec<Output>) {
        for output in outputs {
            self.perform_one(node, output);
        }
    }

    fn note(&mut self, what: impl FnOnce() -> String) {
        let Some(trace) = &mut self.trace else { return };
        let mut line = String::new();
        let _ = write!(line, "{:>8.3} {}", self.now_ms as f64 / 1000.0, what());
        trace.push(line);
        if trace.len() > MAX_TRACE {
            trace.remove(0);
        }
    }
}

/// How a node is called in traces.
fn name(node: usize) -> String {
    format!("n{node}")
}

fn keypair(seed: u64, node: usize) -> Keypair {
    let mut bytes = [7; 32];
    bytes[..8].copy_from_slice(&seed.to_be_bytes());
    bytes[8..16].copy_from_slice(&(node as u64).to_be_bytes());
    Keypair::ed25519_from_bytes(bytes).expect("32 bytes are a key")
}

fn time_window_ms() -> i64 {
    i64::try_from(FRAME_TIME_WINDOW.as_millis()).unwrap_or(i64::MAX)
}
