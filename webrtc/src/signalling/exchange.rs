//! Offer, answer and candidates: from a signalling stream to a connection.

use std::pin::pin;

use futures::{
    AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, StreamExt,
    future::{Either, select},
    stream,
};
use n0_future::time::timeout;

use super::{
    limits::SIGNALLING_TIMEOUT,
    message::{MAX_CANDIDATES, ReadError, Reader, Signal, is_end_of_candidates, write},
};

/// Which side this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Opened the stream, and offers.
    Dialer,
    /// Answers.
    Listener,
}

/// One side's ICE agent with the connection that it is to become: a browser's `RTCPeerConnection`, or a native one.
pub trait Agent {
    /// The connection that is offered. It is the description that this side uses from then on.
    fn offer(&mut self) -> impl Future<Output = Result<String, AgentError>>;

    /// The answer to an offer.
    fn answer(&mut self, offer: String) -> impl Future<Output = Result<String, AgentError>>;

    /// Takes the answer to our offer.
    fn accept(&mut self, answer: String) -> impl Future<Output = Result<(), AgentError>>;

    /// Takes a candidate of the other side, as JSON. One that it cannot read or use is passed over.
    fn add_candidate(&mut self, json: String) -> impl Future<Output = ()>;

    /// What happens next. Nothing is lost when the future is dropped.
    fn next(&mut self) -> impl Future<Output = AgentEvent>;
}

/// What happens at an [`Agent`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AgentEvent {
    /// A candidate of ours, as JSON.
    Candidate(String),
    /// There is a connection.
    Connected,
    /// There will be none, for this reason.
    Failed(&'static str),
}

/// Why an agent cannot go on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct AgentError(pub String);

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum ExchangeError {
    /// Ours failed.
    #[error("no direct connection: {0}")]
    Agent(#[from] AgentError),
    /// No pair of addresses works, or the other side ended it.
    #[error("no direct connection: {0}")]
    Failed(&'static str),
    /// The stream failed, or brought something else.
    #[error("no direct connection could be arranged: {0}")]
    Signalling(#[from] ReadError),
    /// An answer where an offer has to be, or the like.
    #[error("no direct connection could be arranged: the other side says {0} out of turn")]
    OutOfTurn(&'static str),
    /// It took longer than [`SIGNALLING_TIMEOUT`].
    #[error("no direct connection within {} s", SIGNALLING_TIMEOUT.as_secs())]
    TimedOut,
}

/// Makes the agent's connection over a signalling stream, which is closed when there is one, and reset when there is none.
///
/// # Errors
/// [`ExchangeError`].
pub async fn exchange(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    agent: &mut impl Agent,
    side: Side,
) -> Result<(), ExchangeError> {
    timeout(SIGNALLING_TIMEOUT, exchange_patiently(stream, agent, side)).await.unwrap_or(Err(ExchangeError::TimedOut))
}

async fn exchange_patiently(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    agent: &mut impl Agent,
    side: Side,
) -> Result<(), ExchangeError> {
    let (reader, mut writer) = stream.split();
    let read = |mut reader: Reader<_>| async move { Some((reader.read().await, reader)) };
    let mut incoming = pin!(stream::unfold(Reader::new(reader), read));
    match side {
        Side::Dialer => {
            let offer = agent.offer().await?;
            write(&mut writer, &Signal::Offer(offer)).await.map_err(ReadError::Io)?;
        }
        Side::Listener => match incoming.next().await {
            Some(Ok(Signal::Offer(offer))) => {
                let answer = agent.answer(offer).await?;
                write(&mut writer, &Signal::Answer(answer)).await.map_err(ReadError::Io)?;
            }
            Some(Ok(other)) => return Err(out_of_turn(&other)),
            Some(Err(error)) => return Err(error.into()),
            None => return Err(ExchangeError::Failed("the other side said nothing")),
        },
    }
    // Candidates may overtake the answer on their way through the other side's program.
    let (mut is_answered, mut early) = (side == Side::Listener, Vec::new());
    let (mut candidates, mut reads) = (0, true);
    loop {
        let happened = {
            let signal = async {
                match reads {
                    true => incoming.next().await,
                    false => std::future::pending().await,
                }
            };
            // The agent goes first: once there is a connection, what the stream does no longer matters.
            match select(pin!(agent.next()), pin!(signal)).await {
                Either::Left((event, _)) => Either::Left(event),
                Either::Right((signal, _)) => Either::Right(signal),
            }
        };
        match happened {
            Either::Left(AgentEvent::Connected) => break,
            Either::Left(AgentEvent::Failed(why)) => return Err(ExchangeError::Failed(why)),
            Either::Left(AgentEvent::Candidate(json)) => {
                // Who has a connection already may have closed the stream.
                if write(&mut writer, &Signal::Candidate(json)).await.is_err() && !is_answered {
                    return Err(ExchangeError::Failed("the other side ended the stream"));
                }
            }
            Either::Right(Some(Ok(Signal::Answer(answer)))) if !is_answered => {
                agent.accept(answer).await?;
                is_answered = true;
                for json in early.drain(..) {
                    agent.add_candidate(json).await;
                }
            }
            Either::Right(Some(Ok(Signal::Candidate(json)))) => {
                candidates += 1;
                if is_end_of_candidates(&json) || candidates > MAX_CANDIDATES {
                    continue;
                }
                match is_answered {
                    true => agent.add_candidate(json).await,
                    false => early.push(json),
                }
            }
            Either::Right(Some(Ok(other))) => return Err(out_of_turn(&other)),
            Either::Right(Some(Err(error))) => {
                if !is_answered || !matches!(error, ReadError::Io(_)) {
                    return Err(error.into());
                }
                // The other side has its connection, and may have closed the circuit: ours comes, or fails.
                reads = false;
            }
            Either::Right(None) => reads = false,
        }
    }
    // There is a connection, whatever becomes of the stream.
    let _ = writer.close().await;
    Ok(())
}

fn out_of_turn(signal: &Signal) -> ExchangeError {
    ExchangeError::OutOfTurn(match signal {
        Signal::Offer(_) => "an offer",
        Signal::Answer(_) => "an answer",
        Signal::Candidate(_) => "a candidate",
    })
}

#[cfg(test)]
#[path = "exchange_tests.rs"]
mod tests;
