//! An issuer in a process of its own, in a folder of its own, on a free port.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

#[path = "reply.rs"]
mod reply;

pub(super) use reply::Reply;

/// What the tests' agent may do.
pub(super) const POLICIES: &str = r#"
// small transfers: nobody is asked
allow if action("payments.transfer"), int("/amount", $a), $a <= 5000, ttl(60);

// an amount that is not known yet may vary below the same limit
allow if action("payments.transfer"), int_at_most("/amount", $a), $a <= 5000, vary("/amount");

// three refunds a day
allow if action("payments.refund"), agent($agent), budget("refunds", $agent, 1, 3, 86400);

// larger ones: two of finance
allow if action("payments.wire"), approval("finance", 2);

// steps of a workflow
allow if action("deploy.step"), workflow($w, $s);

deny if action("payments.transfer"), text("/to", "mallory");
"#;

/// Tests ask as fast as they can, and read what is answered rather than what is logged.
const CONFIG: &str = r#"
[rates]
mint_per_second = 10000
spend_per_second = 10000
other_per_second = 10000

[log]
level = "error"
"#;

/// A running issuer, and the administrator's key.
pub(super) struct Scene {
    folder: TempDir,
    process: Option<Child>,
    /// Held open, for whoever writes to a pipe that nobody reads is told so.
    said: Option<BufReader<ChildStdout>>,
    address: String,
    key: String,
    /// How many threads it has for everything that waits for nothing; nothing for as many as processors.
    threads: Option<&'static str>,
}

impl Scene {
    pub(super) fn new() -> Scene {
        Scene::with(POLICIES)
    }

    pub(super) fn with(policies: &str) -> Scene {
        Scene::configured(policies, "")
    }

    /// Of an issuer that runs in this process, with its data in this folder.
    pub(super) fn of(folder: TempDir, address: &str, key: &str) -> Scene {
        let (address, key) = (address.to_owned(), key.to_owned());
        Scene { folder, process: None, said: None, address, key, threads: None }
    }

