//! Grants to be, and the few words in which the tests speak to a store.

use farebox::store::event::{Event, What};
use farebox::store::registration::{RegisterError, Registration};
use farebox::store::{Found, LifeId};
use farebox_verifier::{
    Action, Agent, Attempt, Audience, Grant, GrantId, Outcome, Params, PolicyHash, Receipt,
    Resource, Seat, Seats, Selector, SettleError, SpendError, Step, Ticket, Uses, Window, Workflow,
};

use super::subject::Subject;

/// The set of policies that is in force when a store begins.
pub(crate) const POLICY: PolicyHash = PolicyHash::from_bytes([5; 32]);
/// Longer than any test.
pub(crate) const TTL: u64 = 600;
/// Long enough to do a thing or two, short enough to be waited for.
pub(crate) const SHORT: u64 = 3;
/// No number at all.
pub(crate) const NONE: [u64; 0] = [];

/// A grant to be. A test says what it is about.
#[derive(Clone)]
pub(crate) struct Draft {
    pub(crate) ttl_seconds: u64,
    pub(crate) agent: &'static str,
    pub(crate) workflow: Option<&'static str>,
    pub(crate) audience: &'static str,
    pub(crate) action: &'static str,
    pub(crate) resource: &'static str,
    pub(crate) key_id: u32,
    pub(crate) policy: PolicyHash,
    pub(crate) after: Vec<Seats>,
}

impl Default for Draft {
    fn default() -> Draft {
        Draft {
            ttl_seconds: TTL,
            agent: "spiffe://acme/agents/billing",
            workflow: Some("run-81"),
            audience: "payments-api",
            action: "payments.transfer",
            resource: "account/42",
            key_id: 17,
            policy: POLICY,
            after: Vec::new(),
        }
    }
}

impl Draft {
    pub(crate) fn short() -> Draft {
        Draft { ttl_seconds: SHORT, ..Draft::default() }
    }

    pub(crate) fn after<'a>(before: impl IntoIterator<Item = &'a Ticket>) -> Draft {
        let after = before.into_iter().map(seats).collect();
        Draft { after, ..Draft::default() }
    }

    pub(crate) fn grant(&self, subject: &impl Subject) -> Grant {
        let step = Step::parse("3").unwrap();
        Grant {
            id: GrantId::fresh().unwrap(),
            action: Action::parse(self.action).unwrap(),
            resource: Resource::parse(self.resource).unwrap(),
            params: Params::parse(br#"{"amount":4000,"to":"acme"}"#).unwrap().digest(),
            audience: Audience::parse(self.audience).unwrap(),
            window: Window::minted(subject.now(), self.ttl_seconds).unwrap(),
            agent: Agent::parse(self.agent).unwrap(),
            policy: self.policy,
            varies: Vec::new(),
            approval: None,
            stores: None,
            workflow: self.workflow.map(|name| (Workflow::parse(name).unwrap(), step)),
            purpose: None,
            holder: None,
            uses: Uses::Once,
            caveats: Vec::new(),
        }
    }

    pub(crate) fn registration(&self, subject: &impl Subject) -> Registration {
        Registration::of(&self.grant(subject), self.key_id, self.after.clone())
    }
}

pub(crate) async fn register(
    subject: &impl Subject,
    draft: &Draft,
) -> Result<Ticket, RegisterError> {
    let registration = draft.registration(subject);
    let seats = subject.store().register(&registration).await?;
    Ok(Ticket { stores: Some(seats), ..registration.ticket })
}

/// A registered grant, as its verifier presents it.
pub(crate) async fn issue_as(subject: &impl Subject, draft: Draft) -> Ticket {
    register(subject, &draft).await.unwrap()
}

pub(crate) async fn issue(subject: &impl Subject) -> Ticket {
    issue_as(subject, Draft::default()).await
}

/// A grant whose use attempt 1 has taken.
pub(crate) async fn issue_spent(subject: &impl Subject) -> Ticket {
    let ticket = issue(subject).await;
    spend(subject, &ticket, 1).await.unwrap();
    ticket
}

/// A grant that attempt 1 has spent and settled.
pub(crate) async fn issue_settled(subject: &impl Subject, outcome: Outcome) -> Ticket {
    let ticket = issue_spent(subject).await;
    settle(subject, &ticket, 1, outcome).await.unwrap();
    ticket
}

