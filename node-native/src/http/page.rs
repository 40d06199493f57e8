//! The built page: inside the binary in release builds, read from disk in debug builds.

use axum::{
    extract::Path,
    http::{HeaderMap, StatusCode, header},
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
    let etag = etag(&file);
    let keep = [(header::CACHE_CONTROL, headers::cache_control(path).to_owned()), (header::ETAG, etag.clone())];
    if headers::matches(headers.get(header::IF_NONE_MATCH), &etag) {
        return (StatusCode::NOT_MODIFIED, keep).into_response();
    }
    (keep, [(header::CONTENT_TYPE, headers::content_type(path))], file.data.into_owned()).into_response()
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
