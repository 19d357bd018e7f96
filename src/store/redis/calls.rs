//! What an issuer asks of the store's functions: their names, their arguments, packed.
//!
//! `library.lua` says each layout again, on the side that reads it.

use farebox_verifier::redis::question;
use farebox_verifier::{GrantId, PolicyHash, Scope, Selector, UnixSeconds};

use crate::limits;
use crate::store::budget::{Hold, HoldId, Take};
use crate::store::desk::EventSecret;
use crate::store::event::wire::{write_description, write_hold, write_selector};
use crate::store::event::{Description, OldGrants};
use crate::store::fixed::Packer;
use crate::store::lease::Lease;
use crate::store::registration::Registration;

/// A call but for its attempt, which stands before it.
pub(super) struct Ask {
    pub(super) function: &'static str,
    pub(super) packed: Vec<u8>,
}

/// What a life is opened with.
pub(super) struct Opening<'a> {
    pub(super) secret: EventSecret,
    pub(super) policy: PolicyHash,
    pub(super) issuers: u16,
    pub(super) blocked: &'a [Selector],
}

fn ask(function: &'static str, mut packer: Packer) -> Ask {
    Ask { function, packed: packer.done() }
}

/// A selector's scope, or the word for all that the functions know.
pub(super) fn scope(selector: &Selector) -> Scope {
    match selector {
        Selector::All => Scope::from_bytes(*b"all-----"),
        _ => selector.scope(),
    }
}

pub(super) fn policy_scope(policy: PolicyHash) -> Scope {
    Selector::Policy(policy).scope()
}

pub(super) fn open(opening: &Opening<'_>) -> Ask {
    let mut out = Packer::default();
    out.raw(opening.secret.expose()).raw(opening.policy.as_bytes());
    out.raw(policy_scope(opening.policy).as_bytes());
    out.six(limits::GRANTS_MAX).six(limits::GRANTS_PER_AGENT_MAX).six(limits::LAG_MAX);
    out.two(opening.issuers);
    for selector in opening.blocked.iter().take(limits::BLOCKS_MAX) {
        out.raw(scope(selector).as_bytes());
    }
    ask("fb1_open", out)
}

pub(super) fn register(registration: &Registration, after: &[u64]) -> Ask {
    let ticket = &registration.ticket;
    let mut out = Packer::default();
    out.raw(ticket.grant.as_bytes()).raw(ticket.mark.as_bytes()).six(ticket.grant_end.0);
    out.raw(&question::scopes(&registration.scopes()));
    out.raw(Selector::Grant(ticket.grant).scope().as_bytes());
    out.byte(u8::try_from(after.len()).unwrap_or(u8::MAX));
    for before in after {
        out.six(*before);
    }
    // The functions say themselves which of the predecessors are still to come.
    out.raw(&write_description(&Description::of(registration, Vec::new())));
    ask("fb1_register", out)
}

pub(super) fn revoke(sequence: u64) -> Ask {
    let mut out = Packer::default();
    out.six(sequence);
    ask("fb1_revoke", out)
}

pub(super) fn revoke_all(selector: &Selector) -> Ask {
    ask("fb1_revoke_all", selected(Packer::default(), selector))
}

/// A word of the staff is numbered, so that one which was held up on its way undoes none that came later.
pub(super) fn block(word: u64, selector: &Selector) -> Ask {
    let mut out = Packer::default();
    out.six(word);
    ask("fb1_block", selected(out, selector))
}

pub(super) fn unblock(word: u64, selector: &Selector) -> Ask {
    let mut out = Packer::default();
    out.six(word);
    ask("fb1_unblock", selected(out, selector))
}

fn selected(mut out: Packer, selector: &Selector) -> Packer {
    out.raw(scope(selector).as_bytes()).raw(&write_selector(selector));
    out
}

pub(super) fn abandon(grant: GrantId) -> Ask {
    let mut out = Packer::default();
    out.raw(grant.as_bytes());
    ask("fb1_abandon", out)
}

pub(super) fn policy(word: u64, policy: PolicyHash, old: OldGrants) -> Ask {
    let mut out = Packer::default();
    out.six(word).raw(policy.as_bytes()).raw(policy_scope(policy).as_bytes());
    out.byte(if old == OldGrants::Revoked { b'1' } else { b'0' });
    ask("fb1_policy", out)
}

pub(super) fn take(take: &Take) -> Ask {
    let mut out = Packer::default();
    out.raw(&HoldId::of(take.grant, take.budget).0).raw(&take.budget.0);
    out.raw(take.caller.as_bytes());
    out.seven(take.amount).seven(take.limit).six(take.window_seconds);
    ask("fb1_take", out)
}

pub(super) fn give_back(hold: &Hold) -> Ask {
    let mut out = Packer::default();
    out.raw(&write_hold(hold));
    ask("fb1_give", out)
}

/// Some of what is held, and whether it is the last of it.
pub(super) fn restore(issuer: u16, held: &[Hold], last: bool) -> Ask {
    let mut out = Packer::default();
    out.two(issuer).byte(if last { b'1' } else { b'0' });
    for hold in held {
        out.raw(&write_hold(hold));
    }
    ask("fb1_restore", out)
}

pub(super) fn lease(name: &str, holder: &str, seconds: u64) -> Ask {
    let mut out = Packer::default();
    out.two(u16::try_from(seconds).unwrap_or(u16::MAX));
    out.byte(u8::try_from(name.len()).unwrap_or(u8::MAX));
    out.raw(name.as_bytes()).raw(holder.as_bytes());
    ask("fb1_lease", out)
}

pub(super) fn lapse(lease: Lease, due: &[(u64, UnixSeconds)]) -> Ask {
    let mut out = Packer::default();
    out.six(lease.number);
    for (sequence, end) in due {
        out.six(*sequence).six(end.0);
    }
    ask("fb1_lapse", out)
}

pub(super) fn trim(lease: Lease, upto: u64) -> Ask {
    let mut out = Packer::default();
    out.six(lease.number).six(upto);
    ask("fb1_trim", out)
}

pub(super) fn tick(now: UnixSeconds) -> Ask {
    let mut out = Packer::default();
    out.six(now.0);
    ask("fb1_tick", out)
}

pub(super) fn probe() -> Ask {
    ask("fb1_probe", Packer::default())
}

pub(super) fn state() -> Ask {
    ask("fb1_state", Packer::default())
}

pub(super) fn close() -> Ask {
    ask("fb1_close", Packer::default())
}
