//! The end of a caller, or of one of its keys.

use clap::Args;
use farebox_verifier::{Clock as _, SystemClock};

use super::{Data, described};
use crate::callers::{CallerName, KeyId};
use crate::cli::answer::Answer;
use crate::cli::argument::ValueError;
use crate::cli::failure::Failure;

const NOT_REVOKED: &str = "what was granted to it still lives: revoke it by its agent's id";

#[derive(Args)]
pub(crate) struct Retire {
    #[command(flatten)]
    data: Data,
    /// Who
    #[arg(value_name = "NAME", value_parser = CallerName::parse)]
    name: CallerName,
    /// Only this key of it; left out, the caller with all its keys, for good
    #[arg(long, value_name = "ID", value_parser = key)]
    key: Option<KeyId>,
}

fn key(text: &str) -> Result<KeyId, ValueError> {
    KeyId::from_hex(text).ok_or(ValueError::Hex { digits: 16 })
}

impl Retire {
    pub(super) fn run(&self) -> Result<Answer, Failure> {
        let folder = self.data.folder();
        let account = match self.key {
            Some(id) => folder.retire_key(&self.name, id, SystemClock.now())?,
            None => folder.retire(&self.name)?,
        };
        let said = match self.key {
            Some(id) => format!("key {id} of caller {} is ended", self.name),
            None => format!("caller {} is retired", self.name),
        };
        Ok(Answer::done(vec![said], described(&account)).with_note(NOT_REVOKED))
    }
}
