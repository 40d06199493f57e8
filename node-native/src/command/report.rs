//! What happens around a terminal, in words on stderr.

use libp2p::PeerId;
use tincan_shared::{Event, Link, PeerInfo, Status, clock_difference, is_blank, short_id};

use crate::output;

/// Tells people what they did not ask for.
#[derive(Debug)]
pub(super) struct Reporter {
    quiet: bool,
    link: Option<Link>,
    /// Whether it was said that another program has our key.
    is_twin_told: bool,
    /// Who refused something last, and why: a full hub says the same at every try.
    refused: Option<(PeerId, String)>,
}

impl Reporter {
    pub(super) fn new(quiet: bool) -> Self {
        Self { quiet, link: None, is_twin_told: false, refused: None }
    }

    /// A line for the screen, unless none is wanted.
    pub(super) fn note(&self, line: &str) {
        if !self.quiet {
            output::note(&output::note_surface().line(line));
        }
    }

    /// What is worth telling of an event, rooms and messages aside.
    pub(super) fn event(&mut self, event: &Event) {
        let line = match event {
            Event::Status(status) => self.status(status),
            Event::PeerUp(peer) => Some(up(peer)),
            Event::PeerDown { peer } => Some(format!("disconnected: {peer}")),
            Event::Discovered { peer, address } => Some(format!("discovered: {peer} at {address}")),
            Event::Expired { peer, address } => Some(format!("expired: {peer} at {address}")),
            Event::Refused { peer, reason, .. } => self.refusal(*peer, reason),
            Event::Unreachable { address, reason } => Some(format!("cannot reach {address}: {reason}")),
            Event::ClockWrong { offset_ms } => Some(format!(
                "this machine's clock is {}: lines wait, and others' are not shown, until one of the two is set right",
                clock_difference(*offset_ms)
            )),
            Event::ClockRight => Some("this machine's clock is right again".to_owned()),
            Event::RunsElsewhere => self.twin(),
            Event::Slow { peer } => Some(format!("slow: {peer} cannot keep up; asked it for what may be missing")),
            _ => None,
        };
        if let Some(line) = line {
            self.note(&line);
        }
    }

    /// Said once: each line that the other program says is an event.
    fn twin(&mut self) -> Option<String> {
        let told = std::mem::replace(&mut self.is_twin_told, true);
        (!told).then(|| {
            "the same key runs twice: another program uses this identity (a copied data directory?), and what is said \
             may reach only one of the two; end one of them, then start this one again"
                .to_owned()
        })
    }

    fn refusal(&mut self, peer: PeerId, reason: &str) -> Option<String> {
        let refusal = Some((peer, reason.to_owned()));
        if self.refused == refusal {
            return None;
        }
        self.refused = refusal;
        Some(format!("refused: {peer}: {reason}"))
    }

    /// Only changes are news; the time to the next try is not.
    fn status(&mut self, status: &Status) -> Option<String> {
        if self.link.replace(status.link) == Some(status.link) {
            return None;
        }
        if status.link == Link::Online {
            self.refused = None;
        }
        Some(match (status.link, status.retry_in_ms) {
            (Link::Offline, Some(ms)) => format!("offline; trying again in {} s", ms.div_ceil(1000)),
            (Link::Offline, None) => "offline".to_owned(),
            (Link::Connecting, _) => "connecting".to_owned(),
            (Link::Online, _) => "online".to_owned(),
        })
    }
}

fn up(peer: &PeerInfo) -> String {
    let what = if peer.hub { "hub " } else { "" };
    format!("connected: {what}{} over {}", peer.peer, peer.transport)
}

/// What looks like a round bracket in some font.
const OPENING: [char; 7] = ['(', '\u{ff08}', '\u{fe59}', '\u{207d}', '\u{208d}', '\u{2768}', '\u{2985}'];
const CLOSING: [char; 7] = [')', '\u{ff09}', '\u{fe5a}', '\u{207e}', '\u{208e}', '\u{2769}', '\u{2986}'];

/// A person, as chat shows one: `nick (short id)`. A nick that shows nothing gives way to the id. None contains a round
/// bracket: what stands in the first ones of a line is the id of who said it.
pub(super) fn person(nick: &str, peer: &PeerId) -> String {
    let id = short_id(peer);
    if is_blank(nick) {
        return format!("{id} ({id})");
    }
    let nick = output::surface().line(nick).replace(OPENING, "[").replace(CLOSING, "]");
    // Much white space, or what shows nothing between it, would push the id off the line.
    let words: Vec<&str> = nick.split_whitespace().filter(|word| !is_blank(word)).collect();
    format!("{} ({id})", words.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nick_can_neither_hide_nor_pass_for_another_author() {
        let (peer, other) = (PeerId::random(), PeerId::random());
        let (id, other) = (short_id(&peer), short_id(&other));
        assert_eq!(person("\u{3164}\u{200b}", &peer), format!("{id} ({id})"));
        assert_eq!(person(&format!("bob ({other}): hi"), &peer), format!("bob [{other}]: hi ({id})"));
        assert_eq!(person(&format!("bob{}\u{200b}", "\t".repeat(40)), &peer), format!("bob ({id})"));
        for nick in [format!("bob ({other})\u{200b}: hi"), format!("bob \u{ff08}{other}\u{ff09}: hi")] {
            let shown = person(&nick, &peer);
            assert!(shown.matches(OPENING).count() == 1 && shown.ends_with(&format!(" ({id})")), "{shown}");
        }
    }
}
