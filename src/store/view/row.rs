//! One grant in the view, as small as it can be kept.

use farebox_verifier::limits::SETTLE_SECONDS_MAX;
use farebox_verifier::{
    Action, Agent, Audience, GrantId, PolicyHash, Resource, UnixSeconds, Workflow,
};

use super::Standing;
use super::counts::{Counts, Named};
use super::names::{NameId, Names};
use crate::store::event::Description;
use crate::store::packed::{Packed, PackedError, Reader, Writer, fields};

/// The names that grants share, in the order in which a row keeps them.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Shared {
    Agent,
    Workflow,
    Audience,
    Action,
    Policy,
}

const SHARED: usize = 5;

#[derive(Clone)]
pub(crate) struct Row {
    grant: GrantId,
    shared: [NameId; SHARED],
    key_id: u32,
    end: Second,
    standing: Standing,
    registered_at: Second,
    /// When it was spent, revoked or expired.
    used_at: Second,
    /// When it was settled; of one that was revoked, when its own journal said that it is over.
    settled_at: Second,
    resource: Box<str>,
    after: Option<Box<[u64]>>,
}

fields!(Row {
    grant,
    shared,
    key_id,
    end,
    standing,
    registered_at,
    used_at,
    settled_at,
    resource,
    after
});
fields!(NameId { 0 });

impl Packed for [NameId; SHARED] {
    fn pack(&self, to: &mut Writer) {
        self.iter().for_each(|name| name.pack(to));
    }

    fn unpack(from: &mut Reader<'_>) -> Result<[NameId; SHARED], PackedError> {
        let [a, b, c, d, e] = std::array::from_fn(|_| NameId::unpack(from));
        Ok([a?, b?, c?, d?, e?])
    }
}
fields!(Second { 0 });

/// A second in four bytes, good until 2106; nought is "not yet".
#[derive(Clone, Copy, PartialEq, Eq)]
struct Second(u32);

impl Second {
    const NEVER: Second = Second(0);

    fn of(at: UnixSeconds) -> Second {
        Second(u32::try_from(at.0).unwrap_or(u32::MAX))
    }

    fn unix(self) -> UnixSeconds {
        UnixSeconds(self.0.into())
    }
}

impl Row {
    pub(super) fn new(names: &mut Names, at: UnixSeconds, grant: &Description) -> Row {
        let workflow = grant.workflow.as_ref().map_or("", Workflow::as_str);
        let shared = [
            names.keep(grant.agent.as_str()),
            names.keep(workflow),
            names.keep(grant.audience.as_str()),
            names.keep(grant.action.as_str()),
            names.keep(&grant.policy.to_string()),
        ];
        let row = Row {
            grant: grant.grant,
            shared,
            key_id: grant.key_id,
            end: Second::of(grant.end),
            standing: Standing::Issued,
            registered_at: Second::of(at),
            used_at: Second::NEVER,
            settled_at: Second::NEVER,
            resource: grant.resource.as_str().into(),
            after: (!grant.after.is_empty()).then(|| grant.after.clone().into()),
        };
        names.counts.add(&row);
        row
    }

    /// The same row where names have other numbers; nothing where one has none.
    pub(super) fn renamed(self, mut rename: impl FnMut(NameId) -> Option<NameId>) -> Option<Row> {
        let [agent, workflow, audience, action, policy] = self.shared;
        let shared = [
            rename(agent)?,
            rename(workflow)?,
            rename(audience)?,
            rename(action)?,
            rename(policy)?,
        ];
        Some(Row { shared, ..self })
    }

    pub(super) fn release(&self, names: &mut Names) {
        names.counts.remove(self);
        self.shared.iter().for_each(|name| names.release(*name));
    }

    pub(super) fn grant(&self) -> GrantId {
        self.grant
    }

    pub(super) fn name(&self, which: Shared) -> NameId {
        let [agent, workflow, audience, action, policy] = self.shared;
        match which {
            Shared::Agent => agent,
            Shared::Workflow => workflow,
            Shared::Audience => audience,
            Shared::Action => action,
            Shared::Policy => policy,
        }
    }

    pub(super) fn key_id(&self) -> u32 {
        self.key_id
    }

    pub(super) fn end(&self) -> UnixSeconds {
        self.end.unix()
    }

    pub(super) fn standing(&self) -> Standing {
        self.standing
    }

    pub(super) fn moves(&mut self, at: UnixSeconds, to: Standing, counts: &mut Counts) {
        // One that was revoked with many others, and whose own end was said now, was revoked.
        if (self.standing, to) == (Standing::Revoked, Standing::Expired) {
            self.over(at);
            return;
        }
        counts.moves(self, to);
        self.standing = to;
        match to {
            Standing::Settled(_) => self.settled_at = Second::of(at),
            Standing::Issued | Standing::Spent | Standing::Revoked | Standing::Expired => {
                self.used_at = Second::of(at);
            }
        }
    }

