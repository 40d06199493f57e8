//! `tincan id`

use libp2p::identity::Keypair;

use crate::{Error, keyfile, output, session, settings::Settings};

pub(super) fn run(settings: &Settings) -> Result<(), Error> {
    let key = match settings.ephemeral {
        true => Keypair::generate_ed25519(),
        false => keyfile::load_or_create(&session::key_path(settings)?)?,
    };
    output::line(&key.public().to_peer_id().to_string())
}
