//! A look at the store's servers.

use std::time::Duration;

use clap::Args;
use farebox_verifier::SystemClock;
use farebox_verifier::redis::Waits;
use serde_json::{Value, json};

use super::Servers;
use crate::cli::Exit;
use crate::cli::answer::Answer;
use crate::cli::failure::Failure;
use crate::store::redis::check::{Looked, Weight, check};
use crate::store::redis::library;

/// A connection has its time before the call gives up on it.
const CONNECT: Duration = Duration::from_secs(2);

#[derive(Args)]
pub(in crate::cli) struct Check {
    #[command(flatten)]
    servers: Servers,
}

impl Check {
    pub(super) fn run(&self) -> Result<Answer, Failure> {
        let addresses = self.servers.addresses()?;
        let topology = self.servers.topology;
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
        let runtime = runtime.map_err(Failure::Runtime)?;
        let waits = Waits { connect: CONNECT, call: super::PATIENCE, ..Waits::default() };
        let looked = check(topology, addresses, waits, &SystemClock);
        let looked = runtime.block_on(looked)?;
        let head =
            format!("{}, library {} ({})", topology.word(), library::NAME, library::fingerprint());
        let lines = std::iter::once(head).chain(looked.iter().flat_map(lines)).collect();
        let servers: Vec<Value> = looked.iter().map(described).collect();
        let json = json!({
            "topology": topology.word(),
            "library": library::NAME,
            "fingerprint": library::fingerprint(),
            "servers": servers,
        });
        let reached = looked.iter().any(|looked| looked.kind.is_some());
        let exit = match looked.iter().filter_map(Looked::worst).max() {
            Some(Weight::Wrong) if !reached => Exit::Unreachable,
            Some(Weight::Wrong) => Exit::Refused,
            _ => Exit::Done,
        };
        Ok(Answer { exit, ..Answer::done(lines, json) })
    }
}

fn lines(looked: &Looked) -> Vec<String> {
    let kind = looked
        .kind
        .as_ref()
        .map_or_else(|| "not reached".to_owned(), |kind| format!("{} {}", kind.name, kind.version));
    let life = looked.generation.as_deref().unwrap_or("no life yet");
    let latency = looked.latency.map_or_else(String::new, |latency| {
        format!(
            ", answers in {} µs, 99 of 100 in {} µs",
            latency.median.as_micros(),
            latency.p99.as_micros()
        )
    });
    let mut lines = vec![format!("{}: {kind}, {life}{latency}", looked.store)];
    for finding in &looked.findings {
        lines.push(format!("  {}: {}", finding.weight.word(), finding.what));
        lines.push(format!("    {}", finding.why));
    }
    lines
}

fn described(looked: &Looked) -> Value {
    let findings = looked.findings.iter().map(|finding| {
        json!({ "weight": finding.weight.word(), "what": finding.what, "why": finding.why })
    });
    json!({
        "store": looked.store.as_str(),
        "server": looked.kind.as_ref().map(|kind| kind.name.clone()),
        "version": looked.kind.as_ref().map(|kind| kind.version.clone()),
        "generation": looked.generation,
        "median_us": looked.latency.map(|latency| latency.median.as_micros().to_string()),
        "p99_us": looked.latency.map(|latency| latency.p99.as_micros().to_string()),
        "findings": findings.collect::<Vec<_>>(),
    })
}
