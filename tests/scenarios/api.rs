//! The APIs that act: every action of the catalogue behind a gate, which embeds the verifier.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::{Json, Router};
use farebox::policy::Catalogue;
use farebox_verifier::gate::{Gate, Measures};
use farebox_verifier::{Audience, KeyRing, Keys, Registered, SpendStore, Verifier};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

/// What a handler brings back, and how often it ran.
#[derive(Clone, Default)]
pub(super) struct Backend(Arc<Mutex<Behind>>);

#[derive(Default)]
struct Behind {
    ran: u32,
    rows: i64,
    classification: String,
    fails: bool,
}

impl Backend {
    /// Every result from now on has so many rows of this class.
    pub(super) fn brings(&self, rows: i64, classification: &str) {
        let mut behind = self.0.lock().unwrap();
        behind.rows = rows;
        classification.clone_into(&mut behind.classification);
    }

    /// Whether actions fail from now on.
    pub(super) fn fails(&self, fails: bool) {
        self.0.lock().unwrap().fails = fails;
    }

    pub(super) fn ran(&self) -> u32 {
        self.0.lock().unwrap().ran
    }
}

/// The action. When this is called, the grant is spent.
async fn act(State(backend): State<Backend>) -> Response {
    let mut behind = backend.0.lock().unwrap();
    behind.ran += 1;
    if behind.fails {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    }
    let measures = Measures::new().number("rows", behind.rows).number("records", behind.rows);
    let measures = measures.text("classification", behind.classification.clone());
    (measures, Json(serde_json::json!({ "rows": behind.rows }))).into_response()
}

/// The running APIs.
pub(super) struct Apis {
    pub(super) address: SocketAddr,
    pub(super) backend: Backend,
    pub(super) keys: Arc<Keys>,
    stop: oneshot::Sender<()>,
    server: JoinSet<()>,
}

impl Apis {
    /// APIs for every action of a catalogue, which trust these keys and spend in this store.
    pub(super) async fn start(
        catalogue: &Catalogue,
        keys: KeyRing,
        store: Arc<dyn SpendStore>,
    ) -> Apis {
        let keys = Arc::new(Keys::new(keys));
        let mut gates: BTreeMap<String, Gate> = BTreeMap::new();
        let mut app = Router::new();
        for entry in catalogue.actions() {
            let audience = &entry.audiences[0];
            let gate = gates.entry(audience.clone()).or_insert_with(|| {
                let verifier = Verifier::new(Arc::clone(&keys), Registered::In(NonZeroUsize::MIN));
                Gate::new(verifier, Arc::clone(&store), Audience::parse(audience).unwrap())
            });
            let template = template(entry.resources[0].as_str());
            let route = gate.action(&entry.name).on(&template).json().post(act);
            app = app.route(&format!("/{audience}/{}/{template}", entry.name), route);
        }
        let backend = Backend::default();
        backend.brings(1, "internal");
        let app = app.with_state(backend.clone());
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let mut server = JoinSet::new();
        server.spawn(async move {
            let stopped = async move {
                drop(stopped.await);
                for gate in gates.into_values() {
                    gate.stop(Duration::from_secs(5)).await;
                }
            };
            axum::serve(listener, app).with_graceful_shutdown(stopped).await.unwrap();
        });
        Apis { address, backend, keys, stop, server }
    }

    pub(super) async fn stop(self) {
        drop(self.stop);
        drop(self.server.join_all().await);
    }
}

/// The resources of a catalogue, as a route of the gate names them.
fn template(pattern: &str) -> String {
    match pattern {
        "**" => "{kind}/{id}".to_owned(),
        pattern => pattern.replace('*', "{id}"),
    }
}
