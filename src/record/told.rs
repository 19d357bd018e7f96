//! What a store's journal told, as entries that people can read.
//!
//! An event names a grant by its number in the life; an entry says whose it is. Leases tell people nothing: they are
//! passed over together, in one entry that says up to where, so that no number is missing.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use farebox_verifier::UnixSeconds;
use serde_json::Value;

use super::entry::{Entry, life_text};
use super::kind::Kind;
use crate::store::LifeId;
use crate::store::budget::Hold;
use crate::store::drain::Gap;
use crate::store::event::{Description, Event, OldGrants, What, wire};

/// The grant that an event is about, by its number.
pub(super) fn sequence_of(what: &What) -> Option<u64> {
    match what {
        What::Spent { sequence }
        | What::Repeated { sequence }
        | What::Replayed { sequence }
        | What::Forged { sequence }
        | What::Settled { sequence, .. }
        | What::Lapsed { sequence }
        | What::Expired { sequence }
        | What::Revoked { sequence, .. } => Some(*sequence),
        _ => None,
    }
}

/// The entry for an event; `None` for a lease.
pub(super) fn entry(life: &LifeId, event: &Event, grant: Option<&Description>) -> Option<Entry> {
    let entry = said(&event.what)?;
    let entry = match grant {
        Some(grant) => entry.described(grant),
        None => entry,
    };
    Some(Entry {
        at: Some(event.at),
        life: Some(life_text(life)),
        number: Some(event.number),
        sequence: entry.sequence.or(sequence_of(&event.what)),
        event: Some(packed(event)),
        ..entry
    })
}

fn said(what: &What) -> Option<Entry> {
    Some(match what {
        What::Opened { previous, policy } => {
            let entry = Entry::of(Kind::LifeOpened).policy(*policy);
            match previous {
                Some(previous) => entry.detail("previous", previous.to_string()),
                None => entry,
            }
        }
        What::Closed => Entry::of(Kind::LifeClosed),
        What::Registered { sequence, grant } => {
            let entry = Entry::of(Kind::Registered).described(grant).detail("key", grant.key_id);
            let entry = entry.detail("end", grant.end.to_string());
            let entry = Entry { sequence: Some(*sequence), ..entry };
            if grant.after.is_empty() { entry } else { entry.detail("after", grant.after.clone()) }
        }
        What::Spent { .. } => Entry::of(Kind::Spent),
        What::Repeated { .. } => Entry::of(Kind::Repeated),
        What::Replayed { .. } => Entry::of(Kind::Replayed).code("already-spent"),
        What::Forged { .. } => Entry::of(Kind::Forged).code("unknown-grant"),
        What::Settled { outcome, .. } => Entry::of(Kind::Settled).outcome(*outcome),
        What::Lapsed { .. } => Entry::of(Kind::Unknown),
        What::Expired { .. } => Entry::of(Kind::Expired),
        What::Revoked { spent, .. } => Entry::of(Kind::Revoked).detail("spent", *spent),
        What::RevokedAll { selector, upto } => {
            Entry::of(Kind::Revocation).selector(selector).detail("upto", *upto)
        }
        What::Abandoned { grant } => Entry::of(Kind::Abandoned).grant(*grant),
        What::Held { hold } => of_hold(Kind::Held, hold),
        What::GivenBack { hold } => of_hold(Kind::GivenBack, hold),
        What::BudgetsOpened => Entry::of(Kind::BudgetsOpened),
        What::Blocked { selector } => Entry::of(Kind::Blocked).selector(selector),
        What::Unblocked { selector } => Entry::of(Kind::Unblocked).selector(selector),
        What::PolicySet { policy, replaced, old, upto } => {
            let old = if *old == OldGrants::Revoked { "revoked" } else { "kept" };
            let entry = Entry::of(Kind::PolicyChanged).policy(*policy).detail("old_grants", old);
            entry.detail("replaced", replaced.to_string()).detail("upto", *upto)
        }
        What::Leased { .. } => return None,
    })
}

/// What an entry says of a hold.
pub(super) fn of_hold(kind: Kind, hold: &Hold) -> Entry {
    let Hold { id, budget, caller, amount, from, to } = hold;
    let entry = Entry::of(kind).detail("hold", hex(&id.0)).detail("budget", hex(&budget.0));
    let entry = entry.detail("caller", caller.to_string()).detail("amount", *amount);
    entry.detail("from", from.to_string()).detail("to", to.to_string())
}

/// The entry for leases that were passed over: it moves the cursor to the last of them.
pub(super) fn passed_over(life: &LifeId, events: &[&Event]) -> Option<Entry> {
    let (first, last) = (events.first()?, events.last()?);
    let packed = events.iter().map(|event| Value::String(packed(event).into()));
    let entry = Entry::of(Kind::Cursor).at(last.at).detail("from", first.number);
    let entry = entry.detail("events", Value::Array(packed.collect()));
    Some(Entry { life: Some(life_text(life)), number: Some(last.number), ..entry })
}

/// The entry for what a journal does not say.
pub(super) fn gap(life: &LifeId, gap: &Gap, at: UnixSeconds) -> Entry {
    let entry = Entry { life: Some(life_text(life)), ..Entry::of(Kind::Gap) }.at(at);
    match gap {
        Gap::Missing { from, to } => {
            let entry = entry.code("events-missing").detail("from", *from).detail("to", *to);
            Entry { number: Some(*to), ..entry }
        }
        Gap::Ending { after } => entry.code("life-cut-short").detail("after", *after),
    }
}

fn packed(event: &Event) -> Box<str> {
    URL_SAFE_NO_PAD.encode(wire::write(event.at, &event.what)).into()
}

/// The events that an entry was made of.
pub(super) fn events_of(entry: &Entry) -> Vec<Event> {
    let read = |number: u64, text: &str| {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        wire::read(number, &bytes)
    };
    let Some(last) = entry.number else { return Vec::new() };
    if let Some(text) = &entry.event {
        return read(last, text).into_iter().collect();
    }
    let detail = entry.detail.as_ref().filter(|_| entry.kind == Kind::Cursor);
    let Some(detail) = detail else { return Vec::new() };
    let first = detail.get("from").and_then(Value::as_u64).unwrap_or(last);
    let texts = detail.get("events").and_then(Value::as_array).into_iter().flatten();
    let texts = texts.filter_map(Value::as_str);
    (first..=last).zip(texts).filter_map(|(number, text)| read(number, text)).collect()
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
