//! Plans: the steps of a workflow, put before people at once and approved at once. There is still one token for each
//! step, decided again and minted only when the steps before it have succeeded.
//!
//! ```text
//! { workflow, steps: [build, sign after build, publish after sign] }
//!     each decided as if the steps before it had succeeded ─→ each waits, by itself, for the people it needs
//!     collected one by one ─→ decided again, with what has really become of the steps before
//! ```
//! What is approved is each step as it is written: whoever wants anything else asks for that by itself.

use std::sync::Arc;

use farebox_verifier::params::json::{Json, Object};
use farebox_verifier::{GrantId, Outcome, Selector};

use super::asked::{named, put_before};
use super::predecessors::Before;
use super::{Issuer, Refused, Wanted, Word};
use crate::callers::Caller;
use crate::fields::{FieldError, Fields};
use crate::limits::{self, PLAN_STEPS_MAX};
use crate::policy::Predecessor;
use crate::store::desk::{Reason, Request, RequestFilter, RequestState};
use crate::store::view::Standing;

/// Steps that are proposed together, each with the id that it will have.
pub struct Plan {
    id: GrantId,
    steps: Vec<(GrantId, Wanted)>,
}

impl Plan {
    /// The plan that a caller proposes in these words.
    ///
    /// # Errors
    /// [`FieldError`] where it is none: a step comes after one that does not stand before it, say.
    pub fn read(caller: &Caller, object: &Object) -> Result<Plan, FieldError> {
        let mut fields = Fields::of(object);
        let workflow = fields.required_text("workflow")?.to_owned();
        let steps = match fields.json("steps") {
            Some(Json::List(steps)) if (1..=PLAN_STEPS_MAX).contains(&steps.len()) => steps,
            _ => {
                let what = format!("steps is not a list of 1 to {PLAN_STEPS_MAX} steps");
                return Err(FieldError::of(what));
            }
        };
        fields.end()?;
        let no_random = |_| FieldError::of("the system gives no random bytes");
        let mut plan = Plan { id: GrantId::fresh().map_err(no_random)?, steps: Vec::new() };
        for step in steps {
            let Json::Object(step) = step else {
                return Err(FieldError::of("a step is no object"));
            };
            let wanted = Wanted::read(caller, &plan.spelt_out(step, &workflow)?, None)?;
            if plan.find(step_name(step)?).is_some() {
                return Err(FieldError::of("two steps have one name"));
            }
            plan.steps.push((GrantId::fresh().map_err(no_random)?, wanted));
        }
        Ok(plan)
    }

    /// A step as a request of its own: in the plan's workflow, after grants instead of names.
    fn spelt_out(&self, step: &Object, workflow: &str) -> Result<Object, FieldError> {
        let text = |text: &str| Json::Text(text.into());
        let mut members = Vec::new();
        for member in step {
            let value = match member.name() {
                "workflow" => return Err(FieldError::of("the plan names the workflow")),
                "after" => self.ids(member.value())?,
                _ => member.value().clone(),
            };
            members.push((member.name().to_owned(), value));
        }
        members.push(("workflow".to_owned(), text(workflow)));
        Object::new(members).map_err(|error| FieldError::of(error.to_string()))
    }

    /// The ids of steps that stand before. A cycle would need one that does not.
    fn ids(&self, names: &Json) -> Result<Json, FieldError> {
        let wrong = || FieldError::of("after names no step that stands before it");
        let Json::List(names) = names else { return Err(wrong()) };
        let id = |name: &Json| match name {
            Json::Text(name) => self.find(name).map(|id| Json::Text(id.to_string().into())),
            _ => None,
        };
        let ids: Option<Vec<Json>> = names.iter().map(id).collect();
        ids.map(Json::List).ok_or_else(wrong)
    }

    fn find(&self, name: &str) -> Option<GrantId> {
        let is =
            |wanted: &Wanted| wanted.workflow.as_ref().is_some_and(|(_, s)| s.as_str() == name);
        self.steps.iter().find(|(_, wanted)| is(wanted)).map(|(id, _)| *id)
    }

    /// What comes before a step, as if it had succeeded.
    fn before(&self, wanted: &Wanted) -> Before {
        let seen = wanted.after.iter().filter_map(|id| {
            let (_, step) = self.steps.iter().find(|(known, _)| known == id)?;
            Some(Predecessor {
                action: step.action.as_str().to_owned(),
                resource: step.resource.as_str().to_owned(),
                step: step.workflow.as_ref().map_or("", |(_, step)| step.as_str()).to_owned(),
                state: Standing::Settled(Outcome::Succeeded).word().to_owned(),
            })
        });
        Before { seen: seen.collect(), after: Vec::new() }
    }
}