pub(crate) fn attempt(number: u32) -> Attempt {
    let mut bytes = [0; 16];
    bytes[..4].copy_from_slice(&number.to_be_bytes());
    Attempt::from_bytes(bytes)
}

pub(crate) async fn spend(
    subject: &impl Subject,
    ticket: &Ticket,
    claimant: u32,
) -> Result<Receipt, SpendError> {
    subject.spender().spend(ticket, &attempt(claimant)).await
}

pub(crate) async fn settle(
    subject: &impl Subject,
    ticket: &Ticket,
    claimant: u32,
    outcome: Outcome,
) -> Result<(), SettleError> {
    subject.spender().settle(ticket, &attempt(claimant), outcome).await
}

/// Revokes what is named, and says what was met where that is one grant.
pub(crate) async fn revoke(subject: &impl Subject, selector: &Selector) -> Option<Found> {
    let revocation = subject.store().revoke(selector).await.unwrap();
    assert!(revocation.reach.everywhere(), "{revocation:?}");
    revocation.found
}

pub(crate) async fn revoke_one(subject: &impl Subject, ticket: &Ticket) -> Found {
    revoke(subject, &Selector::Grant(ticket.grant)).await.unwrap()
}

pub(crate) fn agent(name: &str) -> Selector {
    Selector::Agent(Agent::parse(name).unwrap())
}

/// Each selector that names many, with a grant that it names. It does not name [`Draft::default`].
pub(crate) fn selections() -> [(Selector, Draft); 5] {
    let workflow = Workflow::parse("run-one").unwrap();
    let audience = Audience::parse("one-api").unwrap();
    let action = Action::parse("one.do").unwrap();
    let draft = Draft::default;
    [
        (agent("key:one"), Draft { agent: "key:one", ..draft() }),
        (Selector::Workflow(workflow), Draft { workflow: Some("run-one"), ..draft() }),
        (Selector::Audience(audience), Draft { audience: "one-api", ..draft() }),
        (Selector::Action(action), Draft { action: "one.do", ..draft() }),
        (Selector::Key(1), Draft { key_id: 1, ..draft() }),
    ]
}

pub(crate) fn seats(ticket: &Ticket) -> Seats {
    ticket.stores.clone().unwrap()
}

pub(crate) fn seat(ticket: &Ticket) -> Seat {
    seats(ticket).seats()[0].clone()
}

pub(crate) fn number(ticket: &Ticket) -> u64 {
    seat(ticket).sequence
}

/// The same grant, said to be registered elsewhere.
pub(crate) fn moved(ticket: &Ticket, change: impl FnOnce(&mut Seat)) -> Ticket {
    let mut seat = seat(ticket);
    change(&mut seat);
    Ticket { stores: Some(Seats::new(1, vec![seat]).unwrap()), ..ticket.clone() }
}

/// The one life of the store.
pub(crate) async fn living(subject: &impl Subject) -> LifeId {
    let journals = subject.store().journals().await.unwrap();
    let living: Vec<_> = journals.into_iter().filter(|journal| journal.living).collect();
    assert_eq!(living.len(), 1, "{living:?}");
    living[0].life.clone()
}

/// A place in the journal, behind which a test looks for what it did.
pub(crate) struct Tail {
    life: LifeId,
    number: u64,
}

/// The journal's end.
pub(crate) async fn tail(subject: &impl Subject) -> Tail {
    let mut tail = Tail { life: living(subject).await, number: 0 };
    tail.events(subject).await;
    tail
}

impl Tail {
    /// What has happened since, numbered without a gap.
    pub(crate) async fn events(&mut self, subject: &impl Subject) -> Vec<Event> {
        let mut events = Vec::new();
        loop {
            let more = subject.store().events(&self.life, self.number).await.unwrap();
            let Some(last) = more.last() else { return events };
            let numbers: Vec<u64> = more.iter().map(|event| event.number).collect();
            let dense: Vec<u64> = (self.number + 1..=last.number).collect();
            assert_eq!(numbers, dense, "a gap in the journal");
            self.number = last.number;
            events.extend(more);
        }
    }

    pub(crate) async fn fresh(&mut self, subject: &impl Subject) -> Vec<What> {
        self.events(subject).await.into_iter().map(|event| event.what).collect()
    }
}
