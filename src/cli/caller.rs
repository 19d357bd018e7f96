//! Callers with API keys: made, listed, rotated and retired in one data folder. An issuer that runs hears of it
//! within a second.

mod list;
mod new;
mod retire;
mod rotate;
mod span;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::answer::Answer;
use super::failure::Failure;
use crate::callers::{Account, CallerFolder, Secret};

#[derive(Subcommand)]
pub(super) enum CallerCommand {
    /// Make a caller with its first API key, and print the key: it is shown once
    New(new::New),
    /// List the callers, what each may do, and its keys
    List(list::List),
    /// Give a caller another key, and end those that it has after a while
    Rotate(rotate::Rotate),
    /// End a caller for good, or one key of it, now
    Retire(retire::Retire),
}

impl CallerCommand {
    pub(super) fn run(&self) -> Result<Answer, Failure> {
        match self {
            CallerCommand::New(new) => new.run(),
            CallerCommand::List(list) => list.run(),
            CallerCommand::Rotate(rotate) => rotate.run(),
            CallerCommand::Retire(retire) => retire.run(),
        }
    }
}

/// The data folder.
#[derive(Args)]
struct Data {
    /// The data folder of the issuer
    #[arg(long, value_name = "DIR", default_value = "farebox-data", env = "FAREBOX_DATA")]
    data: PathBuf,
}

impl Data {
    fn folder(&self) -> CallerFolder {
        CallerFolder::below(&self.data)
    }
}

const SHOWN_ONCE: &str = "this is the only time that the key is shown: only its hash is kept";

/// The answer that shows a fresh key. It alone stands on standard output, for a pipe to carry.
fn fresh(account: &Account, secret: &Secret) -> Answer {
    let key = account.keys.iter().find(|key| key.id == secret.id());
    let json = json!({
        "caller": account.name.as_str(),
        "agent": format!("key:{}", account.name),
        "key_id": secret.id().to_string(),
        "key": secret.expose(),
        "expires_at": key.and_then(|key| key.expires).map(|end| end.to_string()),
        "note": SHOWN_ONCE,
    });
    Answer::done(vec![secret.expose().to_owned()], json).with_note(format!(
        "key {} of caller {}: {SHOWN_ONCE}",
        secret.id(),
        account.name
    ))
}

/// An account for programs.
fn described(account: &Account) -> Value {
    let rights = &account.rights;
    let keys = account.keys.iter().map(|key| {
        json!({
            "id": key.id.to_string(),
            "created_at": key.created.to_string(),
            "expires_at": key.expires.map(|end| end.to_string()),
        })
    });
    let attributes =
        rights.attributes.iter().map(|(name, value)| json!({ "name": name, "value": value }));
    json!({
        "caller": account.name.as_str(),
        "agent": format!("key:{}", account.name),
        "state": account.state.word(),
        "roles": rights.roles.iter().map(crate::callers::Role::word).collect::<Vec<_>>(),
        "spends_for": rights.spends_for.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "tenant": rights.tenant.as_ref().map(ToString::to_string),
        "owner": rights.owner.as_ref().map(ToString::to_string),
        "groups": rights.groups.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "attributes": attributes.collect::<Vec<_>>(),
        "created_at": account.created.to_string(),
        "keys": keys.collect::<Vec<_>>(),
    })
}
