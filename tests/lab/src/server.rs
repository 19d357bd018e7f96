//! A real Redis, or Valkey, on a port of its own.

use std::env;
use std::fs::{self, File};
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use rustix::process::Signal;

use crate::authority::Authority;
use crate::clock::ServerClock;
use crate::connection::Connection;
use crate::folder::Folder;
use crate::options::{Callers, Options};
use crate::port;
use crate::power::{Lost, Power};
use crate::process::Process;
use crate::reply::Reply;
use crate::report::field;
use crate::until::{PATIENCE, comes};

/// The laboratory's own user, whom no test's rules take anything from.
const LAB: &str = "farebox-lab";

/// A port that was free may be taken before the server has it.
const STARTS: usize = 5;

/// A server. It may be used from several threads, and mistreated by one while others use it.
#[derive(Debug)]
pub struct Redis {
    // In the order in which they end: the process before its files.
    process: Mutex<Option<Process>>,
    options: Options,
    port: u16,
    tls_port: u16,
    authority: Option<Authority>,
    clock: Option<ServerClock>,
    power: Option<Power>,
    folder: Folder,
}

impl Redis {
    /// Starts a server and waits until it answers.
    ///
    /// # Panics
    /// Where it does not, with its log.
    #[must_use]
    pub fn start(options: Options) -> Redis {
        let folder = Folder::new();
        let redis = Redis {
            process: Mutex::new(None),
            authority: options.tls.map(|_| Authority::new()),
            clock: options.clock.then(|| ServerClock::new(folder.path())),
            power: options.power.then(|| Power::new(folder.path())),
            options,
            port: 0,
            tls_port: 0,
            folder,
        };
        redis.first_start()
    }

    fn first_start(mut self) -> Redis {
        for _ in 0..STARTS {
            (self.port, self.tls_port) = (port::free(), port::free());
            match self.launch() {
                Ok(()) => return self,
                Err(why) if why.contains("Address already in use") => {}
                Err(why) => panic!("{why}"),
            }
        }
        panic!("no port was free for long enough, {STARTS} times")
    }

    /// Starts again what was killed, stopped or is still there: same files, same port, and the settings that
    /// it was started with. It follows nobody whom it was told to follow later.
    ///
    /// # Panics
    /// Where it does not answer, with its log.
    pub fn restart(&self) {
        self.kill();
        self.launch().unwrap_or_else(|why| panic!("{why}"));
    }

    fn launch(&self) -> Result<(), String> {
        fs::write(self.folder.file("redis.conf"), self.settings()).unwrap();
        let log = File::options().create(true).append(true).open(self.folder.file("log")).unwrap();
        let before = self.log().len();
        let mut command = Command::new(binary());
        command.arg(self.folder.file("redis.conf"));
        command.stdout(log.try_clone().unwrap()).stderr(log);
        if let Some(clock) = &self.clock {
            clock.stand_before(&mut command);
        }
        if let Some(power) = &self.power {
            power.stand_before(&mut command);
        }
        let mut process = Process::spawn(&mut command, self.folder.path())
            .map_err(|e| format!("{} does not start: {e}", binary().display()))?;
        let mut ended = None;
        let came = comes(|| {
            ended = process.ended();
            ended.is_some() || self.answers_as(process.id())
        });
        let why = match (came, ended) {
            (Some(_), None) => {
                *self.process() = Some(process);
                return Ok(());
            }
            (_, Some(status)) => status.to_string(),
            (None, None) => format!("no answer in {PATIENCE:?}"),
        };
        Err(format!("the server does not start ({why}): {}", self.log().split_off(before)))
    }

    /// Whether whoever listens there is this process, and has loaded what it has.
    fn answers_as(&self, process: u32) -> bool {
        // Somebody else may be listening, who says nothing.
        let Ok(mut connection) = self.connect_within(Duration::from_millis(200)) else {
            return false;
        };
        let pong = connection.call(&["PING"]).is_ok_and(|reply| reply.text() == "PONG");
        let info = connection.call(&["INFO", "server"]).map(|reply| reply.text());
        pong && info.is_ok_and(|text| field(&text, "process_id") == Some(&process.to_string()))
    }

    fn settings(&self) -> String {
        let data = self.folder.data();
        let mut lines = vec![
            format!("port {}\nbind 127.0.0.1\ndir \"{}\"", self.port, data.display()),
            // Nobody waits for the slow and the gentle way: these are tests.
            "repl-diskless-sync-delay 0\nshutdown-timeout 0\nenable-debug-command yes".to_owned(),
            "save \"\"\nappendonly no".to_owned(),
            // For links that break: a replica tries again each second whatever is said here.
            format!("masteruser {LAB}\nmasterauth {LAB}"),
        ];
        if let Some(authority) = &self.authority {
            let (certificate, key) = authority.server();
            lines.push(format!("tls-port {}", self.tls_port));
            lines.push(format!("tls-ca-cert-file {}", authority.certificate().display()));
            lines.push(format!("tls-cert-file {}", certificate.display()));
            lines.push(format!("tls-key-file {}", key.display()));
            let certified = self.options.tls == Some(Callers::Certified);
            lines.push(format!("tls-auth-clients {}", if certified { "yes" } else { "no" }));
        }
        lines.push(format!("user {LAB} on >{LAB} ~* &* +@all"));
        lines.extend(self.options.users.iter().map(|rule| format!("user {rule}")));
        lines.extend(self.options.settings.iter().map(|(name, value)| format!("{name} {value}")));
        lines.join("\n") + "\n"
    }

