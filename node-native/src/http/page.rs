//! The built page: inside the binary in release builds, read from disk in debug builds.

use axum::{
    extract::Path,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Response},
};
use rust_embed::{EmbeddedFile, RustEmbed};

use super::{headers, refusal};

const INDEX: &str = "index.html";

const NOT_BUILT: &str = "<!doctype html><meta charset=\"utf-8\"><title>Tincan</title>\
     <p>The page was not built into this hub. Build it with <code>cargo xtask page</code> and start the hub again; \
     peers can use the hub meanwhile.";

#[derive(RustEmbed)]
#[folder = "../web/dist"]
#[allow_missing = true]
struct Page;

pub(super) async fn index(headers: HeaderMap) -> Response {
    match Page::get(INDEX) {
        Some(file) => answer(INDEX, file, &headers),
        None => {
            let told = [(header::CACHE_CONTROL, "no-store")];
            (StatusCode::SERVICE_UNAVAILABLE, told, Html(NOT_BUILT)).into_response()
        }
    }
}

pub(super) async fn file(Path(path): Path<String>, headers: HeaderMap) -> Response {
    match Page::get(&path) {
        Some(file) => answer(&path, file, &headers),
        None => not_found().await,
    }
}

pub(super) async fn not_found() -> Response {
    refusal(StatusCode::NOT_FOUND, "not_found", "there is nothing here; the page is at /")
}

fn answer(path: &str, file: EmbeddedFile, headers: &HeaderMap) -> Response {
    let (file, encoding) = smallest(path, headers).map_or((file, None), |(file, encoding)| (file, Some(encoding)));
    let etag = etag(&file);
    let mut answer = match headers::matches(headers.get(header::IF_NONE_MATCH), &etag) {
        true => StatusCode::NOT_MODIFIED.into_response(),
        false => ([(header::CONTENT_TYPE, headers::content_type(path))], file.data.into_owned()).into_response(),
    };
    let told = answer.headers_mut();
    told.insert(header::CACHE_CONTROL, HeaderValue::from_static(headers::cache_control(path)));
    told.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if let Ok(etag) = HeaderValue::from_str(&etag) {
        told.insert(header::ETAG, etag);
    }
    if let Some(encoding) = encoding {
        told.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    answer
}

/// The copy that was compressed ahead and that this browser takes, if there is one.
fn smallest(path: &str, headers: &HeaderMap) -> Option<(EmbeddedFile, &'static str)> {
    let taken = |encoding: &&(&str, &str)| headers::accepts(headers.get(header::ACCEPT_ENCODING), encoding.1);
    let copies = [("br", "br"), ("gz", "gzip")];
    copies
        .iter()
        .filter(taken)
        .find_map(|(ending, encoding)| Some((Page::get(&format!("{path}.{ending}"))?, *encoding)))
}

fn etag(file: &EmbeddedFile) -> String {
    use std::fmt::Write;
    let mut tag = String::from("\"");
    for byte in &file.metadata.sha256_hash()[..HASH_BYTES] {
        // Writing to a string cannot fail.
        let _ = write!(tag, "{byte:02x}");
    }
    tag + "\""
}

/// Bytes of a file's sha-256 in its tag: enough to tell two builds apart.
const HASH_BYTES: usize = 16;
