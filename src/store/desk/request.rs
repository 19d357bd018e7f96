//! A request that waits for people: what is asked, who decided, and where it stands.
//!
//! ```text
//! pending ─→ approved ─→ collected     each of the three → withdrawn │ cancelled
//!    ├─→ refused
//!    └─→ expired ←─ approved
//! ```

use farebox_verifier::{
    Action, Agent, Audience, GrantId, PolicyHash, Resource, Selector, UnixSeconds, Workflow,
};

use super::words::{Body, Caller, DecisionSignature, Group, Owner, Reason, RequestHash};
use crate::limits;
use crate::store::packed::{Packed, PackedError, Reader, Writer, choices, fields};

/// How many of a group must approve.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Need {
    /// The group.
    pub group: Group,
    /// How many of it.
    pub count: u8,
}

/// Nobody could approve by these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "1 to {} groups are needed, each once, and 1 to {} approvers of each",
    limits::NEEDS_MAX,
    limits::APPROVERS_MAX
)]
pub struct NeedsError;

/// Who must approve: each group named once, and of each at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Needs(Vec<Need>);

impl Needs {
    /// Nobody: a step of a plan that asks no people waits for the steps before it alone.
    #[must_use]
    pub fn nobody() -> Needs {
        Needs(Vec::new())
    }

    /// These, all of them.
    ///
    /// # Errors
    /// [`NeedsError`] where there is none, a group is named twice, or a count is zero or too large.
    pub fn new(needs: Vec<Need>) -> Result<Needs, NeedsError> {
        let counts = needs.iter().all(|need| (1..=limits::APPROVERS_MAX).contains(&need.count));
        let distinct = needs
            .iter()
            .enumerate()
            .all(|(i, need)| needs.iter().take(i).all(|earlier| earlier.group != need.group));
        let few = (1..=limits::NEEDS_MAX).contains(&needs.len());
        if counts && distinct && few { Ok(Needs(needs)) } else { Err(NeedsError) }
    }

    /// Each of them.
    #[must_use]
    pub fn each(&self) -> &[Need] {
        &self.0
    }
}

impl Packed for Needs {
    fn pack(&self, to: &mut Writer) {
        self.0.pack(to);
    }

    fn unpack(from: &mut Reader<'_>) -> Result<Needs, PackedError> {
        match Vec::<Need>::unpack(from)? {
            nobody if nobody.is_empty() => Ok(Needs::nobody()),
            needs => Needs::new(needs).or(Err(PackedError::Value)),
        }
    }
}

/// What is asked of people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// The request, under the id that its caller was told.
    pub grant: GrantId,
    /// Who sent it.
    pub requester: Caller,
    /// The person behind its sender, who may not approve it.
    pub owner: Owner,
    /// Who will act.
    pub agent: Agent,
    /// The workflow it belongs to.
    pub workflow: Option<Workflow>,
    /// The plan that it is a step of.
    pub plan: Option<GrantId>,
    /// The API that acts.
    pub audience: Audience,
    /// What is done.
    pub action: Action,
    /// What it is done to.
    pub resource: Resource,
    /// The policies that asked for people.
    pub policy: PolicyHash,
    /// What is approved, to the last parameter.
    pub request: RequestHash,
    /// Who must approve.
    pub needs: Needs,
    /// The first second in which it can be neither decided nor collected.
    pub until: UnixSeconds,
    /// The request, for its issuer to decide again. Let go of once it cannot be collected.
    pub body: Body,
}

impl Proposal {
    /// All that names it, but for a key, which none has before it is signed.
    pub(super) fn selectors(&self) -> impl Iterator<Item = Selector> {
        let workflow = self.workflow.clone().map(Selector::Workflow);
        [
            Selector::All,
            Selector::Agent(self.agent.clone()),
            Selector::Audience(self.audience.clone()),
            Selector::Action(self.action.clone()),
            Selector::Policy(self.policy),
        ]
        .into_iter()
        .chain(workflow)
    }
}

/// What an approver says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Yes.
    Approve,
    /// No, and nobody else's yes counts any more.
    Refuse,
}

impl Verdict {
    /// The word for it, everywhere.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Verdict::Approve => "approve",
            Verdict::Refuse => "refuse",
        }
    }

    /// The verdict of this word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Verdict> {
        [Verdict::Approve, Verdict::Refuse].into_iter().find(|verdict| verdict.word() == word)
    }
}

