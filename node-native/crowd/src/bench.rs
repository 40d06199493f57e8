//! Runs a plan: one session after the other, each with a fresh hub and a fresh crowd.

use std::time::Instant;

use anyhow::{Context, Result};
use tokio::task::block_in_place;

use crate::{
    guests::Guests,
    hub::Hub,
    join::join,
    lines::lines,
    plan::{Part, Plan, Session, name},
    restart::restart,
    rows::{Beside, Row},
};

/// What a session is played on.
#[derive(Debug)]
pub(crate) struct Stage<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) session: Session,
    pub(crate) hub: Hub,
    pub(crate) guests: Guests,
}

/// Measures everything that the plan wants, on a runtime of several threads. Says what begins, and hands over each row as
/// it is done.
///
/// # Errors
/// A hub that does not start or that ends, or a peer that cannot be made. What is slow or missing is in the rows.
pub async fn run(plan: &Plan, begins: impl Fn(&str), mut done: impl FnMut(Row)) -> Result<()> {
    // Without it the first handshake of WebRTC would find two libraries.
    tincan_node::transport::install_crypto();
    for session in plan.sessions() {
        let (parts, name) = (plan.parts(&session), |part| name(&session, part));
        begins(&name(Part::Join));
        let hub = block_in_place(|| Hub::start(&plan.hub))?;
        let guests = Guests::gather(session.kind, session.peers).await?;
        let mut stage = Stage { plan, session, hub, guests };
        let joined = join(&stage).await.with_context(|| name(Part::Join))?;
        if parts.contains(&Part::Join) {
            done(Row::Join(joined));
        }
        for part in parts.into_iter().filter(|part| *part != Part::Join) {
            begins(&name(part));
            for row in measure(&mut stage, part).await.with_context(|| name(part))? {
                done(row);
            }
        }
        stage.guests.leave().await;
    }
    Ok(())
}

async fn measure(stage: &mut Stage<'_>, part: Part) -> Result<Vec<Row>> {
    let beside = match part {
        Part::Join | Part::Lines => Beside::Nobody,
        Part::Watcher => Beside::Watcher,
        Part::Deaf => Beside::Deaf,
        Part::Restart => return Ok(vec![Row::Restart(restart(stage).await?)]),
    };
    let mut rows = Vec::new();
    if beside != Beside::Nobody {
        // Measured now, as the machine is now, to set the other beside it.
        rows.push(Row::Lines(lines(stage, Beside::Nobody).await?));
    }
    rows.push(Row::Lines(lines(stage, beside).await?));
    Ok(rows)
}

/// From one moment to another; zero where they were read the other way round.
pub(crate) fn seconds(from: Instant, to: Instant) -> f64 {
    to.saturating_duration_since(from).as_secs_f64()
}
