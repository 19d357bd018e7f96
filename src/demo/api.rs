//! The demo's API: one route behind a gate, on a loopback port.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use farebox_verifier::gate::Gate;
use farebox_verifier::{
    Audience, KeyRing, Keys, ManualClock, NameError, Registered, SpendStore, TokenText, Verifier,
};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use super::DemoError;

/// The name by which tokens are for this API.
pub(super) const AUDIENCE: &str = "payments-api";

/// The API, and the hands that the demo has in it.
pub(super) struct Api {
    pub(super) address: SocketAddr,
    /// How often the action ran.
    pub(super) ran: Arc<AtomicU32>,
    stop: oneshot::Sender<()>,
    server: JoinSet<std::io::Result<()>>,
}

impl Api {
    /// An API that trusts these keys and spends in this store.
    pub(super) async fn start(
        keys: KeyRing,
        store: Arc<dyn SpendStore>,
        clock: Arc<ManualClock>,
        ran: Arc<AtomicU32>,
    ) -> Result<Api, DemoError> {
        let verifier = Verifier::new(Arc::new(Keys::new(keys)), Registered::In(NonZeroUsize::MIN));
        let verifier = verifier.with_clock(clock as _);
        let gate = Gate::new(verifier, store, name(Audience::parse(AUDIENCE))?);
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
        Ok(Api { address, ran, stop, server })
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

/// What stands in the header where there is no token.
pub(super) fn no_token() -> TokenText {
    TokenText::unread("")
}

fn name<T>(parsed: Result<T, NameError>) -> Result<T, DemoError> {
    parsed.or(Err(DemoError::Wrong("a name")))
}
