//! Tokens: minted, looked at, narrowed, proved, attested and verified, all offline.

mod attenuate;
mod attest;
mod caveats;
mod inspect;
mod mint;
mod prove;
mod verify;

use clap::Subcommand;
use farebox_verifier::{GrantId, Presented, TokenText};

use super::answer::Answer;
use super::argument::Stdin;
use super::failure::Failure;

#[derive(Subcommand)]
pub(super) enum TokenCommand {
    /// Mint a token by hand, without policy, approval or record
    Mint(Box<mint::Mint>),
    /// Show what a token says of itself; nothing of it is verified
    Inspect(inspect::Inspect),
    /// Narrow a token: what it allows after this is less, and whoever holds it cannot take that back
    Attenuate(Box<attenuate::Attenuate>),
    /// Prove that you hold the key that a token is bound to, for one request, for half a minute
    Prove(Box<prove::Prove>),
    /// State something of a token as a third party that it asks for
    Attest(attest::Attest),
    /// Decide offline whether a token covers a request; nothing is spent
    Verify(Box<verify::Verify>),
}

impl TokenCommand {
    pub(super) fn run(&self, stdin: &mut Stdin) -> Result<Answer, Failure> {
        match self {
            TokenCommand::Mint(mint) => mint.run(stdin),
            TokenCommand::Inspect(inspect) => inspect.run(stdin),
            TokenCommand::Attenuate(attenuate) => attenuate.run(stdin),
            TokenCommand::Prove(prove) => prove.run(stdin),
            TokenCommand::Attest(attest) => attest.run(stdin),
            TokenCommand::Verify(verify) => verify.run(stdin),
        }
    }
}

/// Reads a token, and believes nothing of it.
fn read(token: &TokenText) -> Result<Presented, Failure> {
    Presented::read(token.expose()).map_err(Failure::Refused)
}

/// The grant that a token says it is of.
fn grant_of(token: &TokenText) -> Result<GrantId, Failure> {
    Ok(read(token)?.unverified().grant().id)
}
