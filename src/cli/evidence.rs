//! Evidence: what third parties sign about a request before it is decided.

mod sign;

use clap::Subcommand;

use super::answer::Answer;
use super::argument::Stdin;
use super::failure::Failure;

#[derive(Subcommand)]
pub(super) enum EvidenceCommand {
    /// Sign a statement about one request of one agent
    Sign(Box<sign::Sign>),
}

impl EvidenceCommand {
    pub(super) fn run(&self, stdin: &mut Stdin) -> Result<Answer, Failure> {
        match self {
            EvidenceCommand::Sign(sign) => sign.run(stdin),
        }
    }
}
