//! Two people who chat on through everything, and what each must have heard of the other.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use crate::support::{Hub, Running, tincan};

/// Between two lines of one person.
const PAUSE: Duration = Duration::from_millis(100);
/// The room they are in.
pub const ROOM: &str = "siege";

/// The conversation.
#[derive(Debug)]
pub struct Talk {
    over: Arc<AtomicBool>,
    speakers: Vec<JoinHandle<Speaker>>,
}

#[derive(Debug)]
struct Speaker {
    chat: Running,
    nick: &'static str,
    said: usize,
}

impl Talk {
    /// Two terminals on this address of a hub, who are told of each other but have no Kademlia to find each other
    /// by: all they say goes through the hub.
    pub fn start(hub: &Hub, transport: &str) -> Self {
        let flags = |nick| {
            format!(
                "chat --ephemeral --kad-protocol /siege/kad/1.0.0 --room {ROOM} --nick {nick} {}",
                hub.address(transport)
            )
        };
        let mut chats = ["ann", "bob"].map(|nick| (nick, tincan(&flags(nick)).start()));
        for (_, chat) in &mut chats {
            chat.err.containing("joined: ");
        }
        let over = Arc::new(AtomicBool::new(false));
        let speakers = chats.map(|(nick, chat)| {
            let over = over.clone();
            thread::spawn(move || speak(Speaker { chat, nick, said: 0 }, &over))
        });
        Self { over, speakers: speakers.into() }
    }

    /// Ends it. Each must have heard every line of the other once and in order.
    pub fn end(self) -> usize {
        self.over.store(true, Ordering::Relaxed);
        let mut speakers: Vec<Speaker> =
            self.speakers.into_iter().map(|one| one.join().expect("a speaker speaks")).collect();
        let said: Vec<(&str, usize)> = speakers.iter().map(|one| (one.nick, one.said)).collect();
        for (listener, (nick, count)) in speakers.iter_mut().zip(said.iter().rev()) {
            let expected: Vec<String> = (0..*count).map(|n| text(nick, n)).collect();
            let last = expected.last().expect("something was said").clone();
            listener.chat.out.expect(&last, |line| line.ends_with(&last));
            let of_other = |line: &String| line.split_once("): ").map(|(_, text)| text.to_owned());
            let heard: Vec<String> = listener.chat.out.seen.iter().filter_map(of_other).collect();
            let heard: Vec<String> =
                heard.into_iter().filter(|text| text.starts_with(&format!("{nick} says "))).collect();
            assert_eq!(heard, expected, "{} heard every line of {nick} once and in order", listener.nick);
        }
        for mut speaker in speakers {
            speaker.chat.end_input();
            speaker.chat.wait().assert_status(0);
        }
        said.iter().map(|(_, count)| count).sum()
    }
}

fn speak(mut speaker: Speaker, over: &AtomicBool) -> Speaker {
    while !over.load(Ordering::Relaxed) {
        speaker.chat.line(&text(speaker.nick, speaker.said));
        speaker.said += 1;
        thread::sleep(PAUSE);
    }
    speaker
}

fn text(nick: &str, number: usize) -> String {
    format!("{nick} says {number:05}.")
}
