//! A real server of its own for each test, on a free port, killed when the test is over.

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::thread;

use farebox_verifier::redis::Link;

use super::folder::Folder;
use super::world::{LIBRARY, PATIENT, link};

pub(crate) struct Server {
    process: Child,
    port: u16,
    settings: Vec<String>,
    folder: Folder,
}

impl Server {
    /// A server with the library of these tests, and without a password.
    pub(crate) async fn start() -> Server {
        let server = Server::bare(&["--port", "{port}"]);
        server.load(&link(server.port, PATIENT)).await;
        server
    }

    /// A server with these settings, in which `{port}` stands for its port.
    pub(crate) fn bare(settings: &[&str]) -> Server {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let put = |setting: &&str| setting.replace("{port}", &port.to_string());
        let settings: Vec<String> = settings.iter().map(put).collect();
        let folder = Folder::new();
        Server { process: run(&settings, &folder), port, settings, folder }
    }

    pub(crate) async fn load(&self, link: &Link) {
        link.command("FUNCTION", &[b"LOAD", LIBRARY.as_bytes()]).await.unwrap();
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn link(&self) -> Link {
        link(self.port, PATIENT)
    }

    /// Stops it where it stands: its port takes connections, and nobody answers.
    pub(crate) fn freeze(&self) {
        self.signal("-STOP");
    }

    pub(crate) fn thaw(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        let id = self.process.id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
    }

    /// Ends it as a power cut would.
    pub(crate) fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// Starts it again on the same port, without what it knew.
    pub(crate) async fn restart(&mut self) {
        self.process = run(&self.settings, &self.folder);
        self.load(&self.link()).await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Also one that is frozen; one that was killed is killed no further.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// Runs a server, and returns when it takes connections.
fn run(settings: &[String], folder: &Folder) -> Child {
    #[expect(clippy::disallowed_methods, reason = "which server is tested, the environment says")]
    let binary = std::env::var("FAREBOX_REDIS_BIN").unwrap_or_else(|_| "redis-server".to_owned());
    let mut process = Command::new(binary)
        .args(["--save", "", "--appendonly", "no", "--bind", "127.0.0.1"])
        .args(settings)
        .current_dir(folder.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
    let mut said = String::new();
    let ready = lines.by_ref().map_while(Result::ok).any(|line| {
        said += &format!("{line}\n");
        line.contains("Ready to accept connections")
    });
    if !ready {
        drop(process.wait());
        panic!("the server did not start:\n{said}");
    }
    // It stops when it can no longer say what it does.
    thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
    process
}
