//! Inspection: what a token says of itself. Anybody can write a token that says it.

use clap::Args;
use farebox_verifier::{Caveat, Grant, Pointer, PolicyHash, Presented, Seats, Uses};
use serde_json::{Value, json};

use crate::cli::answer::Answer;
use crate::cli::argument::{Stdin, TokenArgs};
use crate::cli::failure::Failure;

const WARNING: &str = "NOTHING HERE IS VERIFIED: anybody can write a token that says this \
                       (farebox token verify decides)";

#[derive(Args)]
pub(crate) struct Inspect {
    #[command(flatten)]
    token: TokenArgs,
}

impl Inspect {
    pub(super) fn run(&self, stdin: &mut Stdin) -> Result<Answer, Failure> {
        let token = self.token.read(stdin)?;
        let presented = super::read(&token)?;
        let characters = token.expose().len();
        let lines = lines(&presented, characters);
        Ok(Answer::done(lines, json(&presented, characters)))
    }
}

fn lines(presented: &Presented, characters: usize) -> Vec<String> {
    let said = presented.unverified();
    let mut lines = vec![WARNING.to_owned(), String::new()];
    let key_id = said.key_id().map_or("none".to_owned(), |id| id.to_string());
    lines.push(row("key", &key_id));
    lines.extend(grant_lines(said.grant()));
    lines.extend(sentences("must hold as well", &said.grant().caveats));
    let statements: Vec<Caveat> = said.statements().collect();
    lines.extend(sentences("said by third parties", &statements));
    lines.extend(sentences("added by holders", said.narrowing()));
    let blocks = presented.block_bytes();
    let sizes: Vec<String> = blocks.iter().map(usize::to_string).collect();
    lines.push(String::new());
    lines.push(row("blocks", &format!("{} of {} bytes", blocks.len(), sizes.join(", "))));
    lines.push(row("size", &format!("{characters} characters")));
    lines
}

fn grant_lines(grant: &Grant) -> Vec<String> {
    let mut rows = vec![
        row("grant", &grant.id.to_string()),
        row("action", grant.action.as_str()),
        row("resource", grant.resource.as_str()),
        row("audience", grant.audience.as_str()),
        row("params", &format!("sha256 {}", grant.params)),
        row("from", &grant.window.not_before().to_string()),
        row("until", &grant.window.end().to_string()),
        row("agent", grant.agent.as_str()),
        row("uses", uses(grant.uses)),
        row("policy", &policy(grant).unwrap_or("none: minted by hand".to_owned())),
    ];
    if !grant.varies.is_empty() {
        let varies: Vec<&str> = grant.varies.iter().map(Pointer::as_str).collect();
        rows.push(row("may vary", &varies.join(", ")));
    }
    rows.extend(grant.approval.map(|approval| row("approval", &approval.to_string())));
    rows.push(row("stores", &stores(grant.stores.as_ref())));
    if let Some((workflow, step)) = &grant.workflow {
        rows.push(row("workflow", &format!("{workflow}, step {step}")));
    }
    rows.extend(grant.purpose.as_ref().map(|purpose| row("purpose", purpose.as_str())));
    rows.extend(grant.holder.map(|key| row("holder", &key.to_string())));
    rows
}

fn row(name: &str, value: &str) -> String {
    format!("{name:<10} {value}")
}

fn sentences(title: &str, caveats: &[Caveat]) -> Vec<String> {
    if caveats.is_empty() {
        return Vec::new();
    }
    let mut lines = vec![String::new(), format!("{title}:")];
    lines.extend(caveats.iter().map(|caveat| format!("  {caveat}")));
    lines
}

fn uses(uses: Uses) -> &'static str {
    match uses {
        Uses::Once => "once",
        Uses::Fresh => "until it ends, and no store is asked",
    }
}

fn policy(grant: &Grant) -> Option<String> {
    (grant.policy != PolicyHash::NONE).then(|| grant.policy.to_string())
}

fn stores(stores: Option<&Seats>) -> String {
    let Some(stores) = stores else { return "none: registered nowhere".to_owned() };
    let seat = |seat: &farebox_verifier::Seat| {
        let (shard, generation) = (seat.shard.as_str(), seat.generation);
        format!("{} shard {shard} life {generation} number {}", seat.store, seat.sequence)
    };
    let seats: Vec<String> = stores.seats().iter().map(seat).collect();
    format!("{} of {}: {}", stores.needed(), seats.len(), seats.join("; "))
}

fn json(presented: &Presented, characters: usize) -> Value {
    let said = presented.unverified();
    let statements: Vec<String> =
        said.statements().map(|statement| statement.to_string()).collect();
    json!({
        "verified": false,
        "warning": WARNING,
        "key_id": said.key_id().map(|id| id.to_string()),
        "grant": grant_json(said.grant()),
        "caveats": texts(&said.grant().caveats),
        "statements": statements,
        "narrowing": texts(said.narrowing()),
        "block_bytes": presented.block_bytes(),
        "characters": characters,
    })
}

fn grant_json(grant: &Grant) -> Value {
    let (workflow, step) = grant.workflow.as_ref().map(|(workflow, step)| (workflow, step)).unzip();
    json!({
        "id": grant.id.to_string(),
        "action": grant.action.as_str(),
        "resource": grant.resource.as_str(),
        "audience": grant.audience.as_str(),
        "params_sha256": grant.params.to_string(),
        "not_before": grant.window.not_before().to_string(),
        "expires_at": grant.window.end().to_string(),
        "agent": grant.agent.as_str(),
        "uses": match grant.uses { Uses::Once => "once", Uses::Fresh => "fresh" },
        "policy": policy(grant),
        "varies": grant.varies.iter().map(Pointer::as_str).collect::<Vec<_>>(),
        "approval": grant.approval.map(|approval| approval.to_string()),
        "stores": grant.stores.as_ref().map(stores_json),
        "workflow": workflow.map(|workflow| workflow.as_str()),
        "step": step.map(|step| step.as_str()),
        "purpose": grant.purpose.as_ref().map(|purpose| purpose.as_str()),
        "holder": grant.holder.map(|key| key.to_string()),
    })
}

fn stores_json(stores: &Seats) -> Value {
    let seats = stores.seats().iter().map(|seat| {
        json!({
            "store": seat.store.as_str(),
            "shard": seat.shard.as_str(),
            "generation": seat.generation.to_string(),
            "sequence": seat.sequence.to_string(),
        })
    });
    json!({ "needed": stores.needed(), "seats": seats.collect::<Vec<_>>() })
}

fn texts(caveats: &[Caveat]) -> Vec<String> {
    caveats.iter().map(Caveat::to_string).collect()
}
