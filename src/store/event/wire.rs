//! An event in bytes: as the library appends it to a stream, and as a file keeps it.
//!
//! ```text
//! letter  when (6)  what belongs to it
//! ```
//! A stream's entry has the life's secret before it and its number beside it; a file's has the number and
//! the mark before it.

use farebox_verifier::redis::question::{outcome, outcome_number};
use farebox_verifier::{
    Action, Agent, Audience, Generation, GrantId, Mark, PolicyHash, Resource, Scope, Selector,
    UnixSeconds, Workflow,
};

use super::{Description, Entry, Event, OldGrants, What};
use crate::store::budget::{BudgetKey, Hold, HoldId};
use crate::store::fixed::{Packer, Unpacker};

/// Stands for "none before".
const NO_GENERATION: [u8; 16] = [0; 16];

/// What people read of a registration, in bytes; its predecessors stand before it.
pub(crate) fn write_description(grant: &Description) -> Vec<u8> {
    let mut out = Packer::default();
    out.raw(grant.grant.as_bytes()).six(grant.end.0).four(grant.key_id);
    out.raw(grant.policy.as_bytes()).text(grant.agent.as_str());
    out.text(grant.workflow.as_ref().map_or("", Workflow::as_str));
    out.text(grant.audience.as_str()).text(grant.action.as_str()).text(grant.resource.as_str());
    out.done()
}

fn read_registered(from: &mut Unpacker<'_>) -> Option<What> {
    let (sequence, waiting) = (from.six()?, from.byte()?);
    let after = (0..waiting).map(|_| from.six()).collect::<Option<_>>()?;
    let grant = Box::new(read_description(from, after)?);
    Some(What::Registered { sequence, grant })
}

fn read_description(from: &mut Unpacker<'_>, after: Vec<u64>) -> Option<Description> {
    let grant = GrantId::from_bytes(from.array()?);
    let (end, key_id) = (UnixSeconds(from.six()?), from.four()?);
    let policy = PolicyHash::from_bytes(from.array()?);
    let agent = Agent::parse(from.text()?).ok()?;
    let workflow = match from.text()? {
        "" => None,
        text => Some(Workflow::parse(text).ok()?),
    };
    let audience = Audience::parse(from.text()?).ok()?;
    let action = Action::parse(from.text()?).ok()?;
    let resource = Resource::parse(from.text()?).ok()?;
    Some(Description {
        grant,
        agent,
        workflow,
        audience,
        action,
        resource,
        policy,
        key_id,
        end,
        after,
    })
}

/// A selector for people: its kind, a separator that no kind holds, its value.
pub(crate) fn write_selector(selector: &Selector) -> Vec<u8> {
    [selector.kind().as_bytes(), b"\0", selector.value().as_bytes()].concat()
}

fn read_selector(bytes: &[u8]) -> Option<Selector> {
    let (kind, value) = std::str::from_utf8(bytes).ok()?.split_once('\0')?;
    Selector::parse(kind, value)
}

/// A hold, as the library counts it.
pub(crate) fn write_hold(hold: &Hold) -> Vec<u8> {
    let mut out = Packer::default();
    out.raw(&hold.id.0).raw(&hold.budget.0).raw(hold.caller.as_bytes());
    out.seven(hold.amount).six(hold.from.0).six(hold.to.0).done()
}

/// The hold that these bytes begin with.
pub(crate) fn read_hold(from: &mut Unpacker<'_>) -> Option<Hold> {
    Some(Hold {
        id: HoldId(from.array()?),
        budget: BudgetKey(from.array()?),
        caller: Scope::from_bytes(from.array()?),
        amount: from.seven()?,
        from: UnixSeconds(from.six()?),
        to: UnixSeconds(from.six()?),
    })
}

