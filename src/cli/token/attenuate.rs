//! Attenuation: a holder's own caveats, put on a token offline.

use clap::Args;
use farebox_verifier::{Caveat, Clock as _, SystemClock, token};
use serde_json::json;

use super::caveats::CaveatArgs;
use crate::cli::answer::Answer;
use crate::cli::argument::{Stdin, TokenArgs};
use crate::cli::failure::Failure;

#[derive(Args)]
pub(crate) struct Attenuate {
    #[command(flatten)]
    token: TokenArgs,
    /// Only for so many seconds from now
    #[arg(long, value_name = "SECONDS", conflicts_with = "before", help_heading = "Caveats")]
    ttl: Option<u64>,
    #[command(flatten)]
    caveats: CaveatArgs,
}

impl Attenuate {
    pub(super) fn run(&self, stdin: &mut Stdin) -> Result<Answer, Failure> {
        let mut caveats = self.caveats.caveats();
        caveats.extend(self.ttl.map(|ttl| Caveat::Before(SystemClock.now().plus(ttl))));
        if caveats.is_empty() {
            return Err(Failure::NoCaveat);
        }
        let token = self.token.read(stdin)?;
        let grant = super::grant_of(&token)?;
        let narrowed = token::narrow(&token, &caveats)?;
        let added: Vec<String> = caveats.iter().map(Caveat::to_string).collect();
        let json = json!({
            "grant": grant.to_string(),
            "token": narrowed.expose(),
            "added": added,
        });
        let answer = Answer::done(vec![narrowed.expose().to_owned()], json);
        let note = format!("grant {grant} now holds only if {}", added.join("; and "));
        Ok(answer.with_note(note))
    }
}
