//! The page: built into the binary in release builds, read from disk in debug builds, or from a folder of the
//! operator's.

use std::{
    borrow::Cow,
    collections::HashMap,
    fs,
    path::Path as FsPath,
    sync::{Arc, Mutex, PoisonError},
};

use axum::{
    body::Bytes,
    extract::{Path, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Response},
};
use rust_embed::{EmbeddedFile, RustEmbed, utils::read_file_from_fs};

use super::{headers, refusal};
use crate::Error;

const INDEX: &str = "index.html";

/// Files of a folder given with `--page`; they are kept in memory.
const MAX_PAGE_FILES: usize = 1024;
/// Bytes of all of them.
const MAX_PAGE_BYTES: usize = 64 * 1024 * 1024;

const NOT_BUILT: &str = "<!doctype html><meta charset=\"utf-8\"><title>Tincan</title>\
     <p>The page was not built into this hub. Build it with <code>cargo xtask page</code> and start the hub again; \
     peers can use the hub meanwhile.";

#[derive(RustEmbed)]
#[folder = "../web/dist"]
#[allow_missing = true]
struct BuiltIn;

/// Where the page's files come from. Answers share each file's bytes, however many are under way.
#[derive(Debug, Clone)]
pub enum Page {
    /// What was built with the binary. The files that were read from disk, in debug builds, are remembered.
    BuiltIn(Arc<Mutex<HashMap<String, File>>>),
    /// A folder's files, as they were at the start.
    Folder(Arc<HashMap<String, File>>),
}

/// One file.
#[derive(Debug, Clone)]
pub struct File {
    data: Bytes,
    etag: String,
}

impl Page {
    /// What was built with the binary.
    #[must_use]
    pub fn built_in() -> Self {
        Self::BuiltIn(Arc::default())
    }

    /// Reads a folder, once.
    ///
    /// # Errors
    /// [`Error::Page`].
    pub fn folder(path: &FsPath) -> Result<Self, Error> {
        let wrong = |reason: String| Error::Page { path: path.to_owned(), reason };
        let mut files = HashMap::new();
        let (mut bytes, mut folders) = (0, vec![path.to_owned()]);
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).map_err(|error| wrong(error.to_string()))? {
                let (entry, kind) = entry
                    .and_then(|entry| Ok((entry.path(), entry.file_type()?)))
                    .map_err(|error| wrong(error.to_string()))?;
                if kind.is_dir() {
                    folders.push(entry);
                    continue;
                }
                let Some(name) = entry.strip_prefix(path).ok().and_then(FsPath::to_str).filter(|_| kind.is_file())
                else {
                    continue;
                };
                let read = read_file_from_fs(&entry).map_err(|error| wrong(format!("{name}: {error}")))?;
                bytes += read.data.len();
                if files.len() >= MAX_PAGE_FILES || bytes > MAX_PAGE_BYTES {
                    return Err(wrong("it holds more than 1,024 files or 64 MiB".to_owned()));
                }
                files.insert(name.to_owned(), File::new(read));
            }
        }
        match files.contains_key(INDEX) {
            true => Ok(Self::Folder(Arc::new(files))),
            false => Err(wrong("it has no index.html".to_owned())),
        }
    }

    fn get(&self, path: &str) -> Option<File> {
        match self {
            Self::Folder(files) => files.get(path).cloned(),
            Self::BuiltIn(read) => {
                let file = BuiltIn::get(path)?;
                if matches!(file.data, Cow::Borrowed(_)) {
                    return Some(File::new(file));
                }
                let etag = etag(&file);
                let mut read = read.lock().unwrap_or_else(PoisonError::into_inner);
                if read.get(path).is_none_or(|known| known.etag != etag) {
                    read.insert(path.to_owned(), File::new(file));
                }
                read.get(path).cloned()
            }
        }
    }
}

impl File {
    fn new(file: EmbeddedFile) -> Self {
        let etag = etag(&file);
        let data = match file.data {
            Cow::Borrowed(data) => Bytes::from_static(data),
            Cow::Owned(data) => data.into(),
        };
        Self { data, etag }
    }
}

pub(super) async fn index(State(page): State<Page>, headers: HeaderMap) -> Response {
    match page.get(INDEX) {
        Some(file) => answer(&page, INDEX, file, &headers),
        None => {
            let told = [(header::CACHE_CONTROL, "no-store")];
            (StatusCode::SERVICE_UNAVAILABLE, told, Html(NOT_BUILT)).into_response()
        }
    }
}

pub(super) async fn file(State(page): State<Page>, Path(path): Path<String>, headers: HeaderMap) -> Response {
    match page.get(&path) {
        Some(file) => answer(&page, &path, file, &headers),
        None => not_found().await,
    }
}

pub(super) async fn not_found() -> Response {
    refusal(StatusCode::NOT_FOUND, "not_found", "there is nothing here; the page is at /")
}

fn answer(page: &Page, path: &str, file: File, headers: &HeaderMap) -> Response {
    let smallest = smallest(page, path, headers);
    let (file, encoding) = smallest.map_or((file, None), |(file, encoding)| (file, Some(encoding)));
    let mut answer = match headers::matches(headers.get(header::IF_NONE_MATCH), &file.etag) {
        true => StatusCode::NOT_MODIFIED.into_response(),
        false => ([(header::CONTENT_TYPE, headers::content_type(path))], file.data).into_response(),
    };
    let told = answer.headers_mut();
    told.insert(header::CACHE_CONTROL, HeaderValue::from_static(headers::cache_control(path)));
    told.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if let Ok(etag) = HeaderValue::from_str(&file.etag) {
        told.insert(header::ETAG, etag);
    }
    if let Some(encoding) = encoding {
        told.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    answer
}

/// The copy that was compressed ahead and that this browser takes, if there is one.
fn smallest(page: &Page, path: &str, headers: &HeaderMap) -> Option<(File, &'static str)> {
    let taken = |encoding: &&(&str, &str)| headers::accepts(headers.get(header::ACCEPT_ENCODING), encoding.1);
    let copies = [("br", "br"), ("gz", "gzip")];
    copies.iter().filter(taken).find_map(|(ending, encoding)| Some((page.get(&format!("{path}.{ending}"))?, *encoding)))
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
