//! The demo's API: one route behind a gate, on a loopback port.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use farebox_verifier::gate::Gate;
use farebox_verifier::{
    Action, Agent, Audience, Clock as _, Grant, GrantId, Issuer, KeyRing, Keys, ManualClock,
    Memory, NameError, Params, PolicyHash, Registered, Resource, SystemClock, TokenText,
    UnixSeconds, Uses, Verifier, Window, limits,
};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use super::DemoError;
use crate::signer::{PrivateKey, Signer};

const KEY_ID: u32 = 1;
const AUDIENCE: &str = "payments-api";

/// The API, and the hands that the demo has in it.
pub(super) struct Api {
    pub(super) address: SocketAddr,
    pub(super) signer: Signer,
    pub(super) keys: Arc<Keys>,
    pub(super) clock: Arc<ManualClock>,
    /// How often the action ran.
    pub(super) ran: Arc<AtomicU32>,
    stop: oneshot::Sender<()>,
    server: JoinSet<std::io::Result<()>>,
}

impl Api {
    pub(super) async fn start() -> Result<Api, DemoError> {
        let signer = Signer::new(KEY_ID, PrivateKey::generate()?);
        let mut ring = KeyRing::default();
        let issuer = Issuer::Trusted(signer.public());
        ring.add_issuer(KEY_ID, issuer).or(Err(DemoError::Wrong("a key")))?;
        let keys = Arc::new(Keys::new(ring));
        let clock = Arc::new(ManualClock::at(SystemClock.now()));
        let store = Arc::new(Memory::new(Arc::clone(&clock) as _));
        // The memory store refuses what was valid before it began, and tokens are from before they are minted.
        clock.advance(limits::BACKDATE_SECONDS + 1);
        let verifier = Verifier::new(Arc::clone(&keys), Registered::Anyhow);
        let verifier = verifier.with_clock(Arc::clone(&clock) as _);
        let gate = Gate::new(verifier, store, name(Audience::parse(AUDIENCE))?);
        let ran = Arc::new(AtomicU32::new(0));
        let transfers = gate.action("payments.transfer").on("account/{id}").json().post(transfer);
        let app = Router::new().route("/accounts/{id}/transfers", transfers);
        let app = app.with_state(Arc::clone(&ran));

        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let (stop, stopped) = oneshot::channel::<()>();
        let mut server = JoinSet::new();
        server.spawn(async move {
            let stopped = async move {
                // Told, or left alone: either way it is over.
                drop(stopped.await);
                gate.stop(Duration::from_secs(5)).await;
            };
            axum::serve(listener, app).with_graceful_shutdown(stopped).await
        });
        Ok(Api { address, signer, keys, clock, ran, stop, server })
    }

    /// Stops, and waits for what runs.
    pub(super) async fn stop(self) {
        drop(self.stop);
        drop(self.server.join_all().await);
    }
}

/// The action. When this is called, the grant is spent.
async fn transfer(State(ran): State<Arc<AtomicU32>>) {
    ran.fetch_add(1, Ordering::SeqCst);
}

/// A grant of one transfer from account 42 with these parameters, for a minute from `now`.
pub(super) fn grant(now: UnixSeconds, params: &Params) -> Result<Grant, DemoError> {
    Ok(Grant {
        id: GrantId::fresh()?,
        action: name(Action::parse("payments.transfer"))?,
        resource: name(Resource::parse("account/42"))?,
        params: params.digest(),
        audience: name(Audience::parse(AUDIENCE))?,
        window: Window::minted(now, 60).or(Err(DemoError::Wrong("a window")))?,
        agent: name(Agent::parse("key:demo"))?,
        policy: PolicyHash::NONE,
        varies: Vec::new(),
        approval: None,
        stores: None,
        workflow: None,
        purpose: None,
        holder: None,
        uses: Uses::Once,
        caveats: Vec::new(),
    })
}

/// What stands in the header where there is no token.
pub(super) fn no_token() -> TokenText {
    TokenText::unread("")
}

fn name<T>(parsed: Result<T, NameError>) -> Result<T, DemoError> {
    parsed.or(Err(DemoError::Wrong("a name")))
}
