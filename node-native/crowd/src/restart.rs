//! A hub that is killed and started again under a crowd: who is back when, what was missed, what was handed over how often.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::{
    bench::{Stage, seconds},
    lines::{all_heard, say},
    rows::Restart,
    usage::{cpu, quiet},
};

/// Lines said at once after the kill, and lines said while peers come back, with the time between two of each.
const AT_ONCE: (usize, Duration) = (5, Duration::from_millis(20));
const ON_THE_WAY: (usize, Duration) = (5, Duration::from_millis(500));

/// Kills the hub and starts it again.
pub(crate) async fn restart(stage: &mut Stage<'_>) -> Result<Restart> {
    let Stage { plan, hub, guests, .. } = stage;
    let (board, crowd) = (&guests.board, guests.crowd().context("only peers of Tincan come back")?);
    let (history, bytes) = plan.history;
    say(guests, history, plan.every(guests.len()) / 2, Some(bytes)).await?;
    all_heard(guests, plan.patience).await;
    quiet(hub.process(), plan.quiet, plan.patience).await?;
    let (lines_before, faults) = (board.lines(), board.faults());
    crowd.uploads.take();
    board.hub_goes();
    let own = cpu("self")?;
    let killed = Instant::now();
    hub.kill()?;
    say(guests, AT_ONCE.0, AT_ONCE.1, None).await?;
    // It blocks until the hub listens.
    tokio::task::block_in_place(|| hub.start_again())?;
    let away_s = killed.elapsed().as_secs_f64();
    say(guests, ON_THE_WAY.0, ON_THE_WAY.1, None).await?;
    let all_back = board.until(plan.patience, |state| state.knowing == guests.len()).await;
    let (back, grew) = board.read(|state| (state.knowing, state.grew));
    let all_lines = all_heard(guests, plan.patience).await;
    let (missing, heard) = board.read(|state| (state.missing, state.heard));
    quiet(hub.process(), plan.quiet, plan.patience).await?;
    let (uploads, after) = (crowd.uploads.take(), board.faults());
    Ok(Restart {
        peers: guests.len(),
        lines_before,
        lines_meanwhile: board.lines() - lines_before,
        away_s,
        back,
        all_back_s: all_back.then(|| seconds(killed, grew)),
        all_lines_s: all_lines.then(|| seconds(killed, heard)),
        missing,
        doubled: after.doubled - faults.doubled,
        misordered: after.misordered - faults.misordered,
        line_uploads_most: uploads.lines.most,
        line_uploads_mean: uploads.lines.mean,
        presence_uploads_most: uploads.presences.most,
        presence_uploads_mean: uploads.presences.mean,
        uploaded_mib: uploads.bytes as f64 / 1024.0 / 1024.0,
        hub_s: cpu(&hub.process().to_string())?.as_secs_f64(),
        load_s: cpu("self")?.saturating_sub(own).as_secs_f64(),
    })
}