    /// With more in its configuration.
    pub(super) fn configured(policies: &str, more: &str) -> Scene {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("policies")).unwrap();
        fs::write(folder.path().join("policies/all.datalog"), policies).unwrap();
        fs::write(folder.path().join("farebox.toml"), format!("{CONFIG}{more}")).unwrap();
        let (address, key) = (String::new(), String::new());
        let mut scene = Scene { folder, process: None, said: None, address, key, threads: None };
        scene.start();
        scene
    }

    /// Started again with one thread alone, so that whoever holds it up holds up all.
    pub(super) fn of_one_thread(mut self) -> Scene {
        self.stop();
        self.threads = Some("1");
        self.start();
        self
    }

    pub(super) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub(super) fn policies(&self) -> PathBuf {
        self.folder.path().join("policies")
    }

    pub(super) fn address(&self) -> &str {
        &self.address
    }

    pub(super) fn key(&self) -> &str {
        &self.key
    }

    /// Starts it, again where it was stopped.
    pub(super) fn start(&mut self) {
        let mut command = farebox();
        command.arg("serve").args(["--listen", "127.0.0.1:0"]);
        command.arg("--data").arg(self.data()).arg("--policies").arg(self.policies());
        command.arg("--config").arg(self.folder.path().join("farebox.toml"));
        command.envs(self.threads.map(|threads| ("TOKIO_WORKER_THREADS", threads)));
        let mut process = command.stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn().unwrap();
        let mut said = BufReader::new(process.stdout.take().unwrap());
        let mut line = String::new();
        loop {
            line.clear();
            assert!(said.read_line(&mut line).unwrap() > 0, "it ended before it listened");
            if let Some(address) = line.trim().strip_prefix("listening http://") {
                address.clone_into(&mut self.address);
                break;
            }
        }
        (self.process, self.said) = (Some(process), Some(said));
        fs::read_to_string(self.data().join("api-key")).unwrap().trim().clone_into(&mut self.key);
    }

    /// Stops it as an operator does, and waits until it has ended well.
    pub(super) fn stop(&mut self) {
        let mut process = self.process.take().unwrap();
        signal(&process, "TERM");
        assert!(process.wait().unwrap().success());
    }

    /// Stops it as a power cut does.
    pub(super) fn kill(&mut self) {
        let mut process = self.process.take().unwrap();
        process.kill().unwrap();
        process.wait().unwrap();
    }

    /// Kills it while others call; [`Scene::kill`] comes after.
    pub(super) fn kill_now(&self) {
        signal(self.process.as_ref().unwrap(), "KILL");
    }

    /// Lets no file of its grow beyond so many bytes.
    pub(super) fn limit_files(&self, bytes: u64) {
        let pid = self.process.as_ref().unwrap().id().to_string();
        let limit = format!("--fsize={bytes}:{bytes}");
        let limited = Command::new("prlimit").args(["--pid", &pid, &limit]).status();
        assert!(limited.unwrap().success());
    }

    /// How long the longest file is that it keeps.
    pub(super) fn largest_file(&self) -> u64 {
        let below = |folder: &Path| -> Vec<u64> {
            let entries =
                fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().metadata().unwrap());
            entries.filter(fs::Metadata::is_file).map(|metadata| metadata.len()).collect()
        };
        let all = [below(&self.data()), below(&self.data().join("record"))].concat();
        all.into_iter().max().unwrap()
    }

    pub(super) fn reload(&self) {
        signal(self.process.as_ref().unwrap(), "HUP");
    }

    /// Makes a caller, and gives its key once it is known.
    pub(super) fn caller(&self, name: &str, flags: &[&str]) -> String {
        let key = self.made(name, flags);
        self.knows(&key);
        key
    }

    /// Makes a caller, and gives its key. The issuer may not know it yet.
    pub(super) fn made(&self, name: &str, flags: &[&str]) -> String {
        let mut command = farebox();
        command.args(["caller", "new", name]).arg("--data").arg(self.data()).args(flags);
        let output = command.arg("--json").output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
        let json: Value = serde_json::from_str(&said).unwrap();
        json["key"].as_str().or(json["secret"].as_str()).unwrap().to_owned()
    }

    /// Waits until the issuer knows this key, within a second. Whoever asks too often before is taken for a guesser.
    pub(super) fn knows(&self, key: &str) {
        while [401, 429].contains(&self.call("GET", "/v1/grants", key, None).status) {
            std::thread::sleep(Duration::from_millis(300));
        }
    }

    /// Runs the program as this caller.
    pub(super) fn runs(&self, key: &str, arguments: &[&str]) -> std::process::Output {
        let file = self.folder.path().join("caller.key");
        fs::write(&file, key).unwrap();
        let mut command = farebox();
        command.env("FAREBOX_SERVER", format!("http://{}", self.address));
        command.env("FAREBOX_API_KEY_FILE", file).args(arguments).output().unwrap()
    }

    pub(super) fn admin(&self, method: &str, path: &str, body: Option<&Value>) -> Reply {
        self.call(method, path, &self.key, body)
    }

    pub(super) fn call(&self, method: &str, path: &str, key: &str, body: Option<&Value>) -> Reply {
        self.call_with(method, path, &[("authorization", &format!("Bearer {key}"))], body)
    }

    pub(super) fn call_with(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Reply {
        let mut head =
            format!("{method} {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n", self.address);
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        let body = body.map(Value::to_string).unwrap_or_default();
        if !body.is_empty() {
            head.push_str(&format!(
                "content-type: application/json\r\ncontent-length: {}\r\n",
                body.len()
            ));
        }
        self.send(format!("{head}\r\n{body}").as_bytes()).unwrap()
    }

    /// Calls where the issuer may die: nothing where it did.
    pub(super) fn try_call(
        &self,
        path: &str,
        key: &str,
        name: Option<&str>,
        body: &Value,
    ) -> Option<(u16, Value)> {
        let body = body.to_string();
        let name = name.map(|name| format!("idempotency-key: {name}\r\n")).unwrap_or_default();
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer {key}\r\n\
             {name}content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        let mut stream = TcpStream::connect(&self.address).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        stream.write_all(head.as_bytes()).ok()?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).ok()?;
        let reply = Reply::read(&String::from_utf8(answer).ok()?)?;
        Some((reply.status, serde_json::from_str(&reply.body).ok()?))
    }

    /// Sends bytes, and reads what comes until the other side closes; nothing where it says nothing.
    pub(super) fn send(&self, bytes: &[u8]) -> Option<Reply> {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        stream.write_all(bytes).ok()?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).ok()?;
        Reply::read(&String::from_utf8(answer).unwrap())
    }

    /// What an answer begins with that may have no end.
    pub(super) fn first_words(&self, path: &str, headers: &[(&str, &str)]) -> Reply {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        let mut head = format!("GET {path} HTTP/1.1\r\nhost: x\r\n");
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        stream.write_all(format!("{head}\r\n").as_bytes()).unwrap();
        let mut words = Vec::new();
        while !words.windows(4).any(|end| end == b"\r\n\r\n") {
            let mut some = [0; 1024];
            let read = stream.read(&mut some).unwrap();
            assert!(read > 0, "it hung up");
            words.extend_from_slice(&some[..read]);
        }
        let (head, body) =
            words.split_at(words.windows(4).position(|end| end == b"\r\n\r\n").unwrap());
        let head = String::from_utf8(head.to_vec()).unwrap();
        let body = String::from_utf8_lossy(body).trim().to_owned();
        Reply { status: head.split(' ').nth(1).unwrap().parse().unwrap(), head, body }
    }

    /// What whoever follows the record from its beginning hears within so many milliseconds of silence.
    pub(super) fn followed(&self, key: &str, silent_millis: u64) -> String {
        let mut stream = self.begun("/v1/record/stream?after=0", key);
        stream.set_read_timeout(Some(Duration::from_millis(silent_millis))).unwrap();
        let (mut heard, mut some) = (Vec::new(), [0; 16 << 10]);
        while let Ok(read) = stream.read(&mut some) {
            assert!(read > 0, "it hung up");
            heard.extend_from_slice(&some[..read]);
        }
        String::from_utf8_lossy(&heard).into_owned()
    }

    /// A call of which nothing is read yet.
    pub(super) fn begun(&self, path: &str, key: &str) -> TcpStream {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let head = format!("GET {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {key}\r\n\r\n");
        stream.write_all(head.as_bytes()).unwrap();
        stream
    }

    /// An agent that may mint, and an API that may spend for payments.
    pub(super) fn parties(&self) -> (String, String) {
        let agent = self.made("agent", &["--role", "mint"]);
        let api = self.made("api", &["--role", "spend", "--spends-for", "payments-api"]);
        self.knows(&agent);
        self.knows(&api);
        (agent, api)
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        if let Some(mut process) = self.process.take() {
            drop(process.kill());
            drop(process.wait());
        }
    }
}

pub(super) fn farebox() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_farebox"));
    command.env_clear().env("PATH", "/usr/bin:/bin");
    command
}

fn signal(process: &Child, name: &str) {
    let sent = Command::new("kill").args(["-s", name, &process.id().to_string()]).status();
    assert!(sent.unwrap().success());
}

/// Waits until it is so, for as long as a slow machine may need.
pub(super) fn until(mut so: impl FnMut() -> bool) {
    for _ in 0..600 {
        if so() {
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("it did not come to be so");
}

/// A transfer of so much.
pub(super) fn transfer(amount: u64) -> Value {
    json!({
        "action": "payments.transfer", "resource": "account/42", "audience": "payments-api",
        "params": { "amount": amount, "to": "acme" },
    })
}

/// The presentation of its token.
pub(super) fn presented(token: &str, amount: u64, attempt: &str) -> Value {
    let mut presented = transfer(amount);
    presented["token"] = json!(token);
    presented["attempt"] = json!(attempt);
    presented
}

/// The command line, against this folder.
pub(super) fn run(arguments: &[&str], data: &Path) -> (bool, String) {
    let output = farebox().args(arguments).arg("--data").arg(data).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    (output.status.success(), said + &String::from_utf8_lossy(&output.stderr))
}