/// The event in bytes, but for its number.
pub(crate) fn write(at: UnixSeconds, what: &What) -> Vec<u8> {
    let mut out = Packer::default();
    out.byte(letter(what)).six(at.0);
    match what {
        What::Opened { previous, policy } => {
            let previous = previous.map_or(NO_GENERATION, |previous| *previous.as_bytes());
            out.raw(&previous).raw(policy.as_bytes())
        }
        What::Closed | What::BudgetsOpened => &mut out,
        What::Registered { sequence, grant } => {
            out.six(*sequence).byte(u8::try_from(grant.after.len()).unwrap_or(u8::MAX));
            for before in &grant.after {
                out.six(*before);
            }
            out.raw(&write_description(grant))
        }
        What::Spent { sequence }
        | What::Repeated { sequence }
        | What::Replayed { sequence }
        | What::Forged { sequence }
        | What::Lapsed { sequence }
        | What::Expired { sequence } => out.six(*sequence),
        What::Settled { sequence, outcome } => out.six(*sequence).byte(outcome_number(*outcome)),
        What::Revoked { sequence, spent } => out.six(*sequence).byte(yes(*spent)),
        What::RevokedAll { selector, upto } => out.six(*upto).raw(&write_selector(selector)),
        What::Abandoned { grant } => out.raw(grant.as_bytes()),
        What::Held { hold } | What::GivenBack { hold } => out.raw(&write_hold(hold)),
        What::Blocked { selector } | What::Unblocked { selector } => {
            out.raw(&write_selector(selector))
        }
        What::PolicySet { policy, replaced, old, upto } => {
            let revoked = yes(*old == OldGrants::Revoked);
            out.raw(policy.as_bytes()).raw(replaced.as_bytes()).byte(revoked).six(*upto)
        }
        What::Leased { name, holder, number, end } => {
            let length = u8::try_from(name.len()).unwrap_or(u8::MAX);
            out.six(*number).six(end.0).byte(length).raw(name.as_bytes()).raw(holder.as_bytes())
        }
    };
    out.done()
}

fn yes(yes: bool) -> u8 {
    if yes { b'1' } else { b'0' }
}

fn letter(what: &What) -> u8 {
    match what {
        What::Opened { .. } => b'o',
        What::Closed => b'c',
        What::Registered { .. } => b'r',
        What::Spent { .. } => b's',
        What::Repeated { .. } => b'p',
        What::Replayed { .. } => b'q',
        What::Forged { .. } => b'f',
        What::Settled { .. } => b't',
        What::Lapsed { .. } => b'l',
        What::Expired { .. } => b'e',
        What::Revoked { .. } => b'x',
        What::RevokedAll { .. } => b'X',
        What::Abandoned { .. } => b'a',
        What::Held { .. } => b'h',
        What::GivenBack { .. } => b'g',
        What::BudgetsOpened => b'b',
        What::Blocked { .. } => b'B',
        What::Unblocked { .. } => b'U',
        What::PolicySet { .. } => b'P',
        What::Leased { .. } => b'L',
    }
}

/// The event that these bytes say.
pub(crate) fn read(number: u64, bytes: &[u8]) -> Option<Event> {
    let mut from = Unpacker::new(bytes);
    let (letter, at) = (from.byte()?, UnixSeconds(from.six()?));
    let what = match letter {
        b'o' => opened(&mut from)?,
        b'c' => What::Closed,
        b'b' => What::BudgetsOpened,
        b'r' => read_registered(&mut from)?,
        b's' | b'p' | b'q' | b'f' | b'l' | b'e' => of_one(letter, from.six()?)?,
        b't' => What::Settled { sequence: from.six()?, outcome: outcome(from.byte()?)? },
        b'x' => What::Revoked { sequence: from.six()?, spent: is_yes(from.byte()?)? },
        b'X' => What::RevokedAll { upto: from.six()?, selector: read_selector(from.rest())? },
        b'a' => What::Abandoned { grant: GrantId::from_bytes(from.array()?) },
        b'h' => What::Held { hold: read_hold(&mut from)? },
        b'g' => What::GivenBack { hold: read_hold(&mut from)? },
        b'B' => What::Blocked { selector: read_selector(from.rest())? },
        b'U' => What::Unblocked { selector: read_selector(from.rest())? },
        b'P' => policy_set(&mut from)?,
        b'L' => leased(&mut from)?,
        _ => return None,
    };
    from.end(Event { number, at, what })
}

fn opened(from: &mut Unpacker<'_>) -> Option<What> {
    let previous = Some(from.array()?).filter(|bytes| *bytes != NO_GENERATION);
    let policy = PolicyHash::from_bytes(from.array()?);
    Some(What::Opened { previous: previous.map(Generation::from_bytes), policy })
}

fn of_one(letter: u8, sequence: u64) -> Option<What> {
    Some(match letter {
        b's' => What::Spent { sequence },
        b'p' => What::Repeated { sequence },
        b'q' => What::Replayed { sequence },
        b'f' => What::Forged { sequence },
        b'l' => What::Lapsed { sequence },
        b'e' => What::Expired { sequence },
        _ => return None,
    })
}

fn policy_set(from: &mut Unpacker<'_>) -> Option<What> {
    let policy = PolicyHash::from_bytes(from.array()?);
    let replaced = PolicyHash::from_bytes(from.array()?);
    let old = if is_yes(from.byte()?)? { OldGrants::Revoked } else { OldGrants::Kept };
    Some(What::PolicySet { policy, replaced, old, upto: from.six()? })
}

