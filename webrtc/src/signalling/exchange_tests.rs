use std::collections::VecDeque;

use futures::io::{AsyncRead, AsyncWrite};
use tokio::io::duplex;
use tokio_util::compat::TokioAsyncReadCompatExt;

use super::*;

/// Connects once it has the description and two candidates of the other side.
#[derive(Default)]
struct Fake {
    candidates: VecDeque<String>,
    described: bool,
    added: Vec<String>,
    /// Wakes whoever waits for what happens next.
    changed: Option<std::task::Waker>,
}

impl Fake {
    fn new(name: &str) -> Self {
        Self { candidates: (0..2).map(|n| format!("{{\"candidate\":\"{name}{n}\"}}")).collect(), ..Self::default() }
    }
}

impl Agent for Fake {
    async fn offer(&mut self) -> Result<String, AgentError> {
        Ok("offer".to_owned())
    }

    async fn answer(&mut self, offer: String) -> Result<String, AgentError> {
        self.described = offer == "offer";
        Ok("answer".to_owned())
    }

    async fn accept(&mut self, answer: String) -> Result<(), AgentError> {
        self.described = answer == "answer";
        Ok(())
    }

    async fn add_candidate(&mut self, json: String) {
        assert!(self.described, "a candidate before the description that it belongs to");
        self.added.push(json);
        self.changed.take().into_iter().for_each(std::task::Waker::wake);
    }

    async fn next(&mut self) -> AgentEvent {
        std::future::poll_fn(|cx| {
            if let Some(json) = self.candidates.pop_front() {
                return std::task::Poll::Ready(AgentEvent::Candidate(json));
            }
            if self.added.len() == 2 {
                return std::task::Poll::Ready(AgentEvent::Connected);
            }
            self.changed = Some(cx.waker().clone());
            std::task::Poll::Pending
        })
        .await
    }
}

fn streams() -> (impl AsyncRead + AsyncWrite + Unpin, impl AsyncRead + AsyncWrite + Unpin) {
    let (one, other) = duplex(64 * 1024);
    (one.compat(), other.compat())
}

#[tokio::test]
async fn both_sides_get_all_that_they_need_and_close_the_stream() {
    let (one, other) = streams();
    let (mut dialer, mut listener) = (Fake::new("a"), Fake::new("b"));
    let (dialled, listened) =
        futures::join!(exchange(one, &mut dialer, Side::Dialer), exchange(other, &mut listener, Side::Listener));
    dialled.unwrap();
    listened.unwrap();
    assert!(
        dialer.added.iter().all(|json| json.contains("\"b")) && listener.added.iter().all(|json| json.contains("\"a"))
    );
}

#[tokio::test]
async fn candidates_before_the_answer_are_kept_and_the_end_of_them_is_none() {
    let (one, mut other) = streams();
    let mut dialer = Fake::new("a");
    let script = async {
        for signal in [
            Signal::Candidate("1".into()),
            Signal::Candidate("null".into()),
            Signal::Answer("answer".into()),
            Signal::Candidate("2".into()),
        ] {
            write(&mut other, &signal).await.unwrap();
        }
        other
    };
    let (dialled, _other) = futures::join!(exchange(one, &mut dialer, Side::Dialer), script);
    dialled.unwrap();
    assert_eq!(dialer.added, ["1", "2"]);
}

#[tokio::test]
async fn what_comes_out_of_turn_ends_it() {
    for (side, signals, what) in [
        (Side::Listener, vec![Signal::Answer("answer".into())], "an answer"),
        (Side::Dialer, vec![Signal::Offer("offer".into())], "an offer"),
        (Side::Dialer, vec![Signal::Answer("answer".into()), Signal::Answer("answer".into())], "an answer"),
    ] {
        let (one, mut other) = streams();
        let mut agent = Fake::new("a");
        let script = async {
            for signal in &signals {
                write(&mut other, signal).await.unwrap();
            }
            other
        };
        let (ended, _other) = futures::join!(exchange(one, &mut agent, side), script);
        assert!(matches!(ended, Err(ExchangeError::OutOfTurn(said)) if said == what), "{ended:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_silent_other_side_is_given_up_and_one_that_hangs_up_fails_at_once() {
    let (one, _silent) = streams();
    let ended = exchange(one, &mut Fake::new("a"), Side::Dialer).await;
    assert!(matches!(ended, Err(ExchangeError::TimedOut)), "{ended:?}");
    let (one, gone) = streams();
    drop(gone);
    let ended = exchange(one, &mut Fake::new("a"), Side::Dialer).await;
    assert!(matches!(ended, Err(ExchangeError::Signalling(_))), "{ended:?}");
}

#[tokio::test(start_paused = true)]
async fn further_candidates_than_are_taken_cost_nothing() {
    let (one, mut other) = streams();
    let mut dialer = Fake::new("a");
    let script = async {
        write(&mut other, &Signal::Answer("answer".into())).await.unwrap();
        for _ in 0..MAX_CANDIDATES {
            write(&mut other, &Signal::Candidate("null".into())).await.unwrap();
        }
        write(&mut other, &Signal::Candidate("late".into())).await.unwrap();
        other
    };
    let (ended, _other) = futures::join!(exchange(one, &mut dialer, Side::Dialer), script);
    assert!(matches!(ended, Err(ExchangeError::TimedOut)) && dialer.added.is_empty(), "{:?}", dialer.added);
}
