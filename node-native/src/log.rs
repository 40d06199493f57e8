//! The log on stderr. Strangers must not fill it, so each line of code may log only so much a minute.

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

/// Lines that one line of code may log in one [`PERIOD`]; those left out are counted and reported later.
const MAX_LINES: u32 = 60;
/// How long lines are counted.
const PERIOD: Duration = Duration::from_secs(60);

/// Logs to stderr. `RUST_LOG` takes precedence; by default a hub logs information, a terminal only problems.
pub fn install(settings: &Settings, hub: bool) {
    // mDNS reports packets that it cannot send, which is no error: a new IPv6 address cannot be used in its first second.
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
    // Whoever asks for more gets everything.
    let is_limited = asked.is_none() && settings.verbose == 0;
    let filter = asked.unwrap_or_else(|| EnvFilter::new(default));
    // An error means that a logger is installed already, as in tests.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(output::StderrWriter::default)
        // Whoever closes stderr loses the log, not the node.
        .log_internal_errors(false)
        .event_format(RateLimited { format: format(), call_sites: is_limited.then(Mutex::default) })
        .try_init();
}

/// A format that leaves out lines beyond the bound.
struct RateLimited<F> {
    format: F,
    /// Shared by all threads that log; none without the bound.
    call_sites: Option<Mutex<CallSites<Identifier>>>,
}

impl<S, N, F> FormatEvent<S, N> for RateLimited<F>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
    F: FormatEvent<S, N>,
{
    fn format_event(&self, ctx: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        if let Some(call_sites) = &self.call_sites {
            let mut call_sites = call_sites.lock().unwrap_or_else(PoisonError::into_inner);
            match call_sites.admit(event.metadata().callsite(), Instant::now()) {
                None => return Ok(()),
                Some(0) => {}
                Some(left_out) => writeln!(writer, "{left_out} lines like the next one were left out")?,
            }
        }
        self.format.format_event(ctx, writer, event)
    }
}

#[derive(Debug)]
struct CallSite {
    since: Instant,
    lines: u32,
    left_out: u64,
}

/// How much each line of code has logged recently. There are as many entries as lines that log.
#[derive(Debug)]
struct CallSites<K>(HashMap<K, CallSite>);

impl<K> Default for CallSites<K> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<K: Eq + Hash> CallSites<K> {
    /// None if the line is to be left out, else how many were left out before it.
    fn admit(&mut self, call_site: K, now: Instant) -> Option<u64> {
        let call_site = self.0.entry(call_site).or_insert(CallSite { since: now, lines: 0, left_out: 0 });
        if now.duration_since(call_site.since) >= PERIOD {
            (call_site.since, call_site.lines) = (now, 0);
        }
        if call_site.lines >= MAX_LINES {
            call_site.left_out += 1;
            return None;
        }
        call_site.lines += 1;
        Some(std::mem::take(&mut call_site.left_out))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_place_says_so_much_a_minute_and_then_how_much_it_left_out() {
        let (mut call_sites, now) = (CallSites::default(), Instant::now());
        let said = (0..1000).filter(|_| call_sites.admit("storm", now).is_some()).count();
        assert_eq!(said, usize::try_from(MAX_LINES).unwrap());
        assert_eq!(call_sites.admit("calm", now), Some(0), "others are not to blame");
        assert_eq!(call_sites.admit("storm", now + PERIOD), Some(1000 - u64::from(MAX_LINES)));
        assert_eq!(call_sites.admit("storm", now + PERIOD), Some(0));
    }
}
