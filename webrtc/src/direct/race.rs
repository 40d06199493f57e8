//! Which version a dialer begins with: nothing in an address tells what its listener knows.

use std::{pin::pin, time::Duration};

use futures::future::{Either, select};
use n0_future::time::sleep;

use super::credentials::Version;

/// How long version 2 is ahead of version 1.
const HEAD_START: Duration = Duration::from_millis(250);

/// Attempts version 2, and soon after version 1 as well. The first connection that stands counts; where none does, version
/// 1's error.
pub(crate) async fn newer_first<T, E, F>(attempt: impl Fn(Version) -> F) -> Result<T, E>
where
    F: Future<Output = Result<T, E>>,
{
    let newer = pin!(attempt(Version::V2));
    let older = attempt(Version::V1);
    let older = pin!(async {
        sleep(HEAD_START).await;
        older.await
    });
    match select(newer, older).await {
        Either::Left((Ok(made), _)) | Either::Right((Ok(made), _)) => Ok(made),
        Either::Left((Err(_), older)) => older.await,
        Either::Right((Err(error), newer)) => newer.await.map_err(|_| error),
    }
}
