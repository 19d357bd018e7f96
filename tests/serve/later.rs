//! What is asked again much later: an issuer whose clock is moved.

use std::fs;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use farebox::http::{Limits, Patience, Rate};
use farebox::issuer::Parameters;
use farebox::limits;
use farebox::policy::Zone;
use farebox::record::{Chain, Options};
use farebox::serve::{Running, Settings, StoreSettings};
use farebox::steady::Clocks;
use farebox_verifier::{Clock as _, ManualClock, SystemClock};
use serde_json::json;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use super::scene::{POLICIES, Reply, Scene, presented, transfer, until};

/// As far as a store lets its clock step.
const STEP_SECONDS: u64 = 240;
const HOUR: u64 = 3_600;

/// An issuer in this process.
struct Place {
    runtime: Runtime,
    running: Option<Running>,
    clock: Arc<ManualClock>,
    scene: Scene,
}

fn settings(folder: &TempDir) -> Settings {
    let plenty = Rate { per_second: 10_000, burst: 10_000 };
    let patience = Duration::from_secs(10);
    let data = folder.path().join("data");
    Settings {
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        policies: Some(folder.path().join("policies")),
        public_url: None,
        keys: data.join("keys"),
        data,
        certificate: None,
        store: StoreSettings::Embedded,
        callers: farebox::callers::Settings::default(),
        limits: Limits {
            mint: plenty,
            spend: plenty,
            other: plenty,
            unknown: plenty,
            body: patience,
            body_bytes: limits::MINT_BODY_BYTES_MAX,
            list_items: limits::LIST_MAX,
        },
        patience: Patience {
            connections: 100,
            head_bytes: limits::HEAD_BYTES_MAX,
            head: patience,
            stop: patience,
        },
        record: Options::of(Chain::parse("later").unwrap()),
        parameters: Parameters::Full,
        ttl_seconds: 60,
        ttl_seconds_max: HOUR,
        approval_seconds: farebox::limits::APPROVAL_SECONDS,
        passphrase: None,
        zone: Zone::utc(),
    }
}

impl Place {
    fn new() -> Place {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("policies")).unwrap();
        fs::write(folder.path().join("policies/all.datalog"), POLICIES).unwrap();
        let (runtime, clock) = (Runtime::new().unwrap(), ManualClock::at(SystemClock.now()));
        let clock = Arc::new(clock);
        let started = Running::start(settings(&folder), Clocks::same(Arc::clone(&clock) as _));
        let running = runtime.block_on(started).unwrap();
        let key = running.first_key().unwrap().to_owned();
        let scene = Scene::of(folder, &running.address().to_string(), &key);
        Place { runtime, running: Some(running), clock, scene }
    }

    /// Time passes, in steps that a store lives through.
    fn pass(&self, seconds: u64) {
        let mut left = seconds;
        while left > 0 {
            let step = left.min(STEP_SECONDS);
            self.clock.advance(step);
            assert_eq!(self.scene.admin("GET", "/v1/grants?limit=1", None).status, 200);
            left -= step;
        }
    }

    fn ask(&self, key: &str) -> Reply {
        let bearer = format!("Bearer {}", self.scene.key());
        let headers = [("authorization", bearer.as_str()), ("idempotency-key", key)];
        self.scene.call_with("POST", "/v1/grants", &headers, Some(&transfer(7)))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            self.runtime.block_on(running.stop());
        }
    }
}

#[test]
fn a_key_gives_no_second_token_for_as_long_as_it_is_remembered() {
    let place = Place::new();
    let first = place.ask("k-1");
    assert_eq!(first.status, 201, "{}", first.body);
    place.pass(30);
    assert_eq!(place.ask("k-1").json(), first.json());
    let mut passed = 30;
    // While the store shows the grant, after it has forgotten it, when no key may pass on any more, and to the end.
    let hours = (2..24).map(|hour| hour * HOUR);
    let last = limits::KEY_KEPT_SECONDS - 60;
    for at in
        [60, 90, 20 * 60, HOUR, HOUR + 60, HOUR + 20 * 60].into_iter().chain(hours).chain([last])
    {
        place.pass(at - passed);
        passed = at;
        let again = place.ask("k-1");
        assert_ne!(again.status, 201, "after {at} s: {}", again.body);
        assert_eq!(again.text("token"), "", "after {at} s");
        let known = again.text("grant") == first.text("grant");
        assert!(known || again.code() == "idempotency-conflict", "after {at} s: {}", again.body);
    }
    // Then it is forgotten, as the documentation says, and another request may have it.
    place.pass(180);
    let fresh = place.ask("k-1");
    assert_eq!(fresh.status, 201, "{}", fresh.body);
    assert_ne!(fresh.text("grant"), first.text("grant"));
}

#[test]
fn a_use_that_nobody_settles_is_counted_when_its_time_is_over() {
    let place = Place::new();
    let scene = &place.scene;
    let api = scene.caller("api", &["--role", "spend", "--spends-for", "payments-api"]);
    let token = place.ask("k-1").text("token");
    let body = presented(&token, 7, "a");
    assert_eq!(scene.call("POST", "/v1/spend", &api, Some(&body)).status, 200);
    let counted = |count: u64| {
        let numbers = scene.call_with("GET", "/metrics", &[], None).body;
        numbers.contains(&format!("\nfarebox_unsettled_grants_total {count}\n"))
    };
    assert!(counted(0));
    place.pass(farebox_verifier::limits::SETTLE_SECONDS_MAX + 60);
    until(|| counted(1));
    let shown = scene.admin("GET", "/v1/grants?state=unknown", None).json();
    assert_eq!(shown["total"], json!(1), "{shown}");
}
