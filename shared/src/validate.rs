//! Refuses settings that cannot work, before they do harm: each in one line that says what to change.

use std::time::Duration;

use crate::{
    Config, Error, Limits,
    behaviour::{MAX_CONTROL_BYTES, MAX_TOPICS_PER_PEER},
    config::{MAX_FRAME_BYTES, MAX_ROOM_BYTES},
    core::MAX_ROOMS_PER_PEER,
    hub::desk::MAX_WATCHED,
    room::{
        frame::MAX_PRESENCE_BYTES,
        sync::{MAX_BYTES, MAX_PREFIXES},
    },
};

/// The longest time that may be set: a year. Clocks overflow far beyond it.
const MAX_SETTING_TIME: Duration = Duration::from_secs(365 * 24 * 3600);
/// Lines that may be set to wait in one room. All are sent at once when somebody comes, and each is an event.
const MAX_WAITING_LINES: usize = 4096;
/// What Protocol Buffers add to a frame in a sync: a tag and its length.
const FRAME_OVERHEAD: usize = 3;
/// Bytes of one wanted prefix in a sync, with its tag and length.
const PREFIX_BYTES: usize = 10;
/// The least time between pings.
const MIN_PING_INTERVAL: Duration = Duration::from_millis(100);

/// A hub's hello names all its rooms in one RPC, each with a few bytes of framing.
const _: () = {
    let rooms = MAX_WATCHED + MAX_ROOMS_PER_PEER;
    assert!(rooms <= MAX_TOPICS_PER_PEER && rooms * (MAX_ROOM_BYTES + 8) <= MAX_CONTROL_BYTES);
};

impl Config {
    /// Refuses settings that cannot work.
    ///
    /// # Errors
    /// [`Error::Setting`] names the field; [`Error::Nick`] a nick out of bounds.
    pub fn validate(&self) -> Result<(), Error> {
        if let Some(nick) = &self.nick {
            crate::text::check_nick(nick)?;
        }
        if !self.kad_protocol.starts_with('/') {
            let reason = format!("{:?} must begin with a slash; write it like /tincan/kad/1.0.0", self.kad_protocol);
            return Err(Error::Setting { name: "kad_protocol", reason });
        }
        if !(MIN_PING_INTERVAL..=MAX_SETTING_TIME).contains(&self.ping_interval) {
            let reason = format!("{:?} is out of bounds; set it to 100 ms to a year", self.ping_interval);
            return Err(Error::Setting { name: "ping_interval", reason });
        }
        self.limits.validate()
    }
}

impl Limits {
    fn validate(&self) -> Result<(), Error> {
        for (name, value) in [
            ("connections", self.connections as usize),
            ("connections_per_peer", self.connections_per_peer as usize),
            ("connections_per_source", self.connections_per_source as usize),
            ("pending_incoming", self.pending_incoming as usize),
            ("peers", self.peers),
            ("joined_rooms", self.joined_rooms),
            ("kept_frames", self.kept_frames),
            ("kept_presences", self.kept_presences),
            ("known_hubs", self.known_hubs),
            ("circuits_per_peer", self.circuits_per_peer),
            ("offences", self.offences as usize),
            ("queries", self.queries),
        ] {
            at_least(name, value, 1)?;
        }
        at_most("joined_rooms", self.joined_rooms, MAX_ROOMS_PER_PEER, "others look at no more rooms of one peer")?;
        at_most("carried_rooms", self.carried_rooms, MAX_WATCHED, "other hubs report on no more rooms to one hub")?;
        let looked_at = "no more rooms of one peer are looked at";
        at_most("carried_rooms_per_peer", self.carried_rooms_per_peer, MAX_ROOMS_PER_PEER, looked_at)?;
        at_most("waiting_lines", self.waiting_lines, MAX_WAITING_LINES, "all are sent at once when somebody comes")?;
        self.validate_sync()?;
        time("carry_linger_secs", self.carry_linger, Duration::ZERO)?;
        time("circuit_duration_secs", self.circuit_duration, Duration::from_secs(1))?;
        time("refuse_for_secs", self.refuse_for, Duration::from_secs(1))
    }

    /// Everything that is kept of a room must fit into one question and one answer of a sync, of ours and of every
    /// peer's, or no sync of that room ever succeeds.
    fn validate_sync(&self) -> Result<(), Error> {
        at_least("kept_bytes", self.kept_bytes, MAX_FRAME_BYTES)?;
        let entries = self.kept_frames.saturating_add(self.kept_presences);
        if entries > MAX_PREFIXES {
            let reason = format!(
                "it is {} and kept_presences {}, but a sync takes {MAX_PREFIXES} of both together; lower one of them",
                self.kept_frames, self.kept_presences
            );
            return Err(Error::Setting { name: "kept_frames", reason });
        }
        let presences = self.kept_presences * (MAX_PRESENCE_BYTES + FRAME_OVERHEAD);
        let framing = self.kept_frames * FRAME_OVERHEAD + (MAX_PREFIXES + 1) * PREFIX_BYTES;
        let room = MAX_BYTES - presences - framing;
        at_most("kept_bytes", self.kept_bytes, room, "a sync takes 2 MiB, presences and framing included")
    }
}

fn at_least(name: &'static str, value: usize, least: usize) -> Result<(), Error> {
    if value < least {
        return Err(Error::Setting { name, reason: format!("{value} is too low; set it to {least} or more") });
    }
    Ok(())
}

fn at_most(name: &'static str, value: usize, most: usize, why: &str) -> Result<(), Error> {
    if value > most {
        let reason = format!("{value} is too high, as {why}; set it to {most} or less");
        return Err(Error::Setting { name, reason });
    }
    Ok(())
}

fn time(name: &'static str, value: Duration, least: Duration) -> Result<(), Error> {
    if (least..=MAX_SETTING_TIME).contains(&value) {
        return Ok(());
    }
    let (seconds, least, most) = (value.as_secs(), least.as_secs(), MAX_SETTING_TIME.as_secs());
    Err(Error::Setting { name, reason: format!("{seconds} is out of bounds; set it to {least} to {most} seconds") })
}

#[cfg(test)]
#[path = "validate_tests.rs"]
mod tests;
