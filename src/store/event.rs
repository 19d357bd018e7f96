//! The journal's events: what happened to whom, numbered without a gap in each life.
//!
//! An event says what people may read. What only the memory needs, the mark by which a claimant is
//! known again, stands beside it in an [`Entry`] and leaves the store with nobody.

pub(crate) mod wire;

use farebox_verifier::{
    Action, Agent, Audience, Generation, GrantId, Mark, Outcome, PolicyHash, Resource, Selector,
    UnixSeconds, Workflow,
};

use super::budget::Hold;
use super::registration::Registration;

/// What a registration leaves for people to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// The grant.
    pub grant: GrantId,
    /// Who asked.
    pub agent: Agent,
    /// The workflow it belongs to.
    pub workflow: Option<Workflow>,
    /// The API that acts.
    pub audience: Audience,
    /// What is done.
    pub action: Action,
    /// What it is done to.
    pub resource: Resource,
    /// The policies that allowed it.
    pub policy: PolicyHash,
    /// The key that signs it.
    pub key_id: u32,
    /// The first second in which it is worth nothing.
    pub end: UnixSeconds,
    /// The numbers, in this life, of grants that must succeed before it is spent.
    pub after: Vec<u64>,
}

impl Description {
    /// What people read of this registration, behind these numbers of the same life.
    #[must_use]
    pub fn of(registration: &Registration, after: Vec<u64>) -> Description {
        let ticket = &registration.ticket;
        Description {
            grant: ticket.grant,
            agent: ticket.agent.clone(),
            workflow: ticket.workflow.clone(),
            audience: ticket.audience.clone(),
            action: ticket.action.clone(),
            resource: registration.resource.clone(),
            policy: ticket.policy,
            key_id: ticket.key_id,
            end: ticket.grant_end,
            after,
        }
    }
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum What {
    /// The life began, over what another had left where there was one.
    Opened {
        /// The life before it.
        previous: Option<Generation>,
        /// The set of policies in force.
        policy: PolicyHash,
    },
    /// The life was ended on purpose: nothing more will come.
    Closed,
    /// A grant was registered under the next number.
    Registered {
        /// Its number.
        sequence: u64,
        /// What it is.
        grant: Box<Description>,
    },
    /// Its one use was taken.
    Spent {
        /// Its number.
        sequence: u64,
    },
    /// The attempt that took it asked again, and was told again.
    Repeated {
        /// Its number.
        sequence: u64,
    },
    /// Another attempt asked for what was taken; told of the first time only.
    Replayed {
        /// Its number.
        sequence: u64,
    },
    /// It was presented with another content than was registered.
    Forged {
        /// Its number.
        sequence: u64,
    },
    /// Its action ended.
    Settled {
        /// Its number.
        sequence: u64,
        /// How.
        outcome: Outcome,
    },
    /// It was spent, and nobody said in time what came of it: it counts as unknown.
    Lapsed {
        /// Its number.
        sequence: u64,
    },
    /// It ended unspent.
    Expired {
        /// Its number.
        sequence: u64,
    },
    /// It was revoked.
    Revoked {
        /// Its number.
        sequence: u64,
        /// Whether it had been spent.
        spent: bool,
    },
    /// Every grant that the selector names, up to this number, was revoked.
    RevokedAll {
        /// Which.
        selector: Selector,
        /// The last number.
        upto: u64,
    },
    /// A grant id is refused for good, because nobody knew whether it was registered.
    Abandoned {
        /// Which.
        grant: GrantId,
    },
    /// An amount was taken from a budget.
    Held {
        /// All of it.
        hold: Hold,
    },
    /// It was given back.
    GivenBack {
        /// All of it.
        hold: Hold,
    },
    /// What others hold of the budgets was brought in, and they are counted again.
    BudgetsOpened,
    /// Nothing is registered for this selector until it is lifted.
    Blocked {
        /// Which.
        selector: Selector,
    },
    /// It was lifted.
    Unblocked {
        /// Which.
        selector: Selector,
    },
    /// Another set of policies is in force.
    PolicySet {
        /// Which.
        policy: PolicyHash,
        /// The one that was.
        replaced: PolicyHash,
        /// What becomes of the grants that it allowed.
        old: OldGrants,
        /// The last of them.
        upto: u64,
    },
    /// A lease was given, or given for longer.
    Leased {
        /// Which.
        name: Box<str>,
        /// To whom.
        holder: Box<str>,
        /// Its number.
        number: u64,
        /// Until when.
        end: UnixSeconds,
    },
}

/// What a change of policies does to the grants that the old set allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OldGrants {
    /// They are dead: what was allowed a moment ago is asked again.
    Revoked,
    /// They live out their time.
    Kept,
}

/// An event of one life.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its number: one more than that of the event before.
    pub number: u64,
    /// When.
    pub at: UnixSeconds,
    /// What.
    pub what: What,
}

/// An event and what only the memory keeps of it.
#[derive(Clone, PartialEq, Eq)]
pub struct Entry {
    /// What people may read.
    pub(crate) event: Event,
    /// The content's mark of a registration, the claimant's of a spend.
    pub(crate) mark: Option<Mark>,
}