/// One approver's decision. That it is a member of the group, and that its signature is good, is found
/// before it comes here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Who decides.
    pub approver: Caller,
    /// The person behind it, who decides once.
    pub owner: Owner,
    /// The group that it counts for.
    pub group: Group,
    /// What it says.
    pub verdict: Verdict,
    /// Why.
    pub reason: Reason,
    /// What it signed with.
    pub signature: DecisionSignature,
}

/// A decision, and when it was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decided {
    /// The decision.
    pub decision: Decision,
    /// When.
    pub at: UnixSeconds,
}

/// Where a request stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RequestState {
    /// It waits for people.
    Pending,
    /// They said yes, and nobody has collected it.
    Approved,
    /// One of them said no.
    Refused,
    /// Its time ran out.
    Expired,
    /// It was taken back.
    Withdrawn,
    /// A revocation took it.
    Cancelled,
    /// Its approval is used up: what became of it is told by the grant that it paid for.
    Collected,
}

impl RequestState {
    /// Every state.
    pub const ALL: [RequestState; 7] = [
        RequestState::Pending,
        RequestState::Approved,
        RequestState::Refused,
        RequestState::Expired,
        RequestState::Withdrawn,
        RequestState::Cancelled,
        RequestState::Collected,
    ];

    /// The word for it, everywhere.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            RequestState::Pending => "pending",
            RequestState::Approved => "approved",
            RequestState::Refused => "refused",
            RequestState::Expired => "expired",
            RequestState::Withdrawn => "withdrawn",
            RequestState::Cancelled => "cancelled",
            RequestState::Collected => "collected",
        }
    }

    /// Whether it still waits for somebody.
    pub(super) fn is_open(self) -> bool {
        matches!(self, RequestState::Pending | RequestState::Approved)
    }

    /// Whether a grant may yet come of it.
    pub(super) fn is_live(self) -> bool {
        self.is_open() || self == RequestState::Collected
    }
}

/// A request, whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Its place in the queue.
    pub order: u64,
    /// What is asked.
    pub proposal: Proposal,
    /// Since when.
    pub proposed_at: UnixSeconds,
    /// Who has decided, in order.
    pub decisions: Vec<Decided>,
    /// Where it stands.
    pub state: RequestState,
    /// Since when it stands there.
    pub changed_at: UnixSeconds,
    /// The grant that it paid for.
    pub collected: Option<GrantId>,
}

impl Request {
    /// Who must still approve.
    #[must_use]
    pub fn missing(&self) -> Vec<Need> {
        let needs = self.proposal.needs.each().iter();
        let missing = needs.map(|Need { group, count }| {
            let approvals = self.approvals().filter(|decision| decision.group == *group).count();
            let approvals = u8::try_from(approvals).unwrap_or(u8::MAX);
            Need { group: group.clone(), count: count.saturating_sub(approvals) }
        });
        missing.filter(|need| need.count > 0).collect()
    }

    /// The decisions that said yes.
    pub fn approvals(&self) -> impl Iterator<Item = &Decision> {
        let decisions = self.decisions.iter().map(|decided| &decided.decision);
        decisions.filter(|decision| decision.verdict == Verdict::Approve)
    }

    /// When nobody needs to know of it any more; never while it waits for somebody.
    pub(super) fn forgotten_at(&self) -> Option<UnixSeconds> {
        let remembered = limits::REQUEST_REMEMBERED_SECONDS;
        (!self.state.is_open()).then(|| self.changed_at.plus(remembered))
    }
}

choices!(Verdict { 0_u8 = Approve, 1_u8 = Refuse });
choices!(RequestState {
    0_u8 = Pending,
    1_u8 = Approved,
    2_u8 = Refused,
    3_u8 = Expired,
    4_u8 = Withdrawn,
    5_u8 = Cancelled,
    6_u8 = Collected,
});
fields!(Need { group, count });
fields!(Decision { approver, owner, group, verdict, reason, signature });
fields!(Decided { decision, at });
fields!(Proposal {
    grant,
    requester,
    owner,
    agent,
    workflow,
    plan,
    audience,
    action,
    resource,
    policy,
    request,
    needs,
    until,
    body
});
fields!(Request { order, proposal, proposed_at, decisions, state, changed_at, collected });
