//! What it costs that many peers come, and how soon all know how many they are.

use std::time::Duration;

use anyhow::Result;

use crate::{
    bench::{Stage, seconds},
    rows::{Arrival, Join},
    usage::{Meter, memory, quiet},
};

/// Lets everybody in.
pub(crate) async fn join(stage: &Stage<'_>) -> Result<Join> {
    let (plan, session, hub) = (stage.plan, stage.session, stage.hub.process());
    let over = if session.arrival == Arrival::Evenly { plan.over } else { Duration::ZERO };
    let (board, all) = (&stage.guests.board, stage.guests.all());
    let meter = Meter::start(hub)?;
    let dialled = stage.guests.join(&stage.hub.address(plan.transport)?, over).await?;
    let all_know = board.until(plan.patience, |state| state.knowing == all).await;
    let taken = meter.read()?;
    let grew = board.read(|state| state.grew);
    let became_quiet = quiet(hub, plan.quiet, plan.patience).await?;
    let until_quiet = meter.read()?;
    let idle = Meter::start(hub)?;
    tokio::time::sleep(plan.idle).await;
    let idle = idle.read()?;
    let (hub_mib, hub_peak_mib) = memory(&hub.to_string())?;
    let each = |seconds: f64| 1000.0 * seconds / session.peers as f64;
    Ok(Join {
        peers: session.peers,
        kind: session.kind,
        arrival: session.arrival,
        dialled_s: seconds(dialled.first, dialled.last),
        knowing: board.read(|state| state.knowing).min(session.peers),
        all_know_s: all_know.then(|| seconds(dialled.first, grew)),
        hub_ms_per_join: each(taken.hub),
        hub_ms_per_join_until_quiet: each(until_quiet.hub),
        quiet_s: became_quiet.map(|waited| taken.seconds + waited.as_secs_f64()),
        hub_percent: taken.hub_percent(),
        load_percent: taken.load_percent(),
        idle_percent: idle.hub_percent(),
        hub_mib,
        hub_peak_mib,
        lagged: board.faults().lagged,
    })
}
