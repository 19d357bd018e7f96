//! The command line: parse, one call, answer. Nothing outside of it prints.
//!
//! ```text
//! arguments ─→ a command ─→ Answer │ Failure ─→ Output ─→ Exit
//! ```

mod answer;
mod approval;
mod argument;
mod bench;
mod caller;
mod demo;
mod evidence;
mod failure;
mod grant;
mod keys;
mod output;
mod policy;
mod record;
mod serve;
mod server;
mod store;
mod token;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Parser, Subcommand};

use self::answer::Answer;
use self::argument::Stdin;
use self::failure::Failure;
use self::output::{Form, Output};

/// What the process's exit code says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// What was asked for is done.
    Done,
    /// It was refused, or what it is about was not found.
    Refused,
    /// The command line says nothing that can be done.
    Usage,
    /// Somebody who was to answer cannot be reached.
    Unreachable,
    /// farebox itself failed.
    Internal,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(match exit {
            Exit::Done => 0,
            Exit::Refused => 1,
            Exit::Usage => 2,
            Exit::Unreachable => 3,
            Exit::Internal => 4,
        })
    }
}

/// Single-use capability tokens: one token, one action, one time
#[derive(Parser)]
#[command(
    name = "farebox",
    version,
    after_help = "Exit codes: 0 done, 1 refused or not found, 2 usage, 3 cannot reach, 4 internal."
)]
struct Cli {
    /// Answer in JSON, for programs
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// See what waits for people, and approve or refuse it
    #[command(subcommand)]
    Approval(approval::ApprovalCommand),
    /// Drive a running issuer, and say what it does in a second and how long each step takes
    Bench(Box<bench::Bench>),
    /// Make, list, rotate and retire callers and their API keys
    #[command(subcommand)]
    Caller(caller::CallerCommand),
    /// Walk through the life of tokens at a real API on a loopback port
    Demo,
    /// Sign what a third party says about a request
    #[command(subcommand)]
    Evidence(evidence::EvidenceCommand),
    /// Ask a running issuer for grants, and look at, list, revoke and settle them
    #[command(subcommand)]
    Grant(Box<grant::GrantCommand>),
    /// Make, list and retire keys
    #[command(subcommand)]
    Keys(keys::KeysCommand),
    /// Serve an issuer, until it is stopped
    Serve(serve::Serve),
    /// Verify, search and export the record, also while an issuer writes it
    #[command(subcommand)]
    Record(record::RecordCommand),
    /// Check policies, run their tests, and explain what they decide
    #[command(subcommand)]
    Policy(policy::PolicyCommand),
    /// Look at the grant store's servers, and print the users that they need
    #[command(subcommand)]
    Store(store::StoreCommand),
    /// Mint, look at, narrow, prove, attest and verify tokens, all offline
    #[command(subcommand)]
    Token(token::TokenCommand),
}

impl Command {
    fn run(&self, form: Form, stdin: &mut Stdin) -> Result<Answer, Failure> {
        match self {
            Command::Approval(command) => command.run(),
            Command::Bench(bench) => bench.run(stdin),
            Command::Caller(command) => command.run(),
            Command::Demo => demo::run(),
            Command::Evidence(command) => command.run(stdin),
            Command::Grant(command) => command.run(stdin),
            Command::Keys(command) => command.run(),
            Command::Serve(serve) => serve.run(form),
            Command::Record(command) => command.run(),
            Command::Policy(command) => command.run(stdin),
            Command::Store(command) => command.run(),
            Command::Token(command) => command.run(stdin),
        }
    }
}

/// Runs the command that the arguments say, the program's name first, and answers on standard output.
#[must_use]
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> Exit {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    // Asked before parsing, because a program wants JSON from a command line that cannot be parsed too.
    let json = arguments.iter().any(|argument| argument == "--json");
    let said = match Cli::try_parse_from(arguments) {
        Ok(cli) => {
            let form = Form::of(cli.json);
            let came = cli.command.run(form, &mut Stdin::unread());
            // Opened when there is something to say: whoever serves says it while it runs.
            let mut output = Output::new(form);
            match came {
                Ok(answer) => output.answer(&answer),
                Err(failure) => output.failure(&failure),
            }
        }
        Err(error) => unparsed(&mut Output::new(Form::of(json)), error),
    };
    // Whoever closed our output hears nothing of it, but for the exit code.
    said.unwrap_or(Exit::Internal)
}

fn unparsed(output: &mut Output, mut error: clap::Error) -> std::io::Result<Exit> {
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        return output.page(&error.to_string());
    }
    shorten(&mut error);
    let mut text = error.to_string();
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        text.insert_str(0, "no command was given\n\n");
    }
    output.usage(text.strip_prefix("error: ").unwrap_or(&text).trim_end())
}

/// A long argument in the wrong place may be a token, and errors end in logs.
fn shorten(error: &mut clap::Error) {
    const LETTERS_MAX: usize = 48;
    for kind in [ContextKind::InvalidArg, ContextKind::InvalidValue, ContextKind::InvalidSubcommand]
    {
        let Some(ContextValue::String(text)) = error.get(kind) else { continue };
        if text.chars().nth(LETTERS_MAX).is_some() {
            let start: String = text.chars().take(8).collect();
            error.insert(kind, ContextValue::String(start + "…"));
        }
    }
}
