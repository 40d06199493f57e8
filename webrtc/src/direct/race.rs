//! Dials by both versions, since an address does not tell which ones its listener supports.
//!
//! Version 2 goes first. If it has no answer after [`HEAD_START`], version 1 starts too: a listener answers only the versions
//! that it supports. On a long path the answer to version 2 may just be on its way; it arrives before the answer to version 1,
//! which is then given up, having sent STUN requests and begun no handshake.

use std::{future::pending, pin::pin, time::Duration};

use futures::{
    FutureExt,
    channel::oneshot,
    future::{Either, Shared, select},
};
use n0_future::time::timeout;

use super::credentials::Version;

/// How long version 2 may be without an answer before version 1 starts.
const HEAD_START: Duration = Duration::from_millis(250);
/// How long an attempt may be without an answer. Requests are repeated, so this suffices on a long or lossy path; a longer
/// time-out would delay the next dial to a listener that was away.
pub(crate) const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);

/// Used by an attempt to report that the listener has answered. If it was not, it is dropped with the attempt at the latest.
pub(crate) type AnsweredSender = oneshot::Sender<()>;

/// Does `work` and reports when `answer` is ready; none if that takes longer than [`ANSWER_TIMEOUT`].
pub(crate) async fn with_answer_timeout<T>(
    answered: AnsweredSender,
    answer: impl Future<Output = ()>,
    work: impl Future<Output = T>,
) -> Option<T> {
    // The answer is polled first: work may fail right after it.
    match select(pin!(timeout(ANSWER_TIMEOUT, answer)), pin!(work)).await {
        Either::Left((Ok(()), work)) => {
            // Fails only if the race is over.
            let _ = answered.send(());
            Some(work.await)
        }
        Either::Left((Err(_), _)) => None,
        Either::Right((done, _)) => Some(done),
    }
}

/// Attempts version 2, and version 1 where nothing answers version 2. The first connection that is made counts. If both
/// fail, the error is that of version 1 if only that was answered, else that of version 2.
pub(crate) async fn race_versions<T, E, F>(attempt: impl Fn(Version, AnsweredSender) -> F) -> Result<T, E>
where
    F: Future<Output = Result<T, E>>,
{
    let (answered, newer_answered) = channel();
    let (older_answered, is_older_answered) = channel();
    let newer = pin!(attempt(Version::V2, answered));
    // None if version 1 is not needed.
    let older = pin!(async {
        if let Ok(Ok(())) = timeout(HEAD_START, newer_answered.clone()).await {
            return None;
        }
        let overtaken = async {
            if newer_answered.clone().await.is_err() || has(&is_older_answered) {
                pending::<()>().await;
            }
        };
        let attempt = attempt(Version::V1, older_answered);
        match select(pin!(attempt), pin!(overtaken)).await {
            Either::Left((done, _)) => Some(done),
            Either::Right(_) => None,
        }
    });
    let either = |newer: E, older: E| {
        let only_older = has(&is_older_answered) && !has(&newer_answered);
        if only_older { older } else { newer }
    };
    match select(newer, older).await {
        Either::Left((Ok(made), _)) | Either::Right((Some(Ok(made)), _)) => Ok(made),
        Either::Left((Err(newer), older)) => match older.await {
            None => Err(newer),
            Some(done) => done.map_err(|older| either(newer, older)),
        },
        Either::Right((None, newer)) => newer.await,
        Either::Right((Some(Err(older)), newer)) => newer.await.map_err(|newer| either(newer, older)),
    }
}

fn channel() -> (AnsweredSender, Shared<oneshot::Receiver<()>>) {
    let (answered, told) = oneshot::channel();
    (answered, told.shared())
}

fn has(answered: &Shared<oneshot::Receiver<()>>) -> bool {
    matches!(answered.clone().now_or_never(), Some(Ok(())))
}

#[cfg(all(test, not(target_family = "wasm")))]
mod tests {
    use std::sync::Mutex;

    use n0_future::time::sleep;
    use tokio::time::Instant;

    use super::*;

