//! An identity as a file: a key and a nick, to take along to another browser. Whoever has the file is that peer.

use std::fmt::Write;

use js_sys::{JSON, Object, Reflect};
use tincan_shared::{
    PeerId,
    config::MAX_NICK_BYTES,
    identity::{KeyType, Keypair},
};
use wasm_bindgen::JsValue;

/// Bytes of a file that is read; a written one has a few hundred.
pub const MAX_FILE_BYTES: usize = 4096;
/// What says that a file is an identity, and of which version.
const VERSION: f64 = 1.0;
const KIND: &str = "tincan_identity";

/// A key and its nick.
#[derive(Debug, Clone)]
pub struct Passport {
    /// The key. It is a secret.
    pub keypair: Keypair,
    /// The nick, trimmed; empty for none.
    pub nick: String,
}

impl Passport {
    /// Whose it is.
    #[must_use]
    pub fn peer_id(&self) -> PeerId {
        self.keypair.public().to_peer_id()
    }

    /// The file's text: JSON with the version, the peer id, the nick and the key as hexadecimal digits of its protobuf
    /// encoding, as libp2p writes private keys.
    ///
    /// # Errors
    /// When the key is of a kind that cannot be written, in words.
    pub fn write(&self) -> Result<String, String> {
        let key = self.keypair.to_protobuf_encoding().map_err(|error| format!("the key cannot be written: {error}"))?;
        let file = Object::new();
        for (name, value) in [
            (KIND, VERSION.into()),
            ("peer_id", self.peer_id().to_string().into()),
            ("nick", self.nick.as_str().into()),
            ("secret_key", hex(&key).into()),
        ] {
            // An object that was just made takes any member.
            let _ = Reflect::set(&file, &name.into(), &value);
        }
        let text = JSON::stringify_with_replacer_and_space(&file, &JsValue::NULL, &2.into());
        text.map(|text| format!("{}\n", String::from(text))).map_err(|_| "the file cannot be written".to_owned())
    }

    /// Reads a file.
    ///
    /// # Errors
    /// Why it is no identity that can be used here, in words.
    pub fn read(text: &str) -> Result<Self, String> {
        const NO_IDENTITY: &str = "this file is no Tincan identity";
        if text.len() > MAX_FILE_BYTES {
            return Err(format!("{NO_IDENTITY}: it is longer than {MAX_FILE_BYTES} bytes"));
        }
        let file = JSON::parse(text).ok().filter(JsValue::is_object).ok_or(NO_IDENTITY)?;
        let member = |name: &str| Reflect::get(&file, &name.into()).ok();
        match member(KIND).and_then(|version| version.as_f64()) {
            None => return Err(NO_IDENTITY.into()),
            Some(VERSION) => {}
            Some(_) => return Err("this identity was written by a newer Tincan; update this one".into()),
        }
        let string = |name: &str| member(name).and_then(|value| value.as_string());
        let key = string("secret_key").and_then(|digits| unhex(digits.trim()));
        let keypair = key.and_then(|key| Keypair::from_protobuf_encoding(&key).ok());
        let keypair = keypair.filter(|keypair| keypair.key_type() == KeyType::Ed25519);
        let keypair = keypair.ok_or("the key in this file is damaged")?;
        let peer_id = keypair.public().to_peer_id();
        if string("peer_id").as_deref() != Some(peer_id.to_string().as_str()) {
            return Err(
                "the key in this file does not belong to the peer id in it; the file was changed or damaged".into()
            );
        }
        let nick = string("nick").unwrap_or_default().trim().to_owned();
        if nick.len() > MAX_NICK_BYTES {
            return Err(format!("the nick in this file is longer than {MAX_NICK_BYTES} bytes"));
        }
        Ok(Self { keypair, nick })
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut digits, byte| {
        // Writing to a string cannot fail.
        let _ = write!(digits, "{byte:02x}");
        digits
    })
}

fn unhex(digits: &str) -> Option<Vec<u8>> {
    let pairs = digits.as_bytes().chunks(2);
    pairs
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok().filter(|pair| pair.len() == 2)?, 16).ok())
        .collect()
}
