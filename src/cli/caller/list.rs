//! The list of callers.

use clap::Args;
use farebox_verifier::{Clock as _, SystemClock, UnixSeconds};
use serde_json::json;

use super::{Data, described};
use crate::callers::Account;
use crate::cli::answer::Answer;
use crate::cli::failure::Failure;

#[derive(Args)]
pub(crate) struct List {
    #[command(flatten)]
    data: Data,
}

impl List {
    pub(super) fn run(&self) -> Result<Answer, Failure> {
        let accounts = self.data.folder().accounts()?;
        let now = SystemClock.now();
        let mut lines =
            vec![format!("{:<24} {:<8} {:<28} {:<5} ends", "caller", "state", "roles", "keys")];
        lines.extend(accounts.iter().map(|account| line(account, now)));
        let items: Vec<_> = accounts.iter().map(described).collect();
        let answer = Answer::done(lines, json!({ "items": items, "next": null }));
        Ok(if items.is_empty() {
            let path = self.data.folder();
            answer.with_note(format!("there is no caller in {}", path.path().display()))
        } else {
            answer
        })
    }
}

fn line(account: &Account, now: UnixSeconds) -> String {
    let living: Vec<_> = account.keys.iter().filter(|key| key.lives(now)).collect();
    let endless = living.iter().any(|key| key.expires.is_none());
    let last = living.iter().filter_map(|key| key.expires).max();
    let ends = match last {
        _ if living.is_empty() => "ended".to_owned(),
        Some(end) if !endless => end.to_string(),
        _ => "never".to_owned(),
    };
    let roles = account.rights.roles.to_string();
    let (name, state) = (account.name.as_str(), account.state.word());
    format!("{name:<24} {state:<8} {roles:<28} {:<5} {ends}", living.len())
}
