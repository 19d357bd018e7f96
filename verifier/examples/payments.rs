//! A payments API behind a gate: what an API looks like that embeds the verifier.
//!
//! ```text
//! cargo run -p farebox-verifier --features tower --example payments -- ./keys 127.0.0.1:8430
//! ```
//!
//! It trusts the keys in `./keys/issuers`, and keeps its spent grants in memory: enough for one instance to
//! try. An API of several instances gives the gate a store that they share.
#![expect(clippy::print_stdout, reason = "whoever starts it reads where it listens")]

use std::error::Error;
use std::path::Path as FilePath;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::{Path, State};
use axum::{Json, Router};
use farebox_verifier::gate::{Gate, Measures};
use farebox_verifier::{Audience, KeyRing, Keys, Memory, Registered, Spent, SystemClock, Verifier};
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

/// How long a stop waits for actions that run.
const STOP: Duration = Duration::from_secs(20);

/// A transfer, as it is asked for. Money is an integer of the smallest unit.
#[derive(Clone, Serialize, Deserialize)]
struct Transfer {
    amount: u64,
    to: String,
}

/// A transfer, as it was made.
#[derive(Clone, Serialize)]
struct Entry {
    account: String,
    grant: String,
    #[serde(flatten)]
    transfer: Transfer,
}

type Ledger = Arc<Mutex<Vec<Entry>>>;

/// Makes a transfer. When this is called, the grant is spent: it is called once.
async fn transfer(
    State(ledger): State<Ledger>,
    Path(account): Path<String>,
    spent: Spent,
    Json(transfer): Json<Transfer>,
) -> Json<Entry> {
    let entry = Entry { account, grant: spent.grant().id.to_string(), transfer };
    ledger.lock().unwrap_or_else(PoisonError::into_inner).push(entry.clone());
    Json(entry)
}

/// Lists an account's transfers. A token may say how many rows it lets out, and of which classification.
async fn report(
    State(ledger): State<Ledger>,
    Path(account): Path<String>,
) -> (Measures, Json<Vec<Entry>>) {
    let ledger = ledger.lock().unwrap_or_else(PoisonError::into_inner);
    let rows: Vec<_> = ledger.iter().filter(|entry| entry.account == account).cloned().collect();
    let count = i64::try_from(rows.len()).unwrap_or(i64::MAX);
    (Measures::new().number("rows", count).text("classification", "internal"), Json(rows))
}

fn app(gate: &Gate) -> Router {
    let account = |action| gate.action(action).on("account/{id}");
    let transfers = account("payments.transfer").json_as::<Transfer>().post(transfer);
    let reports = account("payments.report").get(report);
    Router::new()
        .route("/accounts/{id}/transfers", transfers)
        .route("/accounts/{id}/report", reports)
        .with_state(Ledger::default())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    let mut arguments = std::env::args().skip(1);
    let keys = arguments.next().unwrap_or_else(|| "keys".to_owned());
    let address = arguments.next().unwrap_or_else(|| "127.0.0.1:8430".to_owned());

    let keys = Arc::new(Keys::new(KeyRing::load(FilePath::new(&keys))?));
    let store = Arc::new(Memory::new(Arc::new(SystemClock)));
    let verifier = Verifier::new(keys, Registered::Anyhow);
    let gate = Gate::new(verifier, store, Audience::parse("payments-api")?);

    let listener = TcpListener::bind(address).await?;
    println!("listening http://{}", listener.local_addr()?);
    axum::serve(listener, app(&gate)).with_graceful_shutdown(stopped(gate)).await?;
    Ok(())
}

/// Ends when this process was told to stop and its actions have ended. Until then connections stay open,
/// for the replies of those that run; new actions are refused.
async fn stopped(gate: Gate) {
    let terminated = async {
        match signal(SignalKind::terminate()) {
            Ok(mut signal) => drop(signal.recv().await),
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = terminated => {}
    }
    gate.stop(STOP).await;
}
