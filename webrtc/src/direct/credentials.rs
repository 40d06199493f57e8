//! ICE credentials as `/webrtc-direct` uses them: they carry the version, and the password that keys the first checks.

/// What the listener's user name begins with in version 1.
const V1: &str = "libp2p+webrtc+v1/";
/// And in version 2.
const V2: &str = "libp2p+webrtc+v2/";
/// Characters of an ICE user name fragment.
const UFRAG: std::ops::RangeInclusive<usize> = 4..=256;
/// Characters of an ICE password.
const PASSWORD: std::ops::RangeInclusive<usize> = 22..=256;

/// One side's fragment and password.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Credentials {
    /// User name fragment.
    pub ufrag: String,
    /// Password.
    pub password: String,
}

/// Both sides', as either derives them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agreed {
    /// 1 or 2.
    pub version: Version,
    /// Who dials.
    pub dialer: Credentials,
    /// Who listens.
    pub listener: Credentials,
}

/// Which version of `/webrtc-direct`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// The dialer's description is rewritten: both sides use one string for everything.
    V1,
    /// The dialer's description stays as its browser made it.
    V2,
}

/// Why a user name is answered by nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Not of the form `LISTENER:DIALER`.
    #[error("not two user name fragments")]
    Form,
    /// Of no libp2p dialer, or of a newer one.
    #[error("another protocol, or an unknown version of it")]
    Version,
    /// Would not be safe in a session description.
    #[error("not the characters or the length that ICE allows")]
    Grammar,
    /// Version 1 knows one string only.
    #[error("two different fragments in version 1")]
    Different,
}

impl Agreed {
    /// Version 1 by the string that the dialer drew; `random` is at least 4 letters or digits.
    #[must_use]
    pub fn v1(random: &str) -> Self {
        let both = Credentials { ufrag: format!("{V1}{random}"), password: format!("{V1}{random}") };
        Self { version: Version::V1, dialer: both.clone(), listener: both }
    }

    /// Version 2 by the credentials of the dialer's own description.
    ///
    /// # Errors
    /// [`Refused::Grammar`]: they are not as ICE has them, or too long to be carried.
    pub fn v2(dialer: Credentials) -> Result<Self, Refused> {
        let listener = format!("{V2}{}", dialer.password);
        if !is_ice(&dialer.ufrag, UFRAG) || !is_ice(&dialer.password, PASSWORD) || !is_ice(&listener, UFRAG) {
            return Err(Refused::Grammar);
        }
        let listener = Credentials { ufrag: listener.clone(), password: listener };
        Ok(Self { version: Version::V2, dialer, listener })
    }

    /// What a listener learns from the USERNAME of a STUN request.
    ///
    /// # Errors
    /// [`Refused`]; nothing of it may be used then.
    pub fn of_username(username: &str) -> Result<Self, Refused> {
        let (listener, dialer) = username.split_once(':').ok_or(Refused::Form)?;
        if let Some(password) = listener.strip_prefix(V2) {
            return Self::v2(Credentials { ufrag: dialer.to_owned(), password: password.to_owned() });
        }
        let random = listener.strip_prefix(V1).ok_or(Refused::Version)?;
        if !is_ice(listener, PASSWORD) || random.is_empty() {
            return Err(Refused::Grammar);
        }
        if listener != dialer {
            return Err(Refused::Different);
        }
        Ok(Self::v1(random))
    }

    /// The USERNAME of the dialer's requests.
    #[must_use]
    pub fn username(&self) -> String {
        format!("{}:{}", self.listener.ufrag, self.dialer.ufrag)
    }
}

impl Credentials {
    /// Those of a session description.
    #[must_use]
    pub fn in_sdp(sdp: &str) -> Option<Self> {
        let value = |name: &str| sdp.lines().find_map(|line| line.trim().strip_prefix(name)).map(str::to_owned);
        Some(Self { ufrag: value("a=ice-ufrag:")?, password: value("a=ice-pwd:")? })
    }
}

fn is_ice(text: &str, length: std::ops::RangeInclusive<usize>) -> bool {
    length.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dialer() -> Credentials {
        Credentials { ufrag: "Gh7+".into(), password: "abcdefghijklmnopqrstuv".into() }
    }

    #[test]
    fn both_sides_derive_the_same() {
        for agreed in [Agreed::v1("x9dk2mA8"), Agreed::v2(dialer()).unwrap()] {
            assert_eq!(Agreed::of_username(&agreed.username()), Ok(agreed));
        }
        let agreed = Agreed::v2(dialer()).unwrap();
        assert_eq!(agreed.username(), "libp2p+webrtc+v2/abcdefghijklmnopqrstuv:Gh7+");
        assert_eq!(agreed.listener.ufrag, agreed.listener.password);
        assert_eq!(agreed.dialer, dialer());
    }

    #[test]
    fn what_is_unknown_or_unsafe_is_refused() {
        let long = "a".repeat(240);
        for (username, why) in [
            ("libp2p+webrtc+v2/abcdefghijklmnopqrstuv", Refused::Form),
            ("libp2p+webrtc+v3/abcdefghijklmnopqrstuv:Gh7+", Refused::Version),
            ("someone:else", Refused::Version),
            ("libp2p+webrtc+v2/short:Gh7+", Refused::Grammar),
            ("libp2p+webrtc+v2/abcdefghijklmnopqrstuv:Gh7", Refused::Grammar),
            ("libp2p+webrtc+v2/abcdefghijklmnopqrstuv:a:b+c", Refused::Grammar),
            ("libp2p+webrtc+v2/abcdefghijklmnopqrstuv:Gh7+\r\na=x", Refused::Grammar),
            ("libp2p+webrtc+v2/abcdefghijklmnopqrstu\u{e9}:Gh7+", Refused::Grammar),
            (&format!("libp2p+webrtc+v2/{long}:Gh7+"), Refused::Grammar),
            ("libp2p+webrtc+v1/:libp2p+webrtc+v1/", Refused::Grammar),
            ("libp2p+webrtc+v1/abcdef:libp2p+webrtc+v1/abcdeg", Refused::Different),
        ] {
            assert_eq!(Agreed::of_username(username), Err(why), "{username}");
        }
    }

    #[test]
    fn a_browsers_own_credentials_are_read() {
        let sdp = "v=0\r\na=ice-ufrag:Gh7+\r\na=ice-pwd:abcdefghijklmnopqrstuv\r\n";
        assert_eq!(Credentials::in_sdp(sdp), Some(dialer()));
        assert_eq!(Credentials::in_sdp("v=0"), None);
    }
}