    /// Its own journal said that it is over.
    pub(super) fn over(&mut self, at: UnixSeconds) {
        self.settled_at = Second::of(at);
    }

    /// Whether its time is over, and nothing has said so of it alone.
    pub(super) fn due(&self, now: UnixSeconds) -> bool {
        match self.standing {
            Standing::Issued => self.end.unix() <= now,
            Standing::Spent => self.used_at.unix().plus(SETTLE_SECONDS_MAX) <= now,
            Standing::Revoked => self.settled_at == Second::NEVER && self.end.unix() <= now,
            Standing::Settled(_) | Standing::Expired => false,
        }
    }

    pub(super) fn history(&self) -> Vec<(UnixSeconds, Standing)> {
        let mut history = vec![(self.registered_at.unix(), Standing::Issued)];
        if self.used_at != Second::NEVER {
            let used = match self.standing {
                Standing::Settled(_) => Standing::Spent,
                standing => standing,
            };
            history.push((self.used_at.unix(), used));
        }
        if matches!(self.standing, Standing::Settled(_)) {
            history.push((self.settled_at.unix(), self.standing));
        }
        history
    }

    /// What was registered. Names that were parsed once are parsed again: an event brought them.
    pub(super) fn describe(&self, names: &Names) -> Option<Description> {
        let [agent, workflow, audience, action, policy] = self.shared.map(|name| names.text(name));
        Some(Description {
            grant: self.grant,
            agent: Agent::parse(agent).ok()?,
            workflow: (!workflow.is_empty()).then(|| Workflow::parse(workflow).ok()).flatten(),
            audience: Audience::parse(audience).ok()?,
            action: Action::parse(action).ok()?,
            resource: Resource::parse(&self.resource).ok()?,
            policy: PolicyHash::from_hex(policy)?,
            key_id: self.key_id,
            end: self.end.unix(),
            after: self.after.as_deref().unwrap_or_default().to_vec(),
        })
    }
}

/// What a filter asks of a row.
pub(super) struct Match {
    standing: Option<Standing>,
    grant: Option<GrantId>,
    key: Option<u32>,
    shared: [Option<NameId>; SHARED],
    /// Two of its selectors contradict each other.
    nothing: bool,
}

impl Match {
    pub(super) fn any(standing: Option<Standing>) -> Match {
        Match { standing, grant: None, key: None, shared: [None; SHARED], nothing: false }
    }

    pub(super) fn grant(&mut self, grant: GrantId) {
        self.nothing |= self.grant.replace(grant).is_some_and(|before| before != grant);
    }

    pub(super) fn key(&mut self, key: u32) {
        self.nothing |= self.key.replace(key).is_some_and(|before| before != key);
    }

    pub(super) fn shared(&mut self, which: Shared, name: NameId) {
        let [agent, workflow, audience, action, policy] = &mut self.shared;
        let place = match which {
            Shared::Agent => agent,
            Shared::Workflow => workflow,
            Shared::Audience => audience,
            Shared::Action => action,
            Shared::Policy => policy,
        };
        self.nothing |= place.replace(name).is_some_and(|before| before != name);
    }

    /// Whether these names are the row's.
    pub(super) fn names(&self, row: &Row) -> bool {
        !self.nothing
            && self.grant.is_none_or(|grant| grant == row.grant)
            && self.key.is_none_or(|key| key == row.key_id)
            && self.shared.iter().zip(&row.shared).all(|(want, has)| want.is_none_or(|w| w == *has))
    }

    /// What counts are kept of, where it asks for no more: all grants, or those of one name.
    pub(super) fn counted(&self, counts: &Counts) -> Option<u64> {
        if self.nothing {
            return Some(0);
        }
        let which =
            [Shared::Agent, Shared::Workflow, Shared::Audience, Shared::Action, Shared::Policy];
        let shared = which.into_iter().zip(self.shared);
        let shared = shared.filter_map(|(which, name)| Some(Named::Shared(which, name?)));
        let mut named = shared.chain(self.key.map(Named::Key));
        let first = named.next();
        let alone = self.grant.is_none() && named.next().is_none();
        let kept = !matches!(first, Some(Named::Shared(Shared::Workflow, _)));
        (alone && kept).then(|| counts.of(first, self.standing))
    }

    /// Whether it asks for grants that stand so.
    pub(super) fn stands(&self, standing: Standing) -> bool {
        self.standing.is_none_or(|wanted| wanted == standing)
    }
}
