//! What waits for people at a running issuer: seen, approved, refused, taken back.

mod decide;
mod list;
mod show;
mod withdraw;

use clap::Subcommand;

use super::answer::Answer;
use super::failure::Failure;
use super::server::{Server, encoded, text};

#[derive(Subcommand)]
pub(super) enum ApprovalCommand {
    /// List what waits, or stands otherwise
    List(list::List),
    /// Show one request whole
    Show(show::Show),
    /// Approve a request
    Approve(decide::Decide),
    /// Refuse a request
    Refuse(decide::Decide),
    /// Take back a request of yours, or your approval; its grant is revoked
    Withdraw(withdraw::Withdraw),
}

impl ApprovalCommand {
    pub(super) fn run(&self) -> Result<Answer, Failure> {
        match self {
            ApprovalCommand::List(list) => list.run(),
            ApprovalCommand::Show(show) => show.run(),
            ApprovalCommand::Approve(decide) => decide.run(crate::store::desk::Verdict::Approve),
            ApprovalCommand::Refuse(decide) => decide.run(crate::store::desk::Verdict::Refuse),
            ApprovalCommand::Withdraw(withdraw) => withdraw.run(),
        }
    }
}