fn leased(from: &mut Unpacker<'_>) -> Option<What> {
    let (number, end) = (from.six()?, UnixSeconds(from.six()?));
    let length = usize::from(from.byte()?);
    let (name, holder) = from.rest().split_at_checked(length)?;
    let text = |bytes| std::str::from_utf8(bytes).ok().map(Box::from);
    Some(What::Leased { name: text(name)?, holder: text(holder)?, number, end })
}

fn is_yes(byte: u8) -> Option<bool> {
    match byte {
        b'0' => Some(false),
        b'1' => Some(true),
        _ => None,
    }
}

/// An entry as a file keeps it.
pub(crate) fn write_entry(entry: &Entry) -> Vec<u8> {
    let mut out = Packer::default();
    out.six(entry.event.number);
    match &entry.mark {
        None => out.byte(0),
        Some(mark) => out.byte(1).raw(mark.as_bytes()),
    };
    out.raw(&write(entry.event.at, &entry.event.what)).done()
}

/// The entry that these bytes say.
pub(crate) fn read_entry(bytes: &[u8]) -> Option<Entry> {
    let mut from = Unpacker::new(bytes);
    let number = from.six()?;
    let mark = match from.byte()? {
        0 => None,
        1 => Some(Mark::from_bytes(from.array()?)),
        _ => return None,
    };
    Some(Entry { event: read(number, from.rest())?, mark })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn description() -> Description {
        Description {
            grant: GrantId::from_bytes([1; 16]),
            agent: Agent::parse("key:ci").unwrap(),
            workflow: Some(Workflow::parse("run-81").unwrap()),
            audience: Audience::parse("payments-api").unwrap(),
            action: Action::parse("payments.transfer").unwrap(),
            resource: Resource::parse("account/42").unwrap(),
            policy: PolicyHash::from_bytes([5; 32]),
            key_id: 17,
            end: UnixSeconds(1_800_000_060),
            after: vec![3, 1 << 40],
        }
    }

    fn everything() -> Vec<What> {
        let (sequence, selector) = (1 << 40, Selector::Agent(Agent::parse("a\u{e4}").unwrap()));
        let grant = GrantId::from_bytes([7; 16]);
        let (policy, replaced) = (PolicyHash::from_bytes([8; 32]), PolicyHash::from_bytes([9; 32]));
        let hold = Hold {
            id: HoldId([1; 16]),
            budget: BudgetKey([2; 16]),
            caller: Scope::from_bytes([3; 8]),
            amount: (1 << 53) - 1,
            from: UnixSeconds(1_800_000_000),
            to: UnixSeconds(1_800_086_400),
        };
        let bare = Description { workflow: None, after: Vec::new(), ..description() };
        let mut all = vec![
            What::Opened { previous: None, policy },
            What::Opened { previous: Some(Generation::from_bytes([4; 16])), policy },
            What::Closed,
            What::Registered { sequence, grant: Box::new(description()) },
            What::Registered { sequence, grant: Box::new(bare) },
            What::Spent { sequence },
            What::Repeated { sequence },
            What::Replayed { sequence },
            What::Forged { sequence },
            What::Lapsed { sequence },
            What::Expired { sequence },
            What::Revoked { sequence, spent: true },
            What::Revoked { sequence, spent: false },
            What::RevokedAll { selector: Selector::All, upto: 9 },
            What::RevokedAll { selector: selector.clone(), upto: 9 },
            What::Abandoned { grant },
            What::Held { hold },
            What::GivenBack { hold },
            What::BudgetsOpened,
            What::Blocked { selector: selector.clone() },
            What::Unblocked { selector },
            What::PolicySet { policy, replaced, old: OldGrants::Kept, upto: 9 },
            What::PolicySet { policy, replaced, old: OldGrants::Revoked, upto: 9 },
            What::Leased {
                name: "drain".into(),
                holder: "issuer-1".into(),
                number: 4,
                end: UnixSeconds(1_800_000_010),
            },
        ];
        all.extend((0..5).filter_map(outcome).map(|outcome| What::Settled { sequence, outcome }));
        all
    }

    #[test]
    fn every_event_is_read_as_it_was_written() {
        let at = UnixSeconds(1_800_000_000);
        for what in everything() {
            let bytes = write(at, &what);
            assert_eq!(read(12, &bytes), Some(Event { number: 12, at, what }));
        }
    }

    #[test]
    fn no_event_that_is_cut_or_goes_on_is_read_as_itself() {
        let at = UnixSeconds(1_800_000_000);
        for what in everything() {
            let bytes = write(at, &what);
            let whole = read(12, &bytes);
            for end in 0..bytes.len() {
                assert_ne!(read(12, &bytes[..end]), whole, "{what:?} cut at {end}");
            }
            assert_ne!(read(12, &[&bytes[..], b"x"].concat()), whole, "{what:?} goes on");
        }
    }
}