fn step_name(step: &Object) -> Result<&str, FieldError> {
    match step.get("step") {
        Some(Json::Text(name)) => Ok(name),
        _ => Err(FieldError::of("a step has no name")),
    }
}

impl Issuer {
    /// Puts all steps of a plan before people, or none.
    ///
    /// # Errors
    /// [`Refused`] where a step would not be allowed though all before it had succeeded.
    pub async fn propose_plan(
        self: &Arc<Self>,
        caller: Arc<Caller>,
        plan: Plan,
    ) -> Result<(GrantId, Vec<Request>), Refused> {
        self.tenants.learn(&caller, self.clock.now());
        let issuer = Arc::clone(self);
        let work = async move { issuer.propose_now(&caller, &plan).await };
        self.tasks.run(work).await.unwrap_or(Err(Refused::Internal { what: "a plan broke off" }))
    }

    async fn propose_now(
        &self,
        caller: &Caller,
        plan: &Plan,
    ) -> Result<(GrantId, Vec<Request>), Refused> {
        let mut allowed = Vec::with_capacity(plan.steps.len());
        for (id, wanted) in &plan.steps {
            let decided = self.decide_after(caller, wanted, plan.before(wanted)).await;
            // What could not be granted to anybody is not put before people.
            let decided = decided.and_then(|allowed| {
                self.bind(caller, wanted, &allowed, *id)?;
                put_before(wanted, &allowed).map(|_| allowed)
            });
            match decided {
                Ok(decided) => allowed.push(decided),
                Err(refused) => return Err(self.refused(caller, wanted, refused, None).await),
            }
        }
        let mut proposed = Vec::with_capacity(plan.steps.len());
        for ((id, wanted), allowed) in plan.steps.iter().zip(&allowed) {
            match self.propose((caller, wanted, allowed), *id, Some(plan.id)).await {
                Ok(request) => proposed.push(request),
                Err(refused) => {
                    self.give_back(caller, &proposed).await;
                    return Err(refused);
                }
            }
        }
        Ok((plan.id, proposed))
    }

    /// Takes back the first steps of a plan of which the others were not taken: nobody approves half of one.
    async fn give_back(&self, caller: &Caller, proposed: &[Request]) {
        let (Ok(by), Ok(reason)) = (named(caller), Reason::parse("the plan was not taken whole"))
        else {
            return;
        };
        for request in proposed {
            // What stays waits by itself, and ends when its time does.
            let (Ok(_) | Err(_)) =
                self.ledger.cancel(&Selector::Grant(request.proposal.grant), &by, &reason).await;
        }
    }

    /// The steps of a plan that a caller may see, in order; none where there is no such plan.
    #[must_use]
    pub fn steps_of(&self, caller: &Caller, plan: GrantId) -> Vec<Request> {
        let filter = RequestFilter { plan: Some(plan), ..RequestFilter::default() };
        let page = self.ledger.requests(&filter, 0, limits::PLAN_STEPS_MAX);
        page.items.into_iter().filter(|request| self.sees_request(caller, request)).collect()
    }

    /// What an approver says of every step that waits for its group. Asked again after it was cut off, it goes on.
    ///
    /// # Errors
    /// [`Refused`] where it does not count for one of them; it counts for those before.
    pub async fn say_to_all(
        self: &Arc<Self>,
        caller: &Arc<Caller>,
        plan: GrantId,
        word: &Word,
    ) -> Result<(), Refused> {
        for step in self.steps_of(caller, plan) {
            let missing = step.missing();
            let mut groups = missing.iter().map(|need| &need.group);
            let asked = groups.any(|group| {
                caller.groups.contains(group) && word.group.as_ref().is_none_or(|of| of == group)
            });
            let said = step
                .decisions
                .iter()
                .any(|decided| decided.decision.approver.as_str() == caller.name.as_str());
            if step.state == RequestState::Pending && asked && !said {
                self.say(Arc::clone(caller), step.proposal.grant, word.clone()).await?;
            }
        }
        Ok(())
    }

    /// Whether every step before this one has succeeded; each of them by the grant that its request came to.
    pub(super) async fn come_before(&self, wanted: &mut Wanted) -> Result<(), Refused> {
        for id in &mut wanted.after {
            if let Some(paid) = self.ledger.request(*id).and_then(|request| request.collected) {
                *id = paid;
            }
            let listed = self.store.read(*id).await;
            match listed.map(|listed| listed.standing) {
                Some(Standing::Settled(Outcome::Succeeded)) => {}
                None | Some(Standing::Issued | Standing::Spent) => {
                    let why = "a step before this one has not succeeded yet";
                    return Err(Refused::Predecessor { why });
                }
                Some(_) => {
                    let why = "a step before this one has not succeeded, and will not";
                    return Err(Refused::Predecessor { why });
                }
            }
        }
        Ok(())
    }
}
