//! Entries that are found, one line for each; all that an entry says is in the JSON.

use clap::Args;
use farebox_verifier::{
    Action, Agent, Audience, GrantId, NameError, PolicyHash, UnixSeconds, Workflow,
};
use serde_json::json;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::Data;
use crate::cli::answer::Answer;
use crate::cli::failure::Failure;
use crate::record::{Kind, Order, Page, Query, Recorded};

#[derive(Args)]
pub(crate) struct Search {
    #[command(flatten)]
    data: Data,
    /// What entries are about: requested, denied, issued, spent, …
    #[arg(long, value_parser = kind)]
    kind: Option<Kind>,
    /// The grant, 32 hexadecimal digits
    #[arg(long, value_parser = grant)]
    grant: Option<GrantId>,
    /// The agent
    #[arg(long, value_parser = |text: &str| Agent::parse(text))]
    agent: Option<Agent>,
    /// The workflow
    #[arg(long, value_parser = |text: &str| Workflow::parse(text))]
    workflow: Option<Workflow>,
    /// The API that acts
    #[arg(long, value_parser = |text: &str| -> Result<Audience, NameError> { Audience::parse(text) })]
    audience: Option<Audience>,
    /// The action
    #[arg(long, value_parser = |text: &str| Action::parse(text))]
    action: Option<Action>,
    /// The set of policies, 64 hexadecimal digits
    #[arg(long, value_parser = policy)]
    policy: Option<PolicyHash>,
    /// Who did it
    #[arg(long, value_name = "CALLER")]
    by: Option<String>,
    /// The first second in which it may have happened: 2026-11-21T12:00:00Z
    #[arg(long, value_name = "DATE", value_parser = date)]
    from: Option<UnixSeconds>,
    /// The first second in which it may not any more
    #[arg(long, value_name = "DATE", value_parser = date)]
    to: Option<UnixSeconds>,
    /// Go on behind this entry
    #[arg(long, value_name = "N")]
    after: Option<u64>,
    /// The newest first
    #[arg(long)]
    newest_first: bool,
    /// How many at most
    #[arg(long, value_name = "COUNT", default_value_t = 100,
        value_parser = clap::value_parser!(u16).range(1..=1000))]
    limit: u16,
}

#[derive(Debug, thiserror::Error)]
enum ValueError {
    #[error("no such kind of entry; there are: {known}")]
    Kind { known: String },
    #[error("not {digits} hexadecimal digits")]
    Hex { digits: usize },
    #[error("not a date such as 2026-11-21T12:00:00Z")]
    Date,
}

impl Search {
    pub(super) fn run(&self) -> Result<Answer, Failure> {
        let reader = self.data.reader()?;
        let mut query = self.query();
        let (mut items, limit) = (Vec::new(), usize::from(self.limit));
        // A search answers before it has looked far: here nobody minds that it goes on.
        let next = loop {
            query.limit = limit - items.len();
            let page: Page = reader.search(&query)?;
            items.extend(page.items);
            if page.next.is_none() || items.len() == limit {
                break page.next;
            }
            query.after = page.next;
        };
        let lines = items.iter().map(line).collect();
        let items: Vec<_> = items.iter().map(Recorded::to_json).collect();
        let answer = Answer::done(lines, json!({ "items": items, "next": next }));
        Ok(match next {
            Some(next) => answer.with_note(format!("there may be more: --after {next}")),
            None => answer,
        })
    }

    fn query(&self) -> Query {
        Query {
            kind: self.kind,
            grant: self.grant,
            agent: self.agent.clone(),
            workflow: self.workflow.clone(),
            audience: self.audience.clone(),
            action: self.action.clone(),
            policy: self.policy,
            by: self.by.as_deref().map(Box::from),
            tenant: None,
            from: self.from,
            to: self.to,
            after: self.after,
            order: if self.newest_first { Order::NewestFirst } else { Order::OldestFirst },
            limit: 0,
        }
    }
}

/// What people look for first.
fn line(recorded: &Recorded) -> String {
    let Recorded { n, entry, .. } = recorded;
    let at = entry.at.unwrap_or(UnixSeconds(0));
    let mut line = format!("{n:>9}  {at}  {:<16}", entry.kind.word());
    let members = [
        &entry.grant,
        &entry.agent,
        &entry.workflow,
        &entry.audience,
        &entry.action,
        &entry.resource,
        &entry.by,
        &entry.code,
        &entry.outcome,
        &entry.reason,
    ];
    for text in members.into_iter().flatten() {
        line.push_str("  ");
        line.push_str(text);
    }
    line
}

fn kind(text: &str) -> Result<Kind, ValueError> {
    let known = || Kind::ALL.iter().map(|kind| kind.word()).collect::<Vec<_>>().join(" ");
    Kind::parse(text).ok_or_else(|| ValueError::Kind { known: known() })
}

fn grant(text: &str) -> Result<GrantId, ValueError> {
    GrantId::from_hex(text).ok_or(ValueError::Hex { digits: 32 })
}

fn policy(text: &str) -> Result<PolicyHash, ValueError> {
    PolicyHash::from_hex(text).ok_or(ValueError::Hex { digits: 64 })
}

fn date(text: &str) -> Result<UnixSeconds, ValueError> {
    OffsetDateTime::parse(text, &Rfc3339).map(UnixSeconds::from).or(Err(ValueError::Date))
}
