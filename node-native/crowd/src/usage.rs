//! Processor time and memory of a process, as Linux tells them.

use std::{
    fs,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};

/// How often the kernel counts processor time for programs.
const TICKS_PER_SECOND: u32 = 100;
/// The hub and the peers are quiet when they take less of a core than this.
const QUIET_HUB: f64 = 0.25;
const QUIET_LOAD: f64 = 0.6;

/// User and system time that a process has taken.
pub(crate) fn cpu(process: &str) -> Result<Duration> {
    let path = format!("/proc/{process}/stat");
    let stat = fs::read_to_string(&path).with_context(|| format!("cannot read {path}; is the hub still running?"))?;
    // The second field is a name in brackets, with anything in it; the 14th and 15th are what is sought.
    let fields = stat.rsplit_once(')').context("no name in the statistics of a process")?.1.split_whitespace();
    let ticks: u32 = fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<u32>().ok()).sum();
    Ok(Duration::from_secs(1) * ticks / TICKS_PER_SECOND)
}

/// Resident memory of a process in MiB: now, and the most there ever was.
pub(crate) fn memory(process: &str) -> Result<(f64, f64)> {
    let path = format!("/proc/{process}/status");
    let status = fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
    let mib = |name: &str| -> Option<f64> {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        Some(line.trim().trim_end_matches(" kB").parse::<f64>().ok()? / 1024.0)
    };
    mib("VmRSS:").zip(mib("VmHWM:")).with_context(|| format!("no memory in {path}"))
}

/// What the hub and this process have taken since it was started.
#[derive(Debug, Clone)]
pub(crate) struct Meter {
    hub: String,
    since: Instant,
    before: (Duration, Duration),
}

/// What was taken, in seconds of processor, and how long that was.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Taken {
    pub(crate) hub: f64,
    pub(crate) load: f64,
    pub(crate) seconds: f64,
}

impl Taken {
    /// Of one core, in percent.
    pub(crate) fn hub_percent(&self) -> f64 {
        100.0 * self.hub / self.seconds
    }

    /// Of one core, in percent.
    pub(crate) fn load_percent(&self) -> f64 {
        100.0 * self.load / self.seconds
    }
}

impl Meter {
    pub(crate) fn start(hub: u32) -> Result<Self> {
        let hub = hub.to_string();
        let before = (cpu(&hub)?, cpu("self")?);
        Ok(Self { hub, since: Instant::now(), before })
    }

    pub(crate) fn read(&self) -> Result<Taken> {
        let taken = |now: Duration, before| now.saturating_sub(before).as_secs_f64();
        Ok(Taken {
            hub: taken(cpu(&self.hub)?, self.before.0),
            load: taken(cpu("self")?, self.before.1),
            seconds: self.since.elapsed().as_secs_f64(),
        })
    }
}

/// Waits until hub and peers have been quiet for this long. How long it took until they were; nothing where it took too
/// long.
pub(crate) async fn quiet(hub: u32, lasting: Duration, within: Duration) -> Result<Option<Duration>> {
    let began = Instant::now();
    while began.elapsed() < within {
        let before = began.elapsed();
        let meter = Meter::start(hub)?;
        tokio::time::sleep(lasting).await;
        let taken = meter.read()?;
        if taken.hub / taken.seconds < QUIET_HUB && taken.load / taken.seconds < QUIET_LOAD {
            return Ok(Some(before));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_takes_time_and_memory() {
        let (now, most) = memory("self").unwrap();
        assert!(now > 1.0 && most >= now, "{now} {most}");
        let meter = Meter::start(std::process::id()).unwrap();
        let mut sum = 0u64;
        while meter.read().unwrap().hub < 0.05 {
            sum = (0..100_000).fold(sum, |sum, n| std::hint::black_box(sum ^ n));
        }
        let taken = meter.read().unwrap();
        assert!(taken.hub <= taken.seconds * 64.0 && taken.load >= 0.05, "{taken:?} {sum}");
    }
}
