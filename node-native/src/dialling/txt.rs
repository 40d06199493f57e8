//! What a `/dnsaddr/` stands for: whole addresses in TXT records of `_dnsaddr.<name>`.

use hickory_resolver::{TokioResolver, net::NetError, proto::rr::RData};
use libp2p::Multiaddr;
use tokio::time::timeout;

use super::host_names::{LOOKUP_TIMEOUT, LookupError};

/// Records of one name that are read.
const MAX_RECORDS: usize = 32;

/// The addresses in a name's records that end with `suffix`. The system's settings are read anew each time.
pub(crate) async fn addresses(name: &str, suffix: &Multiaddr) -> Result<Vec<Multiaddr>, LookupError> {
    let owned = || name.to_owned();
    let other = |error: NetError| LookupError::Other(owned(), error.to_string());
    let resolver = TokioResolver::builder_tokio().and_then(|builder| builder.build()).map_err(other)?;
    let answer = timeout(LOOKUP_TIMEOUT, resolver.txt_lookup(format!("_dnsaddr.{name}")))
        .await
        .map_err(|_| LookupError::Silent(owned()))?
        .map_err(|error| match error {
            error if error.is_no_records_found() || error.is_nx_domain() => LookupError::Unknown(owned()),
            NetError::Timeout => LookupError::Silent(owned()),
            error => LookupError::Other(owned(), error.to_string()),
        })?;
    let texts = answer.answers().iter().filter_map(|record| match &record.data {
        RData::TXT(text) => Some(text.txt_data.concat()),
        _ => None,
    });
    let found: Vec<Multiaddr> =
        texts.take(MAX_RECORDS).filter_map(|text| address(&text)).filter(|address| address.ends_with(suffix)).collect();
    if found.is_empty() { Err(LookupError::Unknown(owned())) } else { Ok(found) }
}

fn address(text: &[u8]) -> Option<Multiaddr> {
    std::str::from_utf8(text).ok()?.strip_prefix("dnsaddr=")?.parse().ok()
}
