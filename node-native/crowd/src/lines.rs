//! How lines reach a room full of people: with nobody beside, or with somebody who means harm.

use std::time::Duration;

use anyhow::Result;
use tokio::time::{MissedTickBehavior, interval};

use crate::{
    bench::Stage,
    guests::Guests,
    hostile::{Deaf, Watcher},
    hub::Transport,
    rows::{Beside, Lines},
    usage::{Meter, quiet},
};

/// Authors follow each other at this distance, so that no two neighbours do.
const STRIDE: usize = 37;

/// Who means harm, while it is there.
enum Company {
    Nobody,
    Watcher(Watcher),
    Deaf(Deaf),
}

/// Says lines while somebody is beside.
pub(crate) async fn lines(stage: &Stage<'_>, beside: Beside) -> Result<Lines> {
    let (plan, hub, guests) = (stage.plan, stage.hub.process(), &stage.guests);
    let (address, id) = (stage.hub.address(Transport::Tcp)?, stage.hub.peer_id()?);
    let company = match beside {
        Beside::Nobody => Company::Nobody,
        Beside::Watcher => Company::Watcher(Watcher::come(&address, id).await?),
        Beside::Deaf => {
            let deaf = Deaf::come(&address, id, plan.deaf);
            deaf.until_all_are(plan.patience).await;
            Company::Deaf(deaf)
        }
    };
    let (board, every) = (&guests.board, plan.every(guests.len()));
    let first = board.lines();
    let faults = board.faults();
    let watched = company.counts();
    let meter = Meter::start(hub)?;
    let waited = say(guests, plan.lines, every, None).await?;
    all_heard(guests, plan.patience).await;
    let taken = meter.read()?;
    let (watches, beside_count) = (company.counts(), company.count());
    drop(company);
    let told = board.delivery(first..board.lines());
    let after = board.faults();
    let a_second = |before: u64, after: u64| (after - before) as f64 / taken.seconds;
    // The next row begins where this one has left nothing to do.
    quiet(hub, plan.quiet, plan.patience).await?;
    Ok(Lines {
        peers: stage.session.peers,
        kind: stage.session.kind,
        beside,
        beside_count,
        lines: plan.lines,
        every_ms: u64::try_from(every.as_millis()).unwrap_or(u64::MAX),
        expected: told.expected,
        delivered: told.delivered,
        doubled: after.doubled - faults.doubled,
        misordered: after.misordered - faults.misordered,
        waited,
        lagged: after.lagged - faults.lagged,
        p50_ms: told.p50_ms,
        p99_ms: told.p99_ms,
        max_ms: told.max_ms,
        hub_percent: taken.hub_percent(),
        load_percent: taken.load_percent(),
        watches_per_s: a_second(watched.0, watches.0),
        told_kib_per_s: a_second(watched.1, watches.1),
    })
}

/// Says so many lines, one after the other, each by another peer. How many waited with their author.
pub(crate) async fn say(guests: &Guests, count: usize, every: Duration, bytes: Option<usize>) -> Result<usize> {
    let board = &guests.board;
    let mut beat = interval(every);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut waited = 0;
    for _ in 0..count {
        beat.tick().await;
        let author = board.lines() * STRIDE % guests.len();
        let text = board.say(author, bytes);
        waited += usize::from(!guests.say(author, text).await?);
    }
    Ok(waited)
}

/// Waits until everybody was shown everything.
pub(crate) async fn all_heard(guests: &Guests, within: Duration) -> bool {
    guests.board.until(within, |state| state.missing == 0).await
}

impl Company {
    fn count(&self) -> usize {
        match self {
            Self::Nobody => 0,
            Self::Watcher(_) => 1,
            Self::Deaf(deaf) => deaf.count(),
        }
    }

    fn counts(&self) -> (u64, u64) {
        match self {
            Self::Watcher(watcher) => watcher.counts(),
            Self::Nobody | Self::Deaf(_) => (0, 0),
        }
    }
}
