//! The log on stderr. Strangers must not fill it: each place in the code may say so much a minute.

use std::{
    collections::HashMap,
    fmt,
    hash::Hash,
    io::IsTerminal,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use tracing::{Event, Subscriber, callsite::Identifier};
use tracing_subscriber::{
    EnvFilter,
    fmt::{FmtContext, FormatEvent, FormatFields, format, format::Writer},
    registry::LookupSpan,
};

use crate::{output, settings::Settings};

/// Lines that one place in the code may log in one [`PERIOD`]; what is left out is counted in the next one.
const MAX_LINES: u32 = 60;
/// How long lines are counted.
const PERIOD: Duration = Duration::from_secs(60);

/// Logs to stderr. `RUST_LOG` wins; a hub tells how it fares, a terminal only what goes wrong.
pub fn install(settings: &Settings, hub: bool) {
    // A packet of mDNS that is not sent is no error of anybody's: an IPv6 address takes a second until it may be used.
    let default = match (settings.quiet, settings.verbose, hub) {
        (true, ..) => "error,libp2p_mdns::behaviour::iface=off",
        (_, 0, true) => {
            "warn,libp2p_kad=error,libp2p_mdns::behaviour::iface=off,str0m=error,tincan=info,tincan_node=info,tincan_shared=info"
        }
        (_, 0, false) => "error,libp2p_mdns::behaviour::iface=off,tincan_node=warn,tincan_shared=warn",
        (_, 1, _) => "info,tincan=debug,tincan_node=debug,tincan_shared=debug",
        (_, 2, _) => "debug",
        _ => "trace",
    };
    let asked = std::env::var(EnvFilter::DEFAULT_ENV).ok().filter(|asked| !asked.trim().is_empty());
    let asked = asked.and_then(|asked| EnvFilter::try_new(asked.trim()).ok());
    // Who asks for more gets everything.
    let spare = asked.is_none() && settings.verbose == 0;
    let filter = asked.unwrap_or_else(|| EnvFilter::new(default));
    // An error means that a logger is installed already, as in tests.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(output::Notes::default)
        // Whoever closes stderr loses the log, not the node.
        .log_internal_errors(false)
        .event_format(Sparing { format: format(), places: spare.then(Mutex::default) })
        .try_init();
}

/// A format that leaves lines out.
struct Sparing<F> {
    format: F,
    /// Shared by all threads that log; none without the bound.
    places: Option<Mutex<Places<Identifier>>>,
}

impl<S, N, F> FormatEvent<S, N> for Sparing<F>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
    F: FormatEvent<S, N>,
{
    fn format_event(&self, ctx: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        if let Some(places) = &self.places {
            let mut places = places.lock().unwrap_or_else(PoisonError::into_inner);
            match places.admit(event.metadata().callsite(), Instant::now()) {
                None => return Ok(()),
                Some(0) => {}
                Some(left_out) => writeln!(writer, "{left_out} lines like the next one were left out")?,
            }
        }
        self.format.format_event(ctx, writer, event)
    }
}

#[derive(Debug)]
struct Place {
    since: Instant,
    lines: u32,
    left_out: u64,
}

/// What each place has said of late. There are as many as the code has lines that log.
#[derive(Debug)]
struct Places<K>(HashMap<K, Place>);

impl<K> Default for Places<K> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<K: Eq + Hash> Places<K> {
    /// Nothing when the line is to be left out, else how many were left out before it.
    fn admit(&mut self, place: K, now: Instant) -> Option<u64> {
        let place = self.0.entry(place).or_insert(Place { since: now, lines: 0, left_out: 0 });
        if now.duration_since(place.since) >= PERIOD {
            (place.since, place.lines) = (now, 0);
        }
        if place.lines >= MAX_LINES {
            place.left_out += 1;
            return None;
        }
        place.lines += 1;
        Some(std::mem::take(&mut place.left_out))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_place_says_so_much_a_minute_and_then_how_much_it_left_out() {
        let (mut places, now) = (Places::default(), Instant::now());
        let said = (0..1000).filter(|_| places.admit("storm", now).is_some()).count();
        assert_eq!(said, usize::try_from(MAX_LINES).unwrap());
        assert_eq!(places.admit("calm", now), Some(0), "others are not to blame");
        assert_eq!(places.admit("storm", now + PERIOD), Some(1000 - u64::from(MAX_LINES)));
        assert_eq!(places.admit("storm", now + PERIOD), Some(0));
    }
}
