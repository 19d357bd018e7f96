//! Grants of a running issuer: asked for, looked at, listed, revoked and settled.

mod list;
mod mint;
mod revoke;
mod settle;
mod show;
mod token;

use clap::Subcommand;

use super::answer::Answer;
use super::argument::Stdin;
use super::failure::Failure;
use super::server::{Server, encoded, text};

#[derive(Subcommand)]
pub(super) enum GrantCommand {
    /// Ask for a token for one action
    Mint(mint::Mint),
    /// Collect the token of a request that people have approved
    Token(token::Token),
    /// Look at one grant
    Show(show::Show),
    /// List outstanding grants, and those lately ended
    List(list::List),
    /// Revoke outstanding grants
    Revoke(revoke::Revoke),
    /// Report what came of an action, and end its grant
    Settle(settle::Settle),
}

impl GrantCommand {
    pub(super) fn run(&self, stdin: &mut Stdin) -> Result<Answer, Failure> {
        match self {
            GrantCommand::Mint(mint) => mint.run(stdin),
            GrantCommand::Token(token) => token.run(),
            GrantCommand::Show(show) => show.run(),
            GrantCommand::List(list) => list.run(),
            GrantCommand::Revoke(revoke) => revoke.run(),
            GrantCommand::Settle(settle) => settle.run(),
        }
    }
}
