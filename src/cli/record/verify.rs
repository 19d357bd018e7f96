//! A verdict on records: what is good, what is not known, and what is wrong.

use std::fs;
use std::path::PathBuf;

use clap::Args;
use farebox_verifier::KeyRing;
use serde_json::{Value, json};

use super::Data;
use crate::cli::Exit;
use crate::cli::answer::Answer;
use crate::cli::failure::Failure;
use crate::record::Checkpoint;
use crate::record::verify::{ChainReport, Fault, Gap, Report, Source, verify};

#[derive(Args)]
pub(crate) struct Verify {
    /// Exports, and folders of records, instead of an issuer's data: all of them together
    #[arg(value_name = "FILE")]
    sources: Vec<PathBuf>,
    #[command(flatten)]
    data: Data,
    /// The folder of public keys
    #[arg(long, value_name = "DIR", default_value = "keys", env = "FAREBOX_KEYS")]
    keys: PathBuf,
    /// A checkpoint that was kept elsewhere, and that the record must still hold
    #[arg(long, value_name = "FILE")]
    checkpoint: Vec<PathBuf>,
}

impl Verify {
    pub(super) fn run(&self) -> Result<Answer, Failure> {
        let keys = KeyRing::load(&self.keys)?;
        let known = self.checkpoint.iter().map(kept).collect::<Result<Vec<_>, _>>()?;
        let sources = match self.sources.as_slice() {
            [] => vec![Source::Folder(self.data.folder()?)],
            named => named.iter().map(|path| Source::at(path)).collect(),
        };
        Ok(answer(&verify(&sources, &keys, &known)?))
    }
}

fn kept(path: &PathBuf) -> Result<Checkpoint, Failure> {
    let text = fs::read(path).map_err(|source| Failure::File { path: path.clone(), source })?;
    Checkpoint::from_json(&text).map_err(|_none| Failure::NoCheckpoint { path: path.clone() })
}

fn answer(report: &Report) -> Answer {
    let mut lines: Vec<String> = report.chains.iter().map(chain_line).collect();
    lines.extend(report.gaps.iter().map(gap_line));
    lines.extend(report.faults.iter().map(|fault| format!("fault {fault}")));
    if report.unnamed_spends > 0 {
        let count = report.unnamed_spends;
        lines.push(format!("{count} spends name no grant, and were not compared with others"));
    }
    let spent = report.spent;
    lines.push(match (report.is_good(), report.more_faults) {
        (true, _) => format!("good: {spent} grants spent, each once"),
        (false, false) => format!("not good: {} faults", report.faults.len()),
        (false, true) => format!("not good: more than {} faults", report.faults.len()),
    });
    let exit = if report.is_good() { Exit::Done } else { Exit::Refused };
    Answer { exit, lines, notes: Vec::new(), json: said(report) }
}

fn chain_line(chain: &ChainReport) -> String {
    let ChainReport { chain, first, last, signed, checkpoints, witnessed, open } = chain;
    let end = match witnessed {
        0 => "nothing shows that its end was not cut off".to_owned(),
        n => format!("entry {n} is witnessed"),
    };
    format!(
        "chain {chain}: entries {first} to {last}, signed up to {signed} by {checkpoints} checkpoints, \
         {end}, {open} requests open"
    )
}

fn gap_line(gap: &Gap) -> String {
    let Gap { chain, n, life, code, missing } = gap;
    match missing {
        Some((from, to)) => format!("gap {chain} {n}: {code}, {from} to {to} of {life}"),
        None => format!("gap {chain} {n}: {code}, {life}"),
    }
}

fn said(report: &Report) -> Value {
    let chains = report.chains.iter().map(|chain| {
        json!({
            "chain": chain.chain,
            "first": chain.first,
            "last": chain.last,
            "signed": chain.signed,
            "checkpoints": chain.checkpoints,
            "witnessed": chain.witnessed,
            "open": chain.open,
        })
    });
    let fault = |fault: &Fault| {
        let Fault { chain, n, flaw } = fault;
        json!({ "chain": chain, "n": n, "code": flaw.code(), "detail": flaw.to_string() })
    };
    let gap = |gap: &Gap| {
        let (from, to) = gap.missing.unzip();
        let Gap { chain, n, life, code, .. } = gap;
        json!({ "chain": chain, "n": n, "life": life, "code": code, "from": from, "to": to })
    };
    json!({
        "good": report.is_good(),
        "chains": chains.collect::<Vec<_>>(),
        "faults": report.faults.iter().map(fault).collect::<Vec<_>>(),
        "more_faults": report.more_faults,
        "gaps": report.gaps.iter().map(gap).collect::<Vec<_>>(),
        "spent": report.spent,
        "unnamed_spends": report.unnamed_spends,
    })
}
