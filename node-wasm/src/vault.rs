//! This tab's identity, to be taken along or exchanged for another one.
//!
//! An exchange takes effect when the page starts again: while the node runs, it writes what belongs to its own key.

use std::rc::Rc;

use tincan_shared::{PeerId, Saved, identity::Keypair, saved_for_another_key};

use crate::{
    passport::Passport,
    storage::{Database, Refused},
};

/// Where the node stores its nick.
const NICK: &str = "nick";

/// The identity of one tab. Clones are the same one.
#[derive(Debug, Clone)]
pub struct Vault(Rc<Inner>);

#[derive(Debug)]
struct Inner {
    keypair: Keypair,
    /// Where it is stored; nothing when it ends with the tab.
    stored: Option<(Database, u32)>,
}

impl Vault {
    /// `stored` is the database and the slot of a tab whose key outlives it.
    #[must_use]
    pub fn new(keypair: Keypair, stored: Option<(Database, u32)>) -> Self {
        Self(Rc::new(Inner { keypair, stored }))
    }

    /// The text of a file with this tab's key and this nick.
    ///
    /// # Errors
    /// Why it cannot be written, in words.
    pub fn export(&self, nick: &str) -> Result<String, Refused> {
        Passport { keypair: self.0.keypair.clone(), nick: nick.to_owned() }.write()
    }

    /// Reads a file, and whether this tab can become who it says.
    ///
    /// # Errors
    /// Why not, in words.
    pub async fn check(&self, file: &str) -> Result<Passport, Refused> {
        let passport = Passport::read(file)?;
        let (database, slot) = self.stored()?;
        if passport.peer_id() == self.0.keypair.public().to_peer_id() {
            return Err("this tab has this identity already".into());
        }
        if let Some(other) = slot_of(database, &passport.peer_id()).await?.filter(|other| other != slot) {
            return Err(format!(
                "this identity is already in this browser: its tab number {} has it, and one identity must not run twice",
                u64::from(other) + 1
            ));
        }
        Ok(passport)
    }

    /// From the next start of this page on, this tab is who the passport says.
    ///
    /// # Errors
    /// Why not, in words.
    pub async fn replace(&self, passport: &Passport) -> Result<(), Refused> {
        let (database, slot) = self.stored()?;
        let key = passport.keypair.to_protobuf_encoding().map_err(|error| error.to_string())?;
        database.put_next(*slot, &key, &passport.nick).await
    }

    fn stored(&self) -> Result<&(Database, u32), Refused> {
        self.0
            .stored
            .as_ref()
            .ok_or_else(|| "this browser keeps nothing here, so it cannot keep another identity".into())
    }
}

/// Puts an identity that was imported in the place of the slot's. Only for the tab that holds the slot, before its node
/// starts. Rooms and their lines stay; what the old identity alone could go on with is forgotten.
///
/// # Errors
/// When the database fails or does not answer.
pub async fn install(database: &Database, slot: u32) -> Result<(), Refused> {
    let Some((key, nick)) = database.next(slot).await? else { return Ok(()) };
    let peer = Keypair::from_protobuf_encoding(&key).map(|keypair| keypair.public().to_peer_id());
    let taken = match &peer {
        Ok(peer) => slot_of(database, peer).await?.is_some(),
        Err(_) => true,
    };
    if taken {
        return database.drop_next(slot).await;
    }
    let mut kept: Saved = saved_for_another_key(database.load(slot).await?);
    if !nick.is_empty() {
        kept.insert(NICK.to_owned(), nick.into_bytes());
    }
    database.become_next(slot, &key, &kept).await
}

/// The slot whose stored key is this peer's.
async fn slot_of(database: &Database, peer: &PeerId) -> Result<Option<u32>, Refused> {
    let is_theirs =
        |key: &[u8]| Keypair::from_protobuf_encoding(key).is_ok_and(|keypair| keypair.public().to_peer_id() == *peer);
    Ok(database.keys().await?.into_iter().find(|(_, key)| is_theirs(key)).map(|(slot, _)| slot))
}
