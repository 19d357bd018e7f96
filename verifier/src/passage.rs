//! From bytes to the right to act, one type for each step.
//!
//! ```text
//! Presented --verify--> Verified --spend--> Spent --settle--> Settled
//!            offline             one round trip   what came of it
//! ```
//!
//! Each arrow consumes what stands on its left, so no step can be skipped or taken twice:
#![doc = include_str!("passage.md")]

#[cfg(feature = "tower")]
mod home;

use std::fmt;
use std::sync::Arc;

use crate::attempt::Attempt;
use crate::caveat::Caveat;
use crate::clock::UnixSeconds;
use crate::grant::{Grant, GrantId, Uses};
use crate::refusal::Refusal;
use crate::store::{Outcome, Receipt, Sending, SettleError, SpendError, SpendStore, Ticket};
use crate::token::layout::{self, Content};
use crate::token::{self, Flaw, TokenText};
use crate::wire::envelope::Envelope;
use crate::wire::symbols::Symbols;

#[cfg(feature = "tower")]
pub(crate) use self::home::Home;

/// How often an attempt is sent, all in all, while nobody answers.
const SENDINGS_MAX: u32 = 3;

/// A token that was read and not yet believed.
pub struct Presented {
    text: TokenText,
    bytes: Vec<u8>,
    content: Content,
}

impl Presented {
    /// Reads a token's text: whether it has the layout's shape, and nothing else.
    ///
    /// # Errors
    /// [`Refusal::BadToken`] where it has not.
    pub fn read(text: &str) -> Result<Presented, Refusal> {
        // Nothing is copied before its length is known.
        let text = TokenText::bounded(text).map_err(Refusal::BadToken)?;
        let bytes = text.bytes().map_err(Refusal::BadToken)?;
        let envelope = Envelope::read(&bytes).map_err(Refusal::BadToken)?;
        let mut symbols = Symbols::default();
        let content = layout::read(&envelope, &mut symbols).map_err(Refusal::BadToken)?;
        Ok(Presented { text, bytes, content })
    }

    /// What the token says of itself. Anybody can write this: nothing of it is to be acted on.
    #[must_use]
    pub fn unverified(&self) -> Unverified<'_> {
        Unverified(&self.content)
    }

    /// The bytes of each of its blocks, the issuer's first.
    #[must_use]
    pub fn block_bytes(&self) -> Vec<usize> {
        // It was read once, so it is read again.
        let Ok(envelope) = Envelope::read(&self.bytes) else { return Vec::new() };
        std::iter::once(&envelope.authority)
            .chain(&envelope.later)
            .map(|signed| signed.block.len())
            .collect()
    }

    /// The token's text.
    #[must_use]
    pub fn text(&self) -> &TokenText {
        &self.text
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(crate) fn grant(&self) -> &Grant {
        &self.content.grant
    }

    pub(crate) fn content(&self) -> &Content {
        &self.content
    }
}

/// What a token says of itself, for people who look at it.
#[derive(Clone, Copy)]
pub struct Unverified<'a>(&'a Content);

impl<'a> Unverified<'a> {
    /// The issuer's key that it names.
    #[must_use]
    pub fn key_id(self) -> Option<u32> {
        self.0.key_id
    }

    /// The grant.
    #[must_use]
    pub fn grant(self) -> &'a Grant {
        &self.0.grant
    }

    /// What third parties say in it.
    pub fn statements(self) -> impl Iterator<Item = Caveat> + 'a {
        self.0.statements.iter().map(|(n, v, key)| Caveat::Signed(n.clone(), v.clone(), *key))
    }

    /// What holders added.
    #[must_use]
    pub fn narrowing(self) -> &'a [Caveat] {
        &self.0.narrowing
    }
}

/// A token that covers a request, of which nobody knows yet whether it was used.
#[must_use = "a verified token gives no right to act: spend it"]
pub struct Verified {
    presented: Presented,
    key_id: u32,
    end: UnixSeconds,
    home: Option<Home>,
}

impl Verified {
    pub(crate) fn new(presented: Presented, key_id: u32, end: UnixSeconds) -> Verified {
        Verified { presented, key_id, end, home: None }
    }

