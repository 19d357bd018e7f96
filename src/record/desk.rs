//! What was said at an issuer's desk, as entries: people's requests and decisions, blocks, local stores, holds.
//!
//! Keys that were claimed, and how far promises and drains have come, tell people nothing: they are passed over
//! together, in one entry that says how many of each.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::Record;
use super::entry::{Entry, life_text};
use super::kind::Kind;
use super::known::DESK;
use super::told::{hex, of_hold};
use crate::store::desk::{
    Decision, DeskEvent, DeskWhat, HoldEnd, LifeEnd, Proposal, RequestState, Verdict,
};
use crate::store::drain::NotKept;
use crate::store::{Ledger, LifeId};

/// Entries of one append, more or less: one event may make as many by itself.
const ENTRIES_OF_ONE_APPEND: usize = 500;

impl Record {
    /// Takes the ledger's events out, and lets it forget them once they are durable here. Says how many there were.
    ///
    /// # Errors
    /// [`NotKept`] where some are left there: they come again.
    pub async fn drain_ledger(&self, ledger: &Ledger) -> Result<u64, NotKept> {
        self.notice_another(ledger).await?;
        let first = self.cursor(DESK);
        loop {
            let cursor = self.cursor(DESK);
            let events = ledger.events(cursor).await.map_err(|_down| NotKept)?;
            let Some(last) = events.last().map(|event| event.number) else {
                // What was recorded before a crash, and not let go of.
                ledger.trim(cursor).await.map_err(|_down| NotKept)?;
                return Ok(cursor.saturating_sub(first));
            };
            let mut rest = events.as_slice();
            while !rest.is_empty() {
                let (some, left) = rest.split_at(few(rest));
                let pending = self.append_all(entries(some)).map_err(|_not_taken| NotKept)?;
                pending.await.map_err(|_lost| NotKept)?;
                rest = left;
            }
            ledger.trim(last).await.map_err(|_down| NotKept)?;
        }
    }

    /// A ledger that is behind what is recorded of it is another one, and counts from one again. That one was
    /// lost is said.
    async fn notice_another(&self, ledger: &Ledger) -> Result<(), NotKept> {
        let (journal, cursor) = (ledger.journal(), self.cursor(DESK));
        let entry = Entry::of(Kind::Gap);
        let entry = if journal.last < cursor {
            let entry = entry.code("ledger-replaced").detail("after", cursor);
            Entry { number: Some(journal.drained), ..entry }
        } else if journal.drained > cursor {
            let entry = entry.code("events-missing").detail("from", cursor.saturating_add(1));
            Entry { number: Some(journal.drained), ..entry.detail("to", journal.drained) }
        } else {
            return Ok(());
        };
        let pending = self.append(Entry { life: Some(DESK.into()), ..entry });
        pending.map_err(|_not_taken| NotKept)?.await.map(drop).map_err(|_lost| NotKept)
    }
}

/// How many of the first events one append takes: one at least.
fn few(events: &[DeskEvent]) -> usize {
    let mut entries = 0_usize;
    let taken = events.iter().take_while(|event| {
        let before = entries;
        entries += match &event.what {
            DeskWhat::Cancelled { grants, .. } | DeskWhat::Expired { grants } => grants.len(),
            _ => 1,
        };
        before < ENTRIES_OF_ONE_APPEND
    });
    taken.count().max(1).min(events.len())
}

fn entries(events: &[DeskEvent]) -> Vec<Entry> {
    let mut entries = Vec::with_capacity(events.len());
    let mut passed = Passed::default();
    for event in events {
        match said(&event.what) {
            Said::Nothing(word) => passed.count(event, word),
            Said::Entries(of_event) => {
                entries.extend(std::mem::take(&mut passed).entry());
                // One event may end many requests: the last of its entries moves the cursor, and all of them are
                // in one append.
                let last = of_event.len().saturating_sub(1);
                let placed = of_event.into_iter().enumerate().map(|(at, entry)| Entry {
                    at: Some(event.at),
                    life: Some(DESK.into()),
                    number: (at == last).then_some(event.number),
                    ..entry
                });
                entries.extend(placed);
            }
        }
    }
    entries.extend(passed.entry());
    entries
}

/// Events that were passed over.
#[derive(Default)]
struct Passed<'a> {
    first: Option<u64>,
    last: Option<&'a DeskEvent>,
    counts: BTreeMap<&'static str, u64>,
}

impl<'a> Passed<'a> {
    fn count(&mut self, event: &'a DeskEvent, word: &'static str) {
        self.first.get_or_insert(event.number);
        self.last = Some(event);
        *self.counts.entry(word).or_default() += 1;
    }

    fn entry(self) -> Option<Entry> {
        let (first, last) = (self.first?, self.last?);
        let counts: Map<String, Value> =
            self.counts.into_iter().map(|(word, count)| (word.to_owned(), count.into())).collect();
        let entry = Entry::of(Kind::Cursor).at(last.at).detail("from", first);
        let entry = entry.detail("passed_over", Value::Object(counts));
        Some(Entry { life: Some(DESK.into()), number: Some(last.number), ..entry })
    }
}

