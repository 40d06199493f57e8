//! How often each frame was handed over in a sync, by whomever.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use prost::Message;
use tincan_shared::room::frame::{FrameId, name_of};

use crate::wire::{Answer, Envelope, PRESENCE, Question, Signed};

/// What was handed over since the last [`Uploads::take`].
#[derive(Debug, Default)]
pub(crate) struct Uploads(Mutex<Counted>);

#[derive(Debug, Default)]
struct Counted {
    frames: HashMap<FrameId, Upload>,
    bytes: usize,
}

#[derive(Debug)]
struct Upload {
    is_presence: bool,
    times: usize,
}

/// How often frames of one kind were handed over.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Times {
    /// Different frames.
    pub(crate) frames: usize,
    /// The most that one of them was handed over.
    pub(crate) most: usize,
    /// On average over those that were handed over at all.
    pub(crate) mean: f64,
}

/// What was handed over.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Summary {
    pub(crate) lines: Times,
    pub(crate) presences: Times,
    /// Of all of them, as often as they were.
    pub(crate) bytes: usize,
}

impl Uploads {
    /// Somebody asked this, as it went over the wire: with frames that an earlier answer wanted.
    pub(crate) fn asked(&self, question: &[u8]) {
        if let Ok(Question { give, .. }) = Question::decode(question) {
            self.handed_over(&give);
        }
    }

    /// Somebody answered this: with frames that the asker lacked.
    pub(crate) fn answered(&self, answer: &[u8]) {
        if let Ok(Answer { frames }) = Answer::decode(answer) {
            self.handed_over(&frames);
        }
    }

    fn handed_over(&self, frames: &[Vec<u8>]) {
        let mut counted = self.lock();
        for frame in frames {
            counted.bytes += frame.len();
            let Some(id) = name_of(frame) else { continue };
            let new = || Upload { is_presence: is_presence(frame), times: 0 };
            counted.frames.entry(id).or_insert_with(new).times += 1;
        }
    }

    /// What was handed over since this was last called.
    pub(crate) fn take(&self) -> Summary {
        let Counted { frames, bytes } = std::mem::take(&mut *self.lock());
        let of = |presences: bool| times(frames.values().filter(|upload| upload.is_presence == presences));
        Summary { lines: of(false), presences: of(true), bytes }
    }

    fn lock(&self) -> MutexGuard<'_, Counted> {
        // Counts stay counts, whoever panicked meanwhile.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn times<'a>(uploads: impl Iterator<Item = &'a Upload>) -> Times {
    let times: Vec<usize> = uploads.map(|upload| upload.times).collect();
    let (frames, most) = (times.len(), times.iter().copied().max().unwrap_or_default());
    Times { frames, most, mean: times.iter().sum::<usize>() as f64 / frames.max(1) as f64 }
}

fn is_presence(frame: &[u8]) -> bool {
    let signed = frame.get(2..).and_then(|envelope| Envelope::decode(envelope).ok()).unwrap_or_default().signed;
    Signed::decode(signed.as_slice()).is_ok_and(|signed| signed.kind == PRESENCE)
}

#[cfg(test)]
mod tests {
    use libp2p::identity::Keypair;
    use tincan_shared::room::frame::{Body, Draft, sign};

    use super::*;

    fn frame(body: Body) -> Vec<u8> {
        let draft = Draft { room: "r", sequence: 1, previous: 0, time_ms: 1, body: &body };
        sign(&Keypair::generate_ed25519(), &draft).unwrap().bytes
    }

    #[test]
    fn frames_are_counted_by_kind_and_name() {
        let [first, second] = [(); 2].map(|()| frame(Body::Message { nick: "n".into(), text: "t".into() }));
        let presence = frame(Body::Presence { nick: "n".into(), status: "here".into(), relays: vec![] });
        let uploads = Uploads::default();
        for give in [vec![first.clone(), second.clone()], vec![first.clone(), presence], vec![first], vec![]] {
            uploads.asked(&Question { room: "r".into(), give }.encode_to_vec());
        }
        uploads.answered(&Answer { frames: vec![second] }.encode_to_vec());
        let told = uploads.take();
        assert_eq!(told.lines, Times { frames: 2, most: 3, mean: 2.5 });
        assert_eq!(told.presences, Times { frames: 1, most: 1, mean: 1.0 });
        assert!(told.bytes > 600, "{told:?}");
        assert_eq!(uploads.take(), Summary::default());
    }
}
