//! An issuer in a process of its own, with the policies that come with it, on a file or on a Redis.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use farebox::bench::{Keys, Plan, Target};
use farebox::client::{Client, InTheClear};
use farebox::store::redis::acl::Role;
use farebox_lab::{Fsync, Options, Redis};
use http::Method;
use serde_json::{Value, json};
use tempfile::TempDir;
use zeroize::Zeroizing;

/// One agent may have a million grants that are remembered; a long run mints more.
const AGENTS: usize = 8;
/// The servers listen on the loopback, and live for minutes.
const PASSWORD: &str = "only-for-benches";

/// What is done: one rule of the policies that come with farebox allows it to a role.
const ROLE: &str = "role=support";
const AUDIENCE: &str = "helpdesk";

fn wanted(ttl_seconds: u64) -> Value {
    json!({
        "action": "support.draft-reply", "resource": "ticket/1", "audience": AUDIENCE,
        "params": { "text": "We look into it." }, "ttl_seconds": ttl_seconds,
    })
}

/// A running issuer, and those who may ask it.
pub struct Issuer {
    process: Child,
    pub redis: Option<Redis>,
    folder: TempDir,
    address: String,
    target: Target,
    agents: Vec<Zeroizing<String>>,
    api: Zeroizing<String>,
}

impl Issuer {
    /// On the store in a file.
    pub fn on_file(program: &Path) -> Issuer {
        Issuer::start(program, None)
    }

    /// On a server of its own, set up as docs/operate.md says, with an append-only file that is synced each second.
    pub fn on_redis(program: &Path) -> Issuer {
        let roles = [Role::Issuer, Role::Verifier, Role::Deployer];
        let options = Options::plain().aof(Fsync::EverySecond).with("enable-debug-command", "no");
        let options = roles.into_iter().fold(options, |options, role| {
            options.user(&format!("{} {} >{PASSWORD}", role.user(), role.rules().join(" ")))
        });
        let redis = Redis::start(options);
        let deployer = Role::Deployer.user();
        let url = format!("r1=redis://{deployer}:{PASSWORD}@127.0.0.1:{}", redis.port());
        let loaded = Command::new(program).args(["store", "load", "--server", &url]).output();
        assert!(loaded.unwrap().status.success());
        Issuer::start(program, Some(redis))
    }

    fn start(program: &Path, redis: Option<Redis>) -> Issuer {
        let folder = tempfile::Builder::new().prefix("farebox-bench-").tempdir().unwrap();
        let config = folder.path().join("farebox.toml");
        fs::write(&config, configuration(folder.path(), redis.as_ref())).unwrap();
        let data = folder.path().join("data");
        let mut command = Command::new(program);
        command.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(&data);
        command.arg("--config").arg(&config).current_dir(folder.path());
        let log = File::create(folder.path().join("log")).unwrap();
        let mut process = command.stdout(Stdio::piped()).stderr(log).spawn().unwrap();
        let address = listening(&mut process);
        let new = |name: &str, flags: &[&str]| caller(program, &data, name, flags);
        let mint = ["--role", "mint", "--attribute", ROLE];
        let agents = (0..AGENTS).map(|n| new(&format!("agent-{n}"), &mint)).collect();
        let api = new("api", &["--role", "spend", "--spends-for", AUDIENCE]);
        // A caller is known within a second.
        thread::sleep(Duration::from_secs(2));
        let target = Target::new(&address, None, InTheClear::Here).unwrap();
        Issuer { process, redis, folder, address, target, agents, api }
    }

    /// What one of its agents asks for, by turns, and its API spends.
    pub fn plan(&self, turn: usize, ttl_seconds: u64, keys: Keys) -> Arc<Plan> {
        let agent = self.agents.get(turn % AGENTS).unwrap();
        let asked = (&wanted(ttl_seconds), keys);
        Arc::new(Plan::new(self.target.clone(), agent, Some(&self.api), asked).unwrap())
    }

    /// How many of its grants have ended unspent, as far as it remembers.
    pub async fn expired(&self) -> u64 {
        let key = fs::read_to_string(self.folder.path().join("data/api-key")).unwrap();
        let client = Client::new(&self.address, &Zeroizing::new(key), None, InTheClear::Here);
        let path = "/v1/grants?state=expired&limit=1";
        let reply = client.unwrap().ask(Method::GET, path, (None, None)).await.unwrap();
        reply.json.get("total").and_then(Value::as_u64).unwrap()
    }

    pub fn process_id(&self) -> u32 {
        self.process.id()
    }

    /// It, and the server that it is on.
    pub fn process_ids(&self) -> Vec<u32> {
        let redis = self.redis.as_ref().and_then(Redis::process_id);
        [Some(self.process_id()), redis].into_iter().flatten().collect()
    }

    /// Everything that it keeps.
    pub fn folder(&self) -> PathBuf {
        self.folder.path().to_owned()
    }
}

impl Drop for Issuer {
    fn drop(&mut self) {
        // Its folder goes with it: nobody needs it to end in good order.
        drop(self.process.kill().and_then(|()| self.process.wait()));
    }
}

/// Where a server says that it listens.
pub fn listening(process: &mut Child) -> String {
    let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
    let line = lines.find_map(|line| Some(line.unwrap().strip_prefix("listening ")?.to_owned()));
    // Whoever writes to a pipe that nobody reads is told so.
    thread::spawn(move || lines.for_each(drop));
    line.expect("a server that ended before it listened")
}

/// Rates are the only limit that is moved: a caller of the bench asks for as much as all agents of a house.
fn configuration(folder: &Path, redis: Option<&Redis>) -> String {
    let mut config = "[rates]\nmint_per_second = 1000000\nspend_per_second = 1000000\n".to_owned();
    if let Some(redis) = redis {
        let password = folder.join("password");
        let file = fs::OpenOptions::new().create_new(true).write(true).mode(0o600).open(&password);
        std::io::Write::write_all(&mut file.unwrap(), PASSWORD.as_bytes()).unwrap();
        let (password, port) = (password.display(), redis.port());
        config.push_str(&format!(
            "[store]\nkind = \"redis\"\n[store.issuer]\npassword_file = \"{password}\"\n\
             [store.spend]\npassword_file = \"{password}\"\n\
             [[store.servers]]\nname = \"r1\"\nurl = \"redis://127.0.0.1:{port}\"\n"
        ));
    }
    config
}

fn caller(program: &Path, data: &Path, name: &str, flags: &[&str]) -> Zeroizing<String> {
    let mut command = Command::new(program);
    command.args(["caller", "new", name, "--json", "--data"]).arg(data).args(flags);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    Zeroizing::new(said.get("key").and_then(Value::as_str).unwrap().to_owned())
}
