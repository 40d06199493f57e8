//! What the page's address says: `?hub=<multiaddr>` (repeatable), `#room=<name>` and `#room=<name>&plain`; with `&exact`
//! the name is meant letter by letter, as that of a room whose name is in no normal form.

use std::fmt::Write;

/// The room to open when the address names none.
pub(crate) const DEFAULT_ROOM: &str = "lobby";

/// Bytes of a fragment that are read: several times what the longest room's name takes.
const MAX_FRAGMENT_BYTES: usize = 4096;

/// The room in a fragment like `#room=lobby`.
pub(crate) fn room_in(hash: &str) -> Option<String> {
    values(read(hash), "room").next().filter(|room| !room.is_empty())
}

/// Whether a fragment like `#room=lobby&plain` names a room of another program.
pub(crate) fn is_plain(hash: &str) -> bool {
    read(hash).split('&').any(|pair| pair == "plain")
}

/// Whether a fragment like `#room=cafe%CC%81&exact` names a room letter by letter.
pub(crate) fn is_exact(hash: &str) -> bool {
    read(hash).split('&').any(|pair| pair == "exact")
}

/// The fragment that opens a room.
pub(crate) fn hash_of(room: &str, plain: bool, exact: bool) -> String {
    let [plain, exact] = [(plain, "&plain"), (exact, "&exact")].map(|(said, word)| if said { word } else { "" });
    format!("#room={}{plain}{exact}", encode(room))
}

/// Whether a host's name leads everybody to their own machine.
pub(crate) fn is_loopback(host: &str) -> bool {
    let name = host.trim_end_matches('.');
    matches!(name, "localhost" | "[::1]" | "0.0.0.0") || name.ends_with(".localhost") || name.starts_with("127.")
}

/// The hubs in a query like `?hub=/ip4/…&hub=/ip4/…`.
pub(crate) fn hubs_in(search: &str) -> Vec<String> {
    values(search.trim_start_matches('?'), "hub").filter(|hub| !hub.is_empty()).collect()
}

/// Whether a query like `?direct` lets this page connect to other pages.
pub(crate) fn is_direct(search: &str) -> bool {
    search.trim_start_matches('?').split('&').any(|part| part == "direct")
}

/// As much of a fragment as is read.
fn read(hash: &str) -> &str {
    let hash = hash.trim_start_matches('#');
    &hash[..hash.floor_char_boundary(MAX_FRAGMENT_BYTES)]
}

fn values<'a>(pairs: &'a str, name: &'a str) -> impl Iterator<Item = String> + 'a {
    pairs.split('&').filter_map(move |pair| match pair.split_once('=') {
        Some((key, value)) if key == name => Some(decode(value)),
        _ => None,
    })
}

/// Undoes percent-encoding; what is not valid encoding stays as it is.
pub(crate) fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let escaped = bytes.get(at + 1..at + 3).filter(|_| bytes[at] == b'%').and_then(hex_byte);
        decoded.push(escaped.unwrap_or(bytes[at]));
        at += if escaped.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

fn hex_byte(digits: &[u8]) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let [high, low] = digits else { return None };
    u8::try_from(digit(*high)? * 16 + digit(*low)?).ok()
}

/// Percent-encodes whatever is not plain in an address.
pub(crate) fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn a_room_survives_the_way_into_a_link_and_back() {
        for room in ["lobby", "tea & cake", "100 %", "grüße", "a=b#c?d/e", "%41"] {
            for plain in [false, true] {
                let hash = hash_of(room, plain, false);
                assert_eq!((room_in(&hash).as_deref(), is_plain(&hash)), (Some(room), plain));
            }
        }
        assert_eq!(hash_of("tea & cake", true, false), "#room=tea%20%26%20cake&plain");
        let exact = hash_of("cafe\u{301}", true, true);
        assert_eq!(exact, "#room=cafe%CC%81&plain&exact");
        assert!(is_exact(&exact) && is_plain(&exact) && !is_exact("#room=exact"));
    }

    #[test]
    fn addresses_of_this_machine() {
        assert!(["localhost", "tincan.localhost", "127.0.0.1", "127.1.2.3", "[::1]"].into_iter().all(is_loopback));
        assert!(!["192.168.0.127", "hub.local", "localhost.example.org", "[fe80::1]"].into_iter().any(is_loopback));
    }

    #[test]
    fn what_is_missing_or_broken_is_no_room() {
        assert_eq!(room_in(""), None);
        assert_eq!(room_in("#"), None);
        assert_eq!(room_in("#room="), None);
        assert_eq!(room_in("#rooms=x"), None);
        assert_eq!(room_in("#room=x&plain").as_deref(), Some("x"));
        assert_eq!(room_in("#room=50%").as_deref(), Some("50%"));
        assert_eq!(room_in("#room=%zz").as_deref(), Some("%zz"));
        assert_eq!(room_in("#room=%ff").as_deref(), Some("\u{fffd}"));
    }

    #[test]
    fn hubs_repeat() {
        assert_eq!(hubs_in("?hub=/ip4/1.2.3.4/tcp/1/ws&x=1&hub=%2Fdns%2Fa"), ["/ip4/1.2.3.4/tcp/1/ws", "/dns/a"]);
        assert!(hubs_in("").is_empty());
        assert!(hubs_in("?hub=").is_empty());
    }
}
