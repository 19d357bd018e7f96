//! An API behind a gate, an issuer that mints for it, and a store that can be watched and broken.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use farebox::signer::{PrivateKey, Signer};
use farebox_verifier::gate::Gate;
use farebox_verifier::token::TokenText;
use farebox_verifier::{
    Action, Agent, Audience, Grant, GrantId, Issuer, KeyRing, Keys, ManualClock, Memory, Params,
    PolicyHash, Registered, Resource, UnixSeconds, Uses, Verifier, Window,
};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::http::{Call, Reply};
use super::store::Watched;

/// What the clock shows when a test begins.
pub(crate) const NOW: UnixSeconds = UnixSeconds(1_800_000_000);
/// Where most tests' route stands.
pub(crate) const TRANSFERS: &str = "/accounts/{id}/transfers";
/// The parameters of most tests.
pub(crate) const PARAMS: &str = r#"{"amount": 4000, "to": "acme"}"#;

/// An API that serves until it is dropped.
pub(crate) struct Api {
    pub(crate) address: SocketAddr,
    pub(crate) gate: Gate,
    pub(crate) store: Arc<Watched>,
    pub(crate) signer: Signer,
    _server: JoinSet<()>,
}

impl Api {
    /// Serves the routes that `routes` makes of a gate.
    pub(crate) async fn serve(routes: impl FnOnce(&Gate) -> Router) -> Api {
        Api::serve_with(|gate| gate, routes).await
    }

    /// The same, with a gate set up otherwise.
    pub(crate) async fn serve_with(
        set_up: impl FnOnce(Gate) -> Gate,
        routes: impl FnOnce(&Gate) -> Router,
    ) -> Api {
        // Older than the tokens, so that it has seen all that they could have been spent in.
        let clock = Arc::new(ManualClock::at(UnixSeconds(NOW.0 - 60)));
        let store = Arc::new(Watched::over(Memory::new(clock.clone())));
        clock.set(NOW);
        let signer = Signer::new(7, PrivateKey::from_seed([3; 32].into()).unwrap());
        let mut ring = KeyRing::default();
        ring.add_issuer(7, Issuer::Trusted(signer.public())).unwrap();
        let verifier = Verifier::new(Arc::new(Keys::new(ring)), Registered::Anyhow);
        let verifier = verifier.with_clock(clock.clone());
        let audience = Audience::parse("payments-api").unwrap();
        let gate = set_up(Gate::new(verifier, store.clone(), audience));
        let app = routes(&gate);
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut server = JoinSet::new();
        server.spawn(async move { axum::serve(listener, app).await.unwrap() });
        Api { address, gate, store, signer, _server: server }
    }

    /// The token of a grant.
    pub(crate) fn mint(&self, grant: &Grant) -> TokenText {
        self.signer.mint(grant).unwrap()
    }

    /// The token of a transfer with the parameters of most tests.
    pub(crate) fn token(&self) -> TokenText {
        self.mint(&grant(PARAMS))
    }

    /// Sends a call and reads the reply.
    pub(crate) async fn send(&self, call: Call) -> Reply {
        call.send(self.address).await
    }

    /// A transfer with the parameters of most tests.
    pub(crate) async fn transfer(&self, token: &TokenText) -> Reply {
        self.send(transfer(token)).await
    }
}

/// A transfer from account 42 with these parameters.
pub(crate) fn grant(params: &str) -> Grant {
    Grant {
        id: GrantId::fresh().unwrap(),
        action: Action::parse("payments.transfer").unwrap(),
        resource: Resource::parse("account/42").unwrap(),
        params: Params::parse(params.as_bytes()).unwrap().digest(),
        audience: Audience::parse("payments-api").unwrap(),
        window: Window::minted(NOW, 60).unwrap(),
        agent: Agent::parse("spiffe://acme/agents/billing").unwrap(),
        policy: PolicyHash::NONE,
        varies: Vec::new(),
        approval: None,
        stores: None,
        workflow: None,
        purpose: None,
        holder: None,
        uses: Uses::Once,
        caveats: Vec::new(),
    }
}

/// The call that a token of [`grant`] covers.
pub(crate) fn transfer(token: &TokenText) -> Call {
    Call::post("/accounts/42/transfers").bearer(token).json(PARAMS)
}

/// What a wait ends with, unless it takes so long that nothing will come.
pub(crate) async fn soon<T>(wait: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(30), wait).await.unwrap()
}
