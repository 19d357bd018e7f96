//! Servers with the users and the library that an operator gives them, and an issuer on them.

use std::fs;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use farebox::store::redis::acl::Role;
use farebox_lab::{Fsync, Options, Redis};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::fleet::{PASSWORD, name, with_roles};
use crate::scene::{POLICIES, Reply, Scene, farebox, presented, run, transfer};

/// How long a server may take before nobody waits for it any more, in these tests.
pub(super) const DEADLINE: Duration = Duration::from_secs(2);

/// An issuer, the servers that it is on, and those who call it.
pub(super) struct Ground {
    pub(super) issuer: Scene,
    pub(super) servers: Vec<Redis>,
    pub(super) agent: String,
    pub(super) api: String,
    _passwords: TempDir,
}

impl Ground {
    /// An issuer on so many servers that stand to each other like this.
    pub(super) fn new(topology: &str, count: usize) -> Ground {
        let servers = std::thread::scope(|scope| {
            let starting: Vec<_> = (0..count).map(|_| scope.spawn(server)).collect();
            starting.into_iter().map(|server| server.join().unwrap()).collect::<Vec<_>>()
        });
        let passwords = tempfile::tempdir().unwrap();
        let config = config(topology, &servers, &password_file(passwords.path()));
        let issuer = Scene::configured(POLICIES, &config);
        let (agent, api) = issuer.parties();
        Ground { issuer, servers, agent, api, _passwords: passwords }
    }

    /// A grant for a transfer of so much, asked for under this name where there is one.
    pub(super) fn ask(&self, key: Option<&str>, amount: u64) -> Reply {
        self.ask_for(key, &transfer(amount))
    }

    pub(super) fn ask_for(&self, key: Option<&str>, body: &Value) -> Reply {
        let bearer = format!("Bearer {}", self.agent);
        let mut headers = vec![("authorization", bearer.as_str())];
        headers.extend(key.map(|key| ("idempotency-key", key)));
        self.issuer.call_with("POST", "/v1/grants", &headers, Some(body))
    }

    /// A grant's id and its token.
    pub(super) fn mint(&self) -> (String, String) {
        let minted = self.ask(None, 7);
        assert_eq!(minted.status, 201, "{}", minted.body);
        (minted.text("grant"), minted.text("token"))
    }

    pub(super) fn spend(&self, token: &str, attempt: &str) -> Reply {
        let body = presented(token, 7, attempt);
        self.issuer.call("POST", "/v1/spend", &self.api, Some(&body))
    }

    /// What came of a use: `spent`, `repeat`, or why not.
    pub(super) fn spent(&self, token: &str, attempt: &str) -> String {
        let reply = self.spend(token, attempt);
        match reply.status {
            200 if reply.json()["repeat"] == json!(true) => "repeat".to_owned(),
            200 => "spent".to_owned(),
            _ => reply.code(),
        }
    }

    /// The same, asked again by the same attempt until the store answers: its links rest after a failure.
    pub(super) fn spent_at_last(&self, token: &str, attempt: &str) -> String {
        let mut came = String::new();
        crate::scene::until(|| {
            came = self.spent(token, attempt);
            came != "store-down"
        });
        came
    }

    pub(super) fn settle(&self, grant: &str, attempt: &str, outcome: &str) -> Reply {
        let body = json!({ "attempt": attempt, "outcome": outcome });
        let path = format!("/v1/grants/{grant}/settle");
        self.issuer.call("POST", &path, &self.api, Some(&body))
    }

    /// What came of one more refund; three a day may be had.
    pub(super) fn refund(&self) -> String {
        let refund = json!({
            "action": "payments.refund", "resource": "order/1", "audience": "payments-api",
        });
        let reply = self.ask_for(None, &refund);
        if reply.status == 201 { "granted".to_owned() } else { reply.code() }
    }

    pub(super) fn revoke_agent(&self) -> Value {
        let body = json!({ "by": "agent", "value": "key:agent", "reason": "a test" });
        let revoked = self.issuer.admin("POST", "/v1/revocations", Some(&body));
        assert_eq!(revoked.status, 200, "{}", revoked.body);
        revoked.json()
    }

    pub(super) fn ready(&self) -> Reply {
        self.issuer.call_with("GET", "/readyz", &[], None)
    }

    /// Proves the record as anybody can who has the public keys.
    pub(super) fn record_is_whole(&self) {
        let keys = self.issuer.data().join("keys");
        let verify = ["record", "verify", "--keys", keys.to_str().unwrap()];
        let (good, said) = run(&verify, &self.issuer.data());
        assert!(good, "{said}");
    }

    /// The ids of grants that the record has an entry of this kind about, in its order.
    pub(super) fn recorded(&self, kind: &str) -> Vec<String> {
        let export = self.issuer.admin("GET", "/v1/record/export", None).body;
        let entries = export.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let about = entries.filter(|entry| entry["kind"] == json!(kind));
        about.map(|entry| entry["grant"].as_str().unwrap_or_default().to_owned()).collect()
    }

    /// Waits until grants are given out again, and says how long that took.
    pub(super) fn recovers(&self) -> Duration {
        let began = Instant::now();
        crate::scene::until(|| self.ask(None, 7).status == 201);
        began.elapsed()
    }
}

/// A server that keeps on disk whatever it acknowledged: not even that lets it take up an old life.
fn server() -> Redis {
    let redis = Redis::start(with_roles(Options::plain().aof(Fsync::Always)));
    let url = format!("r1=redis://{}:{PASSWORD}@127.0.0.1:{}", Role::Deployer.user(), redis.port());
    let loaded = farebox().args(["store", "load", "--server", &url]).output().unwrap();
    assert!(loaded.status.success(), "{}", String::from_utf8_lossy(&loaded.stderr));
    redis
}

fn password_file(folder: &Path) -> PathBuf {
    let path = folder.join("password");
    let file = fs::OpenOptions::new().create_new(true).write(true).mode(0o600).open(&path);
    std::io::Write::write_all(&mut file.unwrap(), PASSWORD.as_bytes()).unwrap();
    path
}

fn config(topology: &str, servers: &[Redis], password: &Path) -> String {
    let (password, seconds) = (password.display(), DEADLINE.as_secs());
    let mut config = format!(
        "[deadlines]\nstore_seconds = {seconds}\n[store]\nkind = \"redis\"\ntopology = \"{topology}\"\n\
         [store.issuer]\npassword_file = \"{password}\"\n[store.spend]\npassword_file = \"{password}\"\n"
    );
    for (place, server) in servers.iter().enumerate() {
        let (name, port) = (name(place), server.port());
        config.push_str(&format!(
            "[[store.servers]]\nname = \"{name}\"\nurl = \"redis://127.0.0.1:{port}\"\n"
        ));
    }
    config
}
