use axum::serve::Listener;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;

async fn connected() -> (Bounded, TcpStream, Connection) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut bounded = Bounded::new(listener, Shared::default(), Arc::default());
    let client = TcpStream::connect(address).await.unwrap();
    let (connection, _) = bounded.accept().await;
    (bounded, client, connection)
}

#[tokio::test(start_paused = true)]
async fn who_sends_slowly_is_dropped() {
    let (_bounded, mut client, mut connection) = connected().await;
    client.write_all(b"GET").await.unwrap();
    let mut sent = [0; 3];
    connection.read_exact(&mut sent).await.unwrap();
    // The clock jumps ahead by itself, as nothing else is left to happen.
    assert_eq!(connection.read(&mut sent).await.unwrap_err().kind(), io::ErrorKind::TimedOut);
}

#[tokio::test(start_paused = true)]
async fn who_reads_slower_than_the_least_rate_is_dropped_and_who_keeps_it_is_not() {
    let second = Duration::from_secs(1);
    let bytes = MIN_BYTES_PER_SECOND as usize;
    for (read, stays) in [(bytes / 2, false), (bytes, true)] {
        let (_bounded, _client, mut connection) = connected().await;
        let mut alive = true;
        for _ in 0..10 * PROGRESS_TIMEOUT.as_secs() {
            connection.got_on(read);
            tokio::time::sleep(second).await;
            alive &= std::future::poll_fn(|cx| Poll::Ready(connection.check(cx))).await.is_ok();
        }
        assert_eq!(alive, stays, "{read} bytes a second");
    }
}

#[tokio::test]
async fn who_is_cut_ends_at_once_and_frees_its_place() {
    let (bounded, _client, mut connection) = connected().await;
    assert_eq!(bounded.slots.lock().counts().connections, 1);
    let slots = bounded.slots.clone();
    let id = connection.id;
    let reading = tokio::spawn(async move { connection.read(&mut [0; 1]).await.map_err(|error| error.kind()) });
    tokio::task::yield_now().await;
    slots.lock().remove(id);
    assert_eq!(reading.await.unwrap(), Err(io::ErrorKind::ConnectionAborted));
    assert_eq!(slots.lock().counts().connections, 0);
}
