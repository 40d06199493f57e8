//! Headers that every answer carries, and how long a browser may keep one.

use axum::{
    http::{HeaderName, HeaderValue, header},
    response::Response,
};

/// Only the page's own files, its wasm, and the connections it makes to peers.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; \
     img-src 'self' data:; connect-src 'self' ws: wss: http: https:; manifest-src 'self'; base-uri 'none'; \
     form-action 'none'; frame-ancestors 'none'";

const ALWAYS: [(HeaderName, &str); 3] = [
    (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
];

/// Digits of the hash that the page's build puts into file names; it leaves out leading zeros.
const HASH_LENGTHS: std::ops::RangeInclusive<usize> = 12..=16;

pub(super) async fn secure(mut response: Response) -> Response {
    for (name, value) in ALWAYS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

/// A file with a hash in its name never changes; any other must be asked for again.
pub(super) fn cache_control(path: &str) -> &'static str {
    let name = path.rsplit('/').next().unwrap_or(path);
    match name.split(['-', '_', '.']).any(is_hash) {
        true => "public, max-age=31536000, immutable",
        false => "no-cache",
    }
}

fn is_hash(part: &str) -> bool {
    HASH_LENGTHS.contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The kind of a file, with its encoding where there is one.
pub(super) fn content_type(path: &str) -> String {
    let kind = mime_guess::from_path(path).first_or_octet_stream();
    match kind.type_() == mime_guess::mime::TEXT {
        true => format!("{kind}; charset=utf-8"),
        false => kind.to_string(),
    }
}

/// Whether a browser takes an encoding; `;q=0` refuses it.
pub(super) fn accepts(accept_encoding: Option<&HeaderValue>, encoding: &str) -> bool {
    let Some(taken) = accept_encoding.and_then(|value| value.to_str().ok()) else { return false };
    taken.split(',').any(|one| {
        let (name, weight) = one.split_once(';').unwrap_or((one, ""));
        let refused = weight.replace(' ', "").strip_prefix("q=").and_then(|q| q.parse().ok()) == Some(0.0_f32);
        name.trim().eq_ignore_ascii_case(encoding) && !refused
    })
}

/// Whether a browser's copy is still good.
pub(super) fn matches(if_none_match: Option<&HeaderValue>, etag: &str) -> bool {
    let Some(asked) = if_none_match.and_then(|value| value.to_str().ok()) else { return false };
    asked.split(',').map(|tag| tag.trim().trim_start_matches("W/")).any(|tag| tag == etag || tag == "*")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_hashed_files_are_kept_for_ever() {
        assert!(cache_control("tincan-web-0123456789abcdef_bg.wasm").ends_with("immutable"));
        assert!(cache_control("snippets/style-0123456789abcdef.css").ends_with("immutable"));
        for name in ["index.html", "0123456789abcdef/app.js", "style-0123456789a.css", "app-0123456789abcdeg.js"] {
            assert_eq!(cache_control(name), "no-cache", "{name}");
        }
    }

    #[test]
    fn kinds_that_browsers_insist_on() {
        assert_eq!(content_type("a.wasm"), "application/wasm");
        assert_eq!(content_type("a.js"), "text/javascript; charset=utf-8");
        assert_eq!(content_type("index.html"), "text/html; charset=utf-8");
        assert_eq!(content_type("a.svg"), "image/svg+xml");
        assert_eq!(content_type("a.unheard-of"), "application/octet-stream");
    }

    #[test]
    fn a_copy_is_good_while_its_tag_is() {
        let value = HeaderValue::from_static("\"a\", W/\"b\"");
        assert!(matches(Some(&value), "\"a\"") && matches(Some(&value), "\"b\""));
        assert!(!matches(Some(&value), "\"c\"") && !matches(None, "\"a\""));
    }

    #[test]
    fn an_encoding_is_used_only_where_it_is_taken() {
        let takes = |value: &'static str, encoding| accepts(Some(&HeaderValue::from_static(value)), encoding);
        assert!(takes("gzip, deflate, br, zstd", "br"));
        assert!(takes("GZIP;q=0.5", "gzip"));
        assert!(!takes("gzip, br;q=0", "br"));
        assert!(!takes("identity", "gzip"));
        assert!(!accepts(None, "gzip"));
    }
}
