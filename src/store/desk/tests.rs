//! A desk with its file: whatever a test does is written, read back and applied, and at the end of each test
//! the file must come to the same desk.

mod blocks;
mod boots;
mod deciding;
mod holds;
mod hostile;
mod judge;
mod keys;
mod listing;
mod lives;
mod random;
mod replay;
mod sweeping;

use farebox_verifier::{
    Action, Agent, Audience, Generation, GrantId, PolicyHash, Resource, Scope, Selector, Shard,
    StoreName, Workflow,
};

use super::*;
use crate::store::LifeId;
use crate::store::budget::{BudgetKey, Hold, HoldId};
use crate::store::event::Description;
use crate::store::packed;

/// When every test begins.
const START: UnixSeconds = UnixSeconds(1_800_000_000);

/// A desk, its file and its events.
struct Office {
    desk: Desk,
    file: Vec<Vec<u8>>,
    events: Vec<DeskEvent>,
}

impl Office {
    fn open() -> Office {
        Office { desk: Desk::new(START), file: Vec::new(), events: Vec::new() }
    }

    /// Decides, appends and applies.
    fn does<T, E>(&mut self, decide: impl FnOnce(&Desk) -> Step<T, E>) -> Result<T, E> {
        let (change, answer) = decide(&self.desk);
        self.keeps(change);
        answer
    }

    /// The same, whatever the answer.
    fn tries<T, E>(&mut self, decide: impl FnOnce(&Desk) -> Step<T, E>) {
        let (change, _) = decide(&self.desk);
        self.keeps(change);
    }

    fn keeps(&mut self, change: Option<DeskChange>) {
        let Some(change) = change else { return };
        let entry = self.desk.entry(change);
        let line = entry.encode().unwrap();
        let read = packed::read::<DeskEntry>(&line[1..]).unwrap();
        assert!(read == entry, "{:?}", entry.event);
        self.desk.apply(&entry);
        self.file.push(line);
        self.events.push(entry.event);
    }

    fn passes(&mut self, seconds: u64) {
        self.desk.pass(self.desk.now().plus(seconds));
    }

    /// Puts in place of the file one that was carried over.
    fn rewrites(&mut self) {
        self.file = picture(&self.desk);
    }

    fn last(&self) -> &DeskWhat {
        &self.events.last().unwrap().what
    }
}

impl Drop for Office {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let mut desk = read_back(&self.file);
            desk.pass(self.desk.now());
            assert!(picture(&desk) == picture(&self.desk), "the file comes to another desk");
            assert_eq!(desk.request_counts(), self.desk.request_counts());
            assert_eq!(desk.queue.body_bytes(), self.desk.queue.body_bytes());
        }
    }
}

/// The desk that a file comes to.
fn read_back(file: &[Vec<u8>]) -> Desk {
    let mut replay = Replay::begin();
    file.iter().for_each(|line| drop(replay.take(line).unwrap()));
    let mut desk = replay.finish();
    desk.pass(START);
    desk
}

/// All that a desk would carry over, in bytes.
fn picture(desk: &Desk) -> Vec<Vec<u8>> {
    desk.snapshot().map(|carried| carried.encode().unwrap()).collect()
}

fn grant(n: u8) -> GrantId {
    GrantId::from_bytes([n; 16])
}

fn generation(n: u8) -> Generation {
    Generation::from_bytes([n; 16])
}

fn caller(name: &str) -> Caller {
    Caller::parse(name).unwrap()
}

fn owner(name: &str) -> Owner {
    Owner::parse(name).unwrap()
}

fn group(name: &str) -> Group {
    Group::parse(name).unwrap()
}

fn reason() -> Reason {
    Reason::parse("as agreed on the phone").unwrap()
}

fn agent(name: &str) -> Agent {
    Agent::parse(name).unwrap()
}

fn audience(name: &str) -> Audience {
    Audience::parse(name).unwrap()
}

fn store(name: &str) -> StoreName {
    StoreName::parse(name).unwrap()
}

/// An invoice that two of finance must approve, and one of audit.
fn proposal(n: u8) -> Proposal {
    let needs =
        vec![Need { group: group("finance"), count: 2 }, Need { group: group("audit"), count: 1 }];
    Proposal {
        grant: grant(n),
        requester: caller("key:orchestrator"),
        owner: owner("olivia"),
        agent: agent("spiffe://acme/agents/billing"),
        workflow: Some(Workflow::parse("acme/run-81").unwrap()),
        plan: None,
        audience: audience("erp"),
        action: Action::parse("erp.pay-invoice").unwrap(),
        resource: Resource::parse("invoice/inv-7").unwrap(),
        policy: PolicyHash::from_bytes([9; 32]),
        request: RequestHash([n; 32]),
        needs: Needs::new(needs).unwrap(),
        until: START.plus(3_600),
        body: Body::new(b"{\"amount\":480000}").unwrap(),
    }
}

/// A request at this place of the queue, for which nobody has decided.
pub(super) fn request(order: u64) -> Request {
    let mut id = [0xee; 16];
    id[..8].copy_from_slice(&order.to_be_bytes());
    Request {
        order,
        proposal: Proposal { grant: GrantId::from_bytes(id), ..proposal(0) },
        proposed_at: START,
        decisions: vec![],
        state: RequestState::Pending,
        changed_at: START,
        collected: None,
    }
}

/// `name` is both the identity and the person behind it.
fn says(name: &str, of: &str, verdict: Verdict) -> Decision {
    Decision {
        approver: caller(&format!("oidc:corp:{name}")),
        owner: owner(name),
        group: group(of),
        verdict,
        reason: reason(),
        signature: DecisionSignature::new(&[7; 64]).unwrap(),
    }
}

fn yes(name: &str, of: &str) -> Decision {
    says(name, of, Verdict::Approve)
}

fn no(name: &str, of: &str) -> Decision {
    says(name, of, Verdict::Refuse)
}

/// A request that everybody has approved.
fn approved(office: &mut Office, n: u8) -> GrantId {
    office.does(|desk| desk.propose(&proposal(n))).unwrap();
    for decision in [yes("ann", "finance"), yes("bob", "finance"), yes("cyd", "audit")] {
        office.does(|desk| desk.decide(grant(n), decision)).unwrap();
    }
    assert_eq!(office.desk.request(grant(n)).unwrap().state, RequestState::Approved);
    grant(n)
}

fn life_id(n: u8) -> LifeId {
    LifeId { store: store("r1"), shard: Shard::only(), generation: generation(n) }
}

fn secret() -> EventSecret {
    EventSecret::from_bytes([0x5e; 16])
}

fn description(n: u8) -> Description {
    let Proposal { agent, workflow, audience, action, resource, policy, .. } = proposal(n);
    let (grant, end) = (grant(n), START.plus(60));
    Description {
        grant,
        agent,
        workflow,
        audience,
        action,
        resource,
        policy,
        key_id: 17,
        end,
        after: vec![],
    }
}

/// A hold on the budget of this day.
fn hold(n: u8) -> Hold {
    let budget = BudgetKey::of("payments", "billing", 86_400);
    let from = UnixSeconds(START.0 - START.0 % 86_400);
    let caller = Scope::from_bytes([1; 8]);
    Hold {
        id: HoldId::of(grant(n), budget),
        budget,
        caller,
        amount: 480_000,
        from,
        to: from.plus(86_400),
    }
}
