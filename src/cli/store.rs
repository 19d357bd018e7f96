//! The store's servers: looked at, and the users they need.

mod acl;
mod bench;
mod check;
mod load;

use std::time::Duration;

use clap::{Args, Subcommand};
use farebox_verifier::StoreName;
use farebox_verifier::redis::{Address, Tls, Topology};

use super::answer::Answer;
use super::failure::Failure;

/// Somebody waits for an answer, also of a server that is far away and slow.
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Subcommand)]
pub(super) enum StoreCommand {
    /// Look at the servers: what they are, how they answer, what is wrong with them, and why it matters
    Check(check::Check),
    /// Measure how fast servers, or a file, register, spend and settle, at 1 to 256 callers at once
    Bench(bench::Bench),
    /// Load the function library, with the user that may; a server that has it is left as it is
    Load(load::Load),
    /// Print the users that the servers need, each with the least rights
    Acl(acl::Acl),
}

impl StoreCommand {
    pub(super) fn run(&self) -> Result<Answer, Failure> {
        match self {
            StoreCommand::Check(check) => check.run(),
            StoreCommand::Bench(bench) => bench.run(),
            StoreCommand::Load(load) => load.run(),
            StoreCommand::Acl(acl) => Ok(acl.run()),
        }
    }
}

/// The servers of a store.
#[derive(Args)]
struct Servers {
    /// A server, by its store's name: r1=redis://user:password@host:6379, or rediss:// for TLS; several
    /// with the flag again. In the environment, one server in each line
    #[arg(
        long = "server",
        value_name = "NAME=URL",
        env = "FAREBOX_SERVERS",
        hide_env_values = true,
        value_delimiter = '\n'
    )]
    servers: Vec<String>,
    /// How they stand to each other: single, spread or quorum
    #[arg(long, value_parser = topology, default_value = "single", env = "FAREBOX_TOPOLOGY")]
    topology: Topology,
    /// The certificates of the authorities that may vouch for the servers, in PEM
    #[arg(long, value_name = "FILE", env = "FAREBOX_SERVERS_CA")]
    ca: Option<std::path::PathBuf>,
}

fn topology(word: &str) -> Result<Topology, String> {
    Topology::parse(word).ok_or_else(|| "single, spread or quorum".to_owned())
}

impl Servers {
    /// Their addresses. What is wrong with one is said without repeating it: it may hold a password.
    fn addresses(&self) -> Result<Vec<Address>, Failure> {
        match self.servers.as_slice() {
            [] => Err(Failure::NoServer),
            servers => self.read(servers),
        }
    }

    fn read(&self, servers: &[String]) -> Result<Vec<Address>, Failure> {
        servers.iter().enumerate().map(|(i, server)| self.address(i + 1, server)).collect()
    }

    fn address(&self, number: usize, server: &str) -> Result<Address, Failure> {
        let (name, url) = server.split_once('=').ok_or(Failure::ServerName { number })?;
        let name = StoreName::parse(name).map_err(|_name| Failure::ServerName { number })?;
        let tls = match &self.ca {
            Some(path) if url.starts_with("rediss://") => Some(Tls::trusting(path)),
            _ => None,
        };
        let tls =
            tls.transpose().map_err(|source| Failure::Address { number, source: source.into() })?;
        Address::parse(name, url, tls).map_err(|source| Failure::Address { number, source })
    }
}
