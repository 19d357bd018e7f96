//! The gate: routes of axum that take a token's one use before they act, and report what came of it.
//!
//! ```text
//! request ─ read ─ token ─ verify ─ spend ─ run ─ settle ─ reply
//!           └ within limits, or 4xx ┘└ a task of its own ┘
//! ```
//!
//! ```
//! use axum::{Json, Router};
//! use farebox_verifier::gate::Gate;
//! # use std::sync::Arc;
//! # use farebox_verifier::{Audience, KeyRing, Keys, Memory, Registered, SystemClock, Verifier};
//! # #[derive(serde::Deserialize)] struct Transfer { amount: u64 }
//! # async fn transfer(_: Json<Transfer>) {}
//! # let store = Arc::new(Memory::new(Arc::new(SystemClock)));
//! # let verifier = Verifier::new(Arc::new(Keys::new(KeyRing::default())), Registered::Anyhow);
//! # let audience = Audience::parse("payments-api").unwrap();
//!
//! let gate = Gate::new(verifier, store, audience);
//! let transfers = gate.action("payments.transfer").on("account/{id}").json_as::<Transfer>().post(transfer);
//! let app: Router = Router::new().route("/accounts/{id}/transfers", transfers);
//! ```
//!
//! A route makes its `MethodRouter` itself. A layer put around one would also run for the methods that
//! the route does not answer, and use up the token for a 405.
//!
//! # What a handler may do
//! - **Nothing.** The grant is spent before it is called, and settles by what it returns: 2xx as succeeded,
//!   anything else as failed. A panic, a timeout and a stop settle as unknown.
//! - **Take the [`Spent`]**, and say with [`Spent::settle`] what a status cannot, or take the settling over
//!   with [`Spent::later`] for a job that ends after the reply.
//! - **Look first** ([`Route::look_first`]): take the [`Verified`], and spend it by [`Gate::spend`].
//!
//! A caller that hangs up stops nothing: from spend to settle the action runs in a task of its own, of which
//! [`Gate::stop`] awaits the end. Where the result is a stream that no output caveat speaks of, the action
//! ends when the stream begins.

mod arrival;
mod credentials;
mod events;
mod measure;
mod pass;
mod problem;
mod query;
mod result;
mod route;
mod run;
mod settling;
mod slot;
mod template;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use axum::response::{IntoResponse as _, Response};
use tokio::time::timeout;

use self::events::About;
use self::problem::Fault;
use self::settling::Tasks;
use crate::limits;
use crate::name::{Action, Audience};
use crate::passage::{Spent, Verified};
use crate::refusal::Refusal;
use crate::store::SpendStore;
use crate::verifier::Verifier;

pub use self::measure::Measures;
pub use self::problem::Problem;
pub use self::route::{ActionOn, Route};

/// A gate for the routes of one API. Clones are the same gate.
#[derive(Clone)]
pub struct Gate {
    verifier: Verifier,
    store: Arc<dyn SpendStore>,
    audience: Audience,
    problems: Arc<str>,
    deadlines: Deadlines,
    tasks: Tasks,
}

/// How long the store is awaited.
#[derive(Clone, Copy)]
struct Deadlines {
    spend: Duration,
    settle: Duration,
}

impl Gate {
    /// A gate of the API that `audience` names.
    #[must_use]
    pub fn new(verifier: Verifier, store: Arc<dyn SpendStore>, audience: Audience) -> Gate {
        let deadlines = Deadlines {
            spend: Duration::from_secs(limits::SPEND_SECONDS_MAX),
            settle: Duration::from_secs(limits::SETTLE_SECONDS_BEFORE_REPLY),
        };
        let (problems, tasks) = (Arc::from(""), Tasks::new());
        Gate { verifier, store, audience, problems, deadlines, tasks }
    }

    /// The same with `type`s of problems below this address: `https://farebox.example.com`. Routes made
    /// before this keep theirs.
    #[must_use]
    pub fn problems_at(self, base: &str) -> Gate {
        Gate { problems: base.trim_end_matches('/').into(), ..self }
    }

    /// The same with another time in which the store must take the use. Routes made before this keep theirs.
    #[must_use]
    pub fn spend_within(self, spend: Duration) -> Gate {
        Gate { deadlines: Deadlines { spend, ..self.deadlines }, ..self }
    }

    /// The same with another time for which a reply waits for its grant to be settled; after it, the settling
    /// goes on alone. Routes made before this keep theirs.
    #[must_use]
    pub fn settle_within(self, settle: Duration) -> Gate {
        Gate { deadlines: Deadlines { settle, ..self.deadlines }, ..self }
    }

    /// Begins a route for this action: `payments.transfer`.
    ///
    /// # Panics
    /// If the name is no action's.
    #[track_caller]
    pub fn action(&self, name: &str) -> ActionOn {
        match Action::parse(name) {
            Ok(action) => ActionOn { gate: self.clone(), action },
            #[expect(clippy::panic, reason = "a wrong route is found when the router is built")]
            Err(why) => panic!("{name:?} is no action: {why}"),
        }
    }

    /// Spends what a handler looked at first, within the gate's time for it. On a route of this gate the
    /// grant then settles by the reply, as if the gate had spent it. A handler that is cut off in the middle
    /// of this leaves it to the store, which ends what it had given as unknown.
    ///
    /// # Errors
    /// The [`Problem`] to reply with where the use was not taken, or nobody can tell.
    pub async fn spend(&self, verified: Verified) -> Result<Spent, Problem> {
        let about = About::grant(verified.grant());
        let spent = take(verified, &self.store, self.deadlines.spend).await;
        spent.map_err(|refusal| self.problem(&refusal.into(), &about))
    }

    /// Stops: refuses new actions, and waits until those that run have ended and are settled. What still runs
    /// after `deadline` is cut off and settled as unknown.
    pub async fn stop(&self, deadline: Duration) {
        self.tasks.stop(deadline, self.deadlines.settle).await;
    }

    fn problem(&self, fault: &Fault, about: &About) -> Problem {
        let problem = Problem::new(fault, &self.problems);
        events::ended(about, fault, &problem);
        problem
    }

    fn answer(&self, fault: &Fault, about: &About) -> Response {
        self.problem(fault, about).into_response()
    }
}

/// Takes the use, or gives up after a time: a store that hangs is a store that is down.
async fn take(
    verified: Verified,
    store: &Arc<dyn SpendStore>,
    within: Duration,
) -> Result<Spent, Refusal> {
    timeout(within, verified.spend(store)).await.unwrap_or(Err(Refusal::StoreDown))
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Gate({})", self.audience)
    }
}

impl fmt::Debug for ActionOn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ActionOn({})", self.action)
    }
}

impl fmt::Debug for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Route({})", self.action)
    }
}