enum Said {
    /// What tells people nothing, and what it is called.
    Nothing(&'static str),
    Entries(Vec<Entry>),
}

impl From<Entry> for Said {
    fn from(entry: Entry) -> Said {
        Said::Entries(vec![entry])
    }
}

fn said(what: &DeskWhat) -> Said {
    match what {
        DeskWhat::KeyClaimed { .. } => Said::Nothing("key-claimed"),
        DeskWhat::LifeExtended { .. } => Said::Nothing("life-extended"),
        DeskWhat::LifeDrained { .. } => Said::Nothing("life-drained"),
        DeskWhat::LifeDropped { .. } => Said::Nothing("life-dropped"),
        DeskWhat::KeyRenewed { key: _, from, to } => {
            Entry::of(Kind::Renewed).grant(*to).detail("from", from.to_string()).into()
        }
        DeskWhat::Proposed { order, request } => proposed(request).detail("order", *order).into(),
        DeskWhat::Decided { grant, decision, becomes } => {
            decided(decision, *becomes).grant(*grant).into()
        }
        DeskWhat::Collected { grant, fresh } => {
            Entry::of(Kind::Collected).grant(*grant).detail("fresh", fresh.to_string()).into()
        }
        DeskWhat::CollectedAgain { grant, abandoned, fresh } => {
            let entry = Entry::of(Kind::Renewed).grant(*fresh);
            let entry = entry.detail("request", grant.to_string());
            entry.detail("from", abandoned.to_string()).into()
        }
        DeskWhat::Withdrawn { grant, by } => {
            Entry::of(Kind::Withdrawn).grant(*grant).by(by.as_str()).into()
        }
        DeskWhat::Cancelled { selector, by, reason, grants } => {
            let cancelled = |grant: &_| {
                let entry = Entry::of(Kind::Cancelled).grant(*grant).by(by.as_str());
                entry.reason(reason.as_str()).detail("selector", selector.to_string())
            };
            all(Kind::Cancelled, grants.iter().map(cancelled).collect())
        }
        DeskWhat::Expired { grants } => {
            let expired = grants.iter().map(|grant| Entry::of(Kind::ApprovalExpired).grant(*grant));
            all(Kind::ApprovalExpired, expired.collect())
        }
        DeskWhat::Blocked { selector, by, reason } => {
            let entry = Entry::of(Kind::Blocked).selector(selector).by(by.as_str());
            entry.reason(reason.as_str()).into()
        }
        DeskWhat::Lifted { selector, by } => {
            Entry::of(Kind::Unblocked).selector(selector).by(by.as_str()).into()
        }
        rest => of_lives(rest),
    }
}

/// What is said of stores, of their lives and of what is held in them.
fn of_lives(what: &DeskWhat) -> Said {
    match what {
        DeskWhat::Announced { store, audience, generation, previous } => {
            let entry = Entry::of(Kind::Announced).audience(audience);
            let entry = entry.detail("store", store.as_str());
            let entry = entry.detail("generation", generation.to_string());
            match previous {
                Some(previous) => entry.detail("previous", previous.to_string()).into(),
                None => entry.into(),
            }
        }
        DeskWhat::Seated { store, generation, sequence, grant } => {
            let entry = Entry::of(Kind::Seated).described(grant).detail("key", grant.key_id);
            let entry = entry.detail("store", store.as_str());
            let entry = entry.detail("generation", generation.to_string());
            Entry { sequence: Some(*sequence), ..entry }.into()
        }
        DeskWhat::Dismissed { store } => {
            Entry::of(Kind::Dismissed).detail("store", store.as_str()).into()
        }
        DeskWhat::LifeOpened { life } => of_life(Kind::LifeOpened, life).into(),
        DeskWhat::LifeEnded { generation, end } => {
            let entry = Entry::of(Kind::LifeClosed).detail("generation", generation.to_string());
            match end {
                LifeEnd::Over => entry.detail("end", "over").into(),
                LifeEnd::Drained => entry.detail("end", "drained").into(),
                LifeEnd::Gap { from } => entry.detail("end", "gap").detail("from", *from).into(),
            }
        }
        DeskWhat::HoldBegun { grant, hold } => of_hold(Kind::HoldBegun, hold).grant(*grant).into(),
        DeskWhat::HoldEnded { grant, hold, end } => {
            let kind = match end {
                HoldEnd::GivenBack => Kind::GivenBack,
                HoldEnd::Kept => Kind::HoldKept,
            };
            Entry::of(kind).grant(*grant).detail("hold", hex(&hold.0)).into()
        }
        _ => Said::Nothing("other"),
    }
}

/// An event without any request still has a number.
fn all(kind: Kind, entries: Vec<Entry>) -> Said {
    if entries.is_empty() { Entry::of(kind).into() } else { Said::Entries(entries) }
}

fn of_life(kind: Kind, life: &LifeId) -> Entry {
    Entry::of(kind).detail("opened", life_text(life).into_string())
}

fn proposed(request: &Proposal) -> Entry {
    let entry = Entry::of(Kind::Escalated).grant(request.grant).by(request.requester.as_str());
    let entry = entry.agent(&request.agent).audience(&request.audience).action(&request.action);
    let entry = entry.resource(&request.resource).policy(request.policy);
    let entry = entry.detail("owner", request.owner.as_str());
    let entry = entry.detail("until", request.until.to_string());
    let entry = entry.detail("request", hex(&request.request.0));
    match &request.workflow {
        Some(workflow) => entry.workflow(workflow),
        None => entry,
    }
}

/// All that an approver signed is kept: it proves who decided.
fn decided(decision: &Decision, becomes: RequestState) -> Entry {
    let kind = match decision.verdict {
        Verdict::Approve => Kind::Approved,
        Verdict::Refuse => Kind::RefusedApproval,
    };
    let entry = Entry::of(kind).by(decision.approver.as_str()).reason(decision.reason.as_str());
    let entry = entry.detail("owner", decision.owner.as_str());
    let entry = entry.detail("group", decision.group.as_str());
    let entry = entry.detail("signature", hex(decision.signature.as_bytes()));
    entry.detail("becomes", becomes.word())
}