    /// The same, with a place where its [`Spent`] goes when it is dropped unsettled.
    #[cfg(feature = "tower")]
    pub(crate) fn with_home(self, home: Home) -> Verified {
        Verified { home: Some(home), ..self }
    }

    /// The grant.
    #[must_use]
    pub fn grant(&self) -> &Grant {
        &self.presented.content.grant
    }

    /// The first second in which it is worth nothing, by its window and by whoever narrowed it.
    #[must_use]
    pub fn end(&self) -> UnixSeconds {
        self.end
    }

    /// What the handler's result must be held to.
    pub fn outputs(&self) -> impl Iterator<Item = &Caveat> {
        let content = &self.presented.content;
        let output = |c: &&Caveat| matches!(c, Caveat::OutputMax(..) | Caveat::OutputOneOf(..));
        content.grant.caveats.iter().chain(&content.narrowing).filter(output)
    }

    /// The token's text: for a store that is another server and verifies for itself.
    #[must_use]
    pub fn text(&self) -> &TokenText {
        &self.presented.text
    }

    /// What a store needs to know of it.
    #[must_use]
    pub fn ticket(&self) -> Ticket {
        let grant = self.grant();
        Ticket {
            grant: grant.id,
            not_before: grant.window.not_before(),
            end: self.end,
            grant_end: grant.window.end(),
            mark: token::mark(grant),
            stores: grant.stores.clone(),
            key_id: self.key_id,
            agent: grant.agent.clone(),
            workflow: grant.workflow.as_ref().map(|(workflow, _)| workflow.clone()),
            audience: grant.audience.clone(),
            action: grant.action.clone(),
            policy: grant.policy,
        }
    }

    /// Takes the grant's one use, for an attempt made here and now.
    ///
    /// While the store does not answer, the same attempt is sent again; a repeat of what was never heard
    /// is its answer. A repeat on the first sending is somebody else's: the attempt is no secret any more.
    ///
    /// Whoever drops this future may have spent the grant, and will not know.
    ///
    /// # Errors
    /// [`Refusal`] where it was not taken, or nobody can tell: either way the token is gone with `self`.
    pub async fn spend(self, store: &Arc<dyn SpendStore>) -> Result<Spent, Refusal> {
        if self.grant().uses == Uses::Fresh {
            return Err(Refusal::BadToken(Flaw::Fresh));
        }
        let Ok(attempt) = Attempt::fresh() else { return Err(Refusal::StoreDown) };
        let ticket = self.ticket();
        let receipt = take(store.as_ref(), &ticket, &attempt).await?;
        let outputs = self.outputs().cloned().collect();
        let Content { grant, .. } = self.presented.content;
        let store = Arc::clone(store);
        let taken = Taken { grant, outputs, ticket, attempt, receipt, store };
        Ok(Spent { taken: Arc::new(taken), home: self.home, said: None })
    }
}

async fn take(
    store: &dyn SpendStore,
    ticket: &Ticket,
    attempt: &Attempt,
) -> Result<Receipt, Refusal> {
    for sending in 1..=SENDINGS_MAX {
        match store.spend(ticket, attempt).await {
            Ok(receipt) if receipt.sending == Sending::Repeat && sending == 1 => {
                return Err(Refusal::AlreadySpent { first_spent: receipt.spent_at });
            }
            Ok(receipt) => return Ok(receipt),
            Err(SpendError::InDoubt) => {}
            // Once in doubt, "already spent" may speak of our own use that we never heard of.
            Err(refused) if sending == 1 => return Err(refusal(refused, ticket)),
            Err(_) => return Err(Refusal::StoreDown),
        }
    }
    Err(Refusal::StoreDown)
}

fn refusal(error: SpendError, ticket: &Ticket) -> Refusal {
    match error {
        SpendError::AlreadySpent { first_spent } => Refusal::AlreadySpent { first_spent },
        SpendError::Revoked => Refusal::Revoked,
        SpendError::Expired { now } => Refusal::Expired { end: ticket.end, now },
        SpendError::UnknownGrant => Refusal::UnknownGrant,
        SpendError::Fenced => Refusal::Fenced,
        SpendError::PredecessorUnsettled => Refusal::PredecessorUnsettled,
        SpendError::InDoubt | SpendError::Down => Refusal::StoreDown,
    }
}