    /// How an attempt goes: when it is answered, and when and how it ends, in milliseconds after its beginning.
    #[derive(Clone, Copy)]
    struct Course {
        answered: Option<u64>,
        over: (u64, Result<&'static str, &'static str>),
    }

    const SILENT: Course = Course { answered: None, over: (60_000, Err("never told")) };

    #[allow(clippy::disallowed_methods, reason = "the test's own clock, which stands still")]
    fn now() -> Instant {
        Instant::now()
    }

    /// In tens of milliseconds: timers may be one late.
    fn since(began: Instant) -> u128 {
        (began.elapsed().as_millis() + 5) / 10 * 10
    }

    /// Returns how the dial ended, after how many milliseconds, and when version 1 began.
    async fn race(newer: Course, older: Course) -> (Result<&'static str, &'static str>, u128, Option<u128>) {
        let (began, older_began) = (now(), &Mutex::new(None));
        let done = race_versions(|version, answered| async move {
            let course = if version == Version::V2 { newer } else { older };
            if version == Version::V1 {
                *older_began.lock().expect("nobody panicked") = Some(since(began));
            }
            let answer = async {
                match course.answered {
                    Some(ms) => sleep(Duration::from_millis(ms)).await,
                    None => pending().await,
                }
            };
            let work = async {
                sleep(Duration::from_millis(course.over.0)).await;
                course.over.1
            };
            with_answer_timeout(answered, answer, work).await.unwrap_or(Err("silence"))
        });
        let done = done.await;
        (done, since(began), *older_began.lock().expect("nobody panicked"))
    }

    fn knowing(rtt: u64, done: Result<&'static str, &'static str>) -> Course {
        Course { answered: Some(rtt), over: (5 * rtt, done) }
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_within_the_head_start_keeps_version_1_from_beginning() {
        assert_eq!(race(knowing(200, Ok("2")), knowing(200, Ok("1"))).await, (Ok("2"), 1000, None));
        let failed = knowing(100, Err("2 failed"));
        assert_eq!(race(failed, knowing(100, Ok("1"))).await, (Err("2 failed"), 500, None));
    }

    #[tokio::test(start_paused = true)]
    async fn a_later_answer_ends_version_1_before_its_own() {
        for rtt in [300, 600, 2000] {
            let done = race(knowing(rtt, Ok("2")), knowing(rtt, Ok("1"))).await;
            assert_eq!(done, (Ok("2"), u128::from(5 * rtt), Some(250)));
            let failed = race(knowing(rtt, Err("2 failed")), knowing(rtt, Ok("1"))).await;
            assert_eq!(failed, (Err("2 failed"), u128::from(5 * rtt), Some(250)));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_listener_that_knows_version_1_alone_is_reached_a_head_start_later() {
        assert_eq!(race(SILENT, knowing(300, Ok("1"))).await, (Ok("1"), 1750, Some(250)));
        // Its error is the one that says something.
        assert_eq!(race(SILENT, knowing(300, Err("1 failed"))).await, (Err("1 failed"), 5000, Some(250)));
        let gone = Course { answered: None, over: (20, Err("no socket")) };
        assert_eq!(race(gone, knowing(10, Ok("1"))).await, (Ok("1"), 70, Some(20)));
    }

    #[tokio::test(start_paused = true)]
    async fn the_error_of_nobody_is_version_2s() {
        let refused = Course { answered: None, over: (0, Err("the browser refuses version 1")) };
        assert_eq!(race(SILENT, refused).await, (Err("silence"), 5000, Some(250)));
        assert_eq!(race(SILENT, SILENT).await, (Err("silence"), 5250, Some(250)));
    }

    #[tokio::test(start_paused = true)]
    async fn version_2_whose_first_request_got_lost_may_still_be_first() {
        let late = Course { answered: Some(700), over: (900, Ok("2")) };
        assert_eq!(race(late, knowing(200, Ok("1"))).await.0, Ok("2"));
        assert_eq!(race(late, knowing(100, Ok("1"))).await.0, Ok("1"));
    }
}
