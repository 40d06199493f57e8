//! ICE credentials as `/webrtc-direct` uses them. The user name of a dialer's first STUN request tells the listener
//! everything: the version, and the passwords that authenticate STUN.

/// Prefix of the listener's user name in version 1.
const V1: &str = "libp2p+webrtc+v1/";
/// The same in version 2.
const V2: &str = "libp2p+webrtc+v2/";
/// Length of an ICE user name fragment, in characters.
const UFRAG: std::ops::RangeInclusive<usize> = 4..=256;
/// Length of an ICE password, in characters.
const PASSWORD: std::ops::RangeInclusive<usize> = 22..=256;

/// One side's user name fragment and password.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Credentials {
    /// User name fragment.
    pub ufrag: String,
    /// Password.
    pub password: String,
}

/// The credentials of both sides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IceCredentials {
    /// The version that they belong to.
    pub version: Version,
    /// The dialer's.
    pub dialer: Credentials,
    /// The listener's.
    pub listener: Credentials,
}

/// A version of `/webrtc-direct`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// Both sides use one random string for everything, so the dialer's session description has to be rewritten.
    V1,
    /// The dialer's session description stays as its browser made it.
    V2,
}

/// Why a STUN request's user name is not answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UsernameError {
    /// It is not of the form `LISTENER:DIALER`.
    #[error("not two user name fragments")]
    Form,
    /// It is of no libp2p dialer, or of an unknown version.
    #[error("another protocol, or an unknown version of it")]
    Version,
    /// It has characters that are not allowed, or a length that is not.
    #[error("not the characters or the length that ICE allows")]
    Grammar,
    /// In version 1 both fragments must be the same.
    #[error("two different fragments in version 1")]
    Different,
}

impl IceCredentials {
    /// Of version 1, from the dialer's random string of at least 4 letters or digits.
    #[must_use]
    pub fn v1(random: &str) -> Self {
        let both = Credentials { ufrag: format!("{V1}{random}"), password: format!("{V1}{random}") };
        Self { version: Version::V1, dialer: both.clone(), listener: both }
    }

    /// Of version 2, from the credentials in the dialer's session description.
    ///
    /// # Errors
    /// [`UsernameError::Grammar`] if they are not valid, or too long to be told to the listener.
    pub fn v2(dialer: Credentials) -> Result<Self, UsernameError> {
        let listener = format!("{V2}{}", dialer.password);
        if !is_ice(&dialer.ufrag, UFRAG) || !is_ice(&dialer.password, PASSWORD) || !is_ice(&listener, UFRAG) {
            return Err(UsernameError::Grammar);
        }
        let listener = Credentials { ufrag: listener.clone(), password: listener };
        Ok(Self { version: Version::V2, dialer, listener })
    }

    /// Parses the USERNAME of a dialer's STUN request.
    ///
    /// # Errors
    /// [`UsernameError`].
    pub fn from_username(username: &str) -> Result<Self, UsernameError> {
        let (listener, dialer) = username.split_once(':').ok_or(UsernameError::Form)?;
        if let Some(password) = listener.strip_prefix(V2) {
            return Self::v2(Credentials { ufrag: dialer.to_owned(), password: password.to_owned() });
        }
        let random = listener.strip_prefix(V1).ok_or(UsernameError::Version)?;
        if !is_ice(listener, PASSWORD) || random.is_empty() {
            return Err(UsernameError::Grammar);
        }
        if listener != dialer {
            return Err(UsernameError::Different);
        }
        Ok(Self::v1(random))
    }

    /// The USERNAME of the dialer's STUN requests.
    #[must_use]
    pub fn username(&self) -> String {
        format!("{}:{}", self.listener.ufrag, self.dialer.ufrag)
    }
}

impl Credentials {
    /// Parses those of a session description.
    #[must_use]
    pub fn from_sdp(sdp: &str) -> Option<Self> {
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
        for credentials in [IceCredentials::v1("x9dk2mA8"), IceCredentials::v2(dialer()).unwrap()] {
            assert_eq!(IceCredentials::from_username(&credentials.username()), Ok(credentials));
        }
        let credentials = IceCredentials::v2(dialer()).unwrap();
        assert_eq!(credentials.username(), "libp2p+webrtc+v2/abcdefghijklmnopqrstuv:Gh7+");
        assert_eq!(credentials.listener.ufrag, credentials.listener.password);
        assert_eq!(credentials.dialer, dialer());
    }

    #[test]
    fn what_is_unknown_or_unsafe_is_refused() {
        let long = "a".repeat(240);
        for (username, why) in [
            ("libp2p+webrtc+v2/abcdefghijklmnopqrstuv", UsernameError::Form),
            ("libp2p+webrtc+v3/abcdefghijklmnopqrstuv:Gh7+", UsernameError::Version),
            ("someone:else", UsernameError::Version),
            ("libp2p+webrtc+v2/short:Gh7+", UsernameError::Grammar),
            ("libp2p+webrtc+v2/abcdefghijklmnopqrstuv:Gh7", UsernameError::Grammar),
            ("libp2p+webrtc+v2/abcdefghijklmnopqrstuv:a:b+c", UsernameError::Grammar),
            ("libp2p+webrtc+v2/abcdefghijklmnopqrstuv:Gh7+\r\na=x", UsernameError::Grammar),
            ("libp2p+webrtc+v2/abcdefghijklmnopqrstu\u{e9}:Gh7+", UsernameError::Grammar),
            (&format!("libp2p+webrtc+v2/{long}:Gh7+"), UsernameError::Grammar),
            ("libp2p+webrtc+v1/:libp2p+webrtc+v1/", UsernameError::Grammar),
            ("libp2p+webrtc+v1/abcdef:libp2p+webrtc+v1/abcdeg", UsernameError::Different),
        ] {
            assert_eq!(IceCredentials::from_username(username), Err(why), "{username}");
        }
    }

    #[test]
    fn a_browsers_own_credentials_are_read() {
        let sdp = "v=0\r\na=ice-ufrag:Gh7+\r\na=ice-pwd:abcdefghijklmnopqrstuv\r\n";
        assert_eq!(Credentials::from_sdp(sdp), Some(dialer()));
        assert_eq!(Credentials::from_sdp("v=0"), None);
    }
}
