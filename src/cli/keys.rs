//! Keys: made, listed and retired in one folder.
//!
//! ```text
//! DIR/issuers/17.pem   DIR/issuers/retired/16.pem   DIR/third-parties/change-mgmt.pem   public
//! DIR/private/17.pem   DIR/private/third-parties/change-mgmt.pem                        never committed
//! ```

mod list;
mod new;
mod retire;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use farebox_verifier::keys::KeysError;
use farebox_verifier::{KeyRing, ThirdParty};

use super::answer::Answer;
use super::failure::Failure;

#[derive(Subcommand)]
pub(super) enum KeysCommand {
    /// Make a key: an issuer's, or with a flag a holder's or a third party's
    New(new::New),
    /// List the keys that a folder trusts, and those that it has retired
    List(list::List),
    /// Retire an issuer's key: its tokens are dead wherever the folder is read again
    Retire(retire::Retire),
}

impl KeysCommand {
    pub(super) fn run(&self) -> Result<Answer, Failure> {
        match self {
            KeysCommand::New(new) => new.run(),
            KeysCommand::List(list) => list.run(),
            KeysCommand::Retire(retire) => retire.run(),
        }
    }
}

/// A folder of keys.
#[derive(Args)]
struct Folder {
    /// The folder of keys
    #[arg(long, value_name = "DIR", default_value = "keys", env = "FAREBOX_KEYS")]
    dir: PathBuf,
}

impl Folder {
    /// Its keys; a folder without any is a ring without any, for the first key has to come from somewhere.
    fn ring(&self) -> Result<KeyRing, Failure> {
        match KeyRing::load(&self.dir) {
            Err(KeysError::Empty { .. }) => Ok(KeyRing::default()),
            ring => Ok(ring?),
        }
    }

    fn issuers(&self) -> PathBuf {
        self.dir.join("issuers")
    }

    fn private(&self, id: u32) -> PathBuf {
        self.dir.join("private").join(format!("{id}.pem"))
    }

    /// In a folder of its own: a third party may well be called 17.
    fn private_of(&self, name: &ThirdParty) -> PathBuf {
        self.dir.join("private").join("third-parties").join(format!("{name}.pem"))
    }

    fn third_party(&self, name: &ThirdParty) -> PathBuf {
        self.dir.join("third-parties").join(format!("{name}.pem"))
    }
}