/// The right to act, once. Settle it with what came of the action.
#[must_use = "a spent grant that nobody settles ends as unknown, which staff see as an alarm"]
pub struct Spent {
    taken: Arc<Taken>,
    home: Option<Home>,
    /// What its handler reported, whether or not the store took it.
    said: Option<Outcome>,
}

/// A use that was taken; shared by nobody but a [`Spent`] and the one that goes home in its stead.
struct Taken {
    grant: Grant,
    outputs: Vec<Caveat>,
    ticket: Ticket,
    attempt: Attempt,
    receipt: Receipt,
    store: Arc<dyn SpendStore>,
}

impl Spent {
    /// The grant.
    #[must_use]
    pub fn grant(&self) -> &Grant {
        &self.taken.grant
    }

    /// When it was spent.
    #[must_use]
    pub fn spent_at(&self) -> UnixSeconds {
        self.taken.receipt.spent_at
    }

    /// What the handler's result must be held to.
    #[must_use]
    pub fn outputs(&self) -> &[Caveat] {
        &self.taken.outputs
    }

    /// Reports what came of the action; the grant is dead after it.
    ///
    /// # Errors
    /// [`Unsettled`] where the store did not take the report. It may be made again.
    pub async fn settle(mut self, outcome: Outcome) -> Result<Settled, Unsettled> {
        self.said = Some(outcome);
        let Taken { store, ticket, attempt, .. } = &*self.taken;
        match store.settle(ticket, attempt, outcome).await {
            Ok(()) => {
                let settled = Settled { grant: self.taken.grant.id, outcome };
                self.home = None;
                Ok(settled)
            }
            Err(why) => Err(Unsettled { spent: self, outcome, why }),
        }
    }

    /// Takes the duty to settle over from the gate, for a job that ends after the reply.
    pub fn later(mut self) -> Spent {
        let taken = Arc::clone(&self.taken);
        self.home = None;
        Spent { taken, home: None, said: self.said }
    }

    /// What its handler reported before it let go: the gate reports the same, not what it can see.
    #[cfg(feature = "tower")]
    pub(crate) fn said(&self) -> Option<Outcome> {
        self.said
    }
}

impl Drop for Spent {
    /// A handler that lets go of it leaves the settling to the gate.
    fn drop(&mut self) {
        if let Some(home) = self.home.take() {
            home.put(Spent { taken: Arc::clone(&self.taken), home: None, said: self.said });
        }
    }
}

/// Without a gate nobody awaits a [`Spent`] that is let go of.
#[cfg(not(feature = "tower"))]
enum Home {}

#[cfg(not(feature = "tower"))]
impl Home {
    fn put(&self, _: Spent) {
        match *self {}
    }
}

/// A report that the store did not take.
#[must_use = "settle it again, or the grant ends as unknown"]
pub struct Unsettled {
    spent: Spent,
    outcome: Outcome,
    why: SettleError,
}

impl Unsettled {
    /// Why not.
    #[must_use]
    pub fn why(&self) -> SettleError {
        self.why
    }

    /// Makes the same report again.
    ///
    /// # Errors
    /// [`Unsettled`] where the store did not take it this time either.
    pub async fn again(self) -> Result<Settled, Unsettled> {
        self.spent.settle(self.outcome).await
    }
}

/// A grant that is over: nothing follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settled {
    grant: GrantId,
    outcome: Outcome,
}

impl Settled {
    /// The grant.
    #[must_use]
    pub fn grant(self) -> GrantId {
        self.grant
    }

    /// What came of it.
    #[must_use]
    pub fn outcome(self) -> Outcome {
        self.outcome
    }
}

/// Tokens and attempts never show.
macro_rules! redacted {
    ($($name:ident => $id:expr),* $(,)?) => {$(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let id: fn(&$name) -> GrantId = $id;
                write!(f, concat!(stringify!($name), "({})"), id(self))
            }
        }
    )*};
}

redacted! {
    Presented => |presented| presented.content.grant.id,
    Verified => |verified| verified.grant().id,
    Spent => |spent| spent.grant().id,
    Unsettled => |unsettled| unsettled.spent.grant().id,
}