    /// SIGKILL: what was written survives, what was not does not. Returns when it is gone.
    pub fn kill(&self) {
        *self.process() = None;
    }

    /// SIGTERM: it may save what it saves. Returns when it is gone.
    ///
    /// # Panics
    /// Where it does not end.
    pub fn stop(&self) {
        if let Some(mut process) = self.process().take() {
            process.resume();
            process.signal(Signal::TERM);
            process.wait();
        }
    }

    /// SIGSTOP: connections stay, connecting works, and nothing is answered.
    ///
    /// # Panics
    /// Where it does not run.
    pub fn freeze(&self) {
        self.process().as_ref().expect("a server that runs").freeze();
    }

    /// SIGCONT: it goes on with whatever was sent meanwhile.
    ///
    /// # Panics
    /// Where it does not run.
    pub fn resume(&self) {
        self.process().as_ref().expect("a server that runs").resume();
    }

    /// Kills it and cuts its files back to what was synced, and says what that took. A server with
    /// [`Options::power`] only.
    ///
    /// # Panics
    /// Without that.
    pub fn power_cut(&self) -> Vec<Lost> {
        self.kill();
        self.power().cut(&self.folder.data())
    }

    /// Its disk, if it was started with [`Options::power`].
    ///
    /// # Panics
    /// If not.
    #[must_use]
    pub fn power(&self) -> &Power {
        self.power.as_ref().expect("a server with a disk of ours")
    }

    /// Its clock, if it was started with [`Options::clock`].
    ///
    /// # Panics
    /// If not.
    #[must_use]
    pub fn clock(&self) -> &ServerClock {
        self.clock.as_ref().expect("a server with a clock of ours")
    }

    /// Who signed its certificate, if it was started with TLS.
    ///
    /// # Panics
    /// If not.
    #[must_use]
    pub fn authority(&self) -> &Authority {
        self.authority.as_ref().expect("a server with TLS")
    }

    /// Where it listens in clear text.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        port::loopback(self.port)
    }

    /// The port of [`Redis::address`].
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Where it listens for TLS.
    ///
    /// # Panics
    /// If it was not started with it.
    #[must_use]
    pub fn tls_address(&self) -> SocketAddr {
        assert!(self.authority.is_some(), "a server with TLS");
        port::loopback(self.tls_port)
    }

    /// What a client is given: `rediss://` where there is TLS.
    #[must_use]
    pub fn url(&self) -> String {
        match &self.authority {
            Some(_) => format!("rediss://localhost:{}", self.tls_port),
            None => format!("redis://127.0.0.1:{}", self.port),
        }
    }

    /// The process, while there is one.
    #[must_use]
    pub fn process_id(&self) -> Option<u32> {
        self.process().as_ref().map(Process::id)
    }

    /// The folder with what the server itself wrote.
    #[must_use]
    pub fn data(&self) -> PathBuf {
        self.folder.data()
    }

    /// What it wrote to its log, over all its starts.
    ///
    /// # Panics
    /// Where that cannot be read.
    #[must_use]
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.folder.file("log")).unwrap()).into_owned()
    }

    /// A connection of somebody who may everything.
    ///
    /// # Errors
    /// The socket's.
    pub fn connect(&self) -> io::Result<Connection> {
        self.connect_within(PATIENCE)
    }

    fn connect_within(&self, patience: Duration) -> io::Result<Connection> {
        let mut connection = Connection::open(self.address(), patience)?;
        connection.call(&["AUTH", LAB, LAB])?;
        Ok(connection)
    }

    /// One command of somebody who may everything, on a connection of its own.
    ///
    /// # Panics
    /// Where it does not answer, or refuses: what was to be done to it was not done.
    pub fn command<P: AsRef<[u8]>>(&self, command: &[P]) -> Reply {
        let name = String::from_utf8_lossy(command[0].as_ref()).into_owned();
        let reply = self.connect().and_then(|mut connection| connection.call(command));
        let reply = reply.unwrap_or_else(|e| panic!("{name}: {e}"));
        assert!(!reply.is_error(), "{name}: {}", reply.text());
        reply
    }

    fn process(&self) -> MutexGuard<'_, Option<Process>> {
        self.process.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// The server that is tested: `FAREBOX_REDIS_BIN`, or the `redis-server` that is installed.
fn binary() -> PathBuf {
    env::var_os("FAREBOX_REDIS_BIN").map_or_else(|| PathBuf::from("redis-server"), PathBuf::from)
}
