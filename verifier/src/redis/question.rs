//! What a verifier asks of the store's functions, and what they answer: packed, and one letter.
//!
//! The other side of this file is the library that the issuer loads; its text says each layout again.

use crate::attempt::Attempt;
use crate::clock::UnixSeconds;
use crate::grant::{Generation, Mark, Seat, Shard};
use crate::selector::Scopes;
use crate::store::{Outcome, Receipt, Sending, SettleError, SpendError, Ticket};

/// What the names of keys and functions begin with; the library's version is in it.
pub const PREFIX: &str = "fb1";

/// The key of a life's journal.
#[must_use]
pub fn journal_key(shard: &Shard, generation: &Generation) -> String {
    format!("{PREFIX}:{{{}}}:j:{generation}", shard.as_str())
}

/// A number in six bytes, as the functions read it.
#[must_use]
pub fn six(number: u64) -> [u8; 6] {
    let [_, _, bytes @ ..] = number.to_be_bytes();
    bytes
}

/// The number that six bytes say.
#[must_use]
pub fn number(bytes: &[u8]) -> Option<u64> {
    let [a, b, c, d, e, f] = *bytes else { return None };
    Some(u64::from_be_bytes([0, 0, a, b, c, d, e, f]))
}

/// Scopes as the functions compare them.
#[must_use]
pub fn scopes(scopes: &Scopes) -> Vec<u8> {
    scopes.0.iter().flat_map(|scope| *scope.as_bytes()).collect()
}

/// An outcome's number.
#[must_use]
pub fn outcome_number(outcome: Outcome) -> u8 {
    match outcome {
        Outcome::Succeeded => 0,
        Outcome::Failed => 1,
        Outcome::Void => 2,
        Outcome::OutputRefused => 3,
        Outcome::Unknown => 4,
    }
}

/// The outcome with this number.
#[must_use]
pub fn outcome(number: u8) -> Option<Outcome> {
    Some(match number {
        0 => Outcome::Succeeded,
        1 => Outcome::Failed,
        2 => Outcome::Void,
        3 => Outcome::OutputRefused,
        4 => Outcome::Unknown,
        _ => return None,
    })
}

pub(super) const SPEND: &str = "fb1_spend";
pub(super) const SETTLE: &str = "fb1_settle";

/// The argument of `fb1_spend`.
pub(super) fn spend(ticket: &Ticket, seat: &Seat, attempt: &Attempt) -> Vec<u8> {
    let mut packed = begun(ticket.mark, seat, attempt);
    packed.extend_from_slice(&six(ticket.end.0));
    packed.extend_from_slice(&scopes(&ticket.scopes()));
    packed
}

/// The argument of `fb1_settle`.
pub(super) fn settle(ticket: &Ticket, seat: &Seat, attempt: &Attempt, outcome: Outcome) -> Vec<u8> {
    let mut packed = begun(ticket.mark, seat, attempt);
    packed.push(outcome_number(outcome));
    packed
}

fn begun(mark: Mark, seat: &Seat, attempt: &Attempt) -> Vec<u8> {
    let mut packed = Vec::with_capacity(82);
    packed.extend_from_slice(attempt.expose());
    packed.extend_from_slice(&six(seat.sequence));
    packed.extend_from_slice(mark.as_bytes());
    packed
}

/// What `fb1_spend` answered. A letter that nobody knows is no yes, and no certain no.
pub(super) fn spent(body: &[u8]) -> Result<Receipt, SpendError> {
    let Some((letter, rest)) = body.split_first() else { return Err(SpendError::InDoubt) };
    let when = number(rest).map(UnixSeconds);
    let receipt = |sending| when.map(|spent_at| Receipt { spent_at, sending });
    match letter {
        b'K' => receipt(Sending::First).ok_or(SpendError::InDoubt),
        b'R' => receipt(Sending::Repeat).ok_or(SpendError::InDoubt),
        b'U' => {
            let first_spent = when.unwrap_or(UnixSeconds(0));
            Err(SpendError::AlreadySpent { first_spent })
        }
        b'X' => Err(SpendError::Revoked),
        b'E' => Err(SpendError::Expired { now: when.unwrap_or(UnixSeconds(0)) }),
        b'N' => Err(SpendError::UnknownGrant),
        b'P' => Err(SpendError::PredecessorUnsettled),
        b'F' => Err(SpendError::Fenced),
        // The journal lags, or would not take the event: nothing was changed.
        b'D' | b'J' => Err(SpendError::Down),
        _ => Err(SpendError::InDoubt),
    }
}

/// What `fb1_settle` answered.
pub(super) fn settled(body: &[u8]) -> Result<(), SettleError> {
    match *body {
        [b'K'] => Ok(()),
        [b'C', number] => {
            let settled = outcome(number).unwrap_or(Outcome::Unknown);
            Err(SettleError::Conflict { settled })
        }
        [b'S'] => Err(SettleError::NotSpent),
        [b'F', ..] => Err(SettleError::Fenced),
        _ => Err(SettleError::Down),
    }
}
