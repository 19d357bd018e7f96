//! node oidc-provider in a process of its own, and those who ask it for access tokens.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use farebox::bench::{Connection, Hand, Refused, Target};
use farebox::client::InTheClear;
use farebox_verifier::GrantId;

use super::issuer::listening;

/// The form of its access tokens.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Form {
    Rs256,
    EdDsa,
    Opaque,
}

impl Form {
    pub const ALL: [Form; 3] = [Form::Rs256, Form::EdDsa, Form::Opaque];

    pub fn word(self) -> &'static str {
        match self {
            Form::Rs256 => "RS256 JWT",
            Form::EdDsa => "EdDSA JWT",
            Form::Opaque => "opaque",
        }
    }

    /// The resource server of server.js whose tokens have it.
    fn resource(self) -> &'static str {
        match self {
            Form::Rs256 => "urn:peer:rs256",
            Form::EdDsa => "urn:peer:eddsa",
            Form::Opaque => "urn:peer:opaque",
        }
    }
}

/// A running provider.
pub struct Provider {
    process: Child,
    target: Target,
    secret: String,
}

impl Provider {
    pub fn start() -> Provider {
        let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("oidc-provider");
        install(&place);
        // As long as a secret of 256 bits is in hexadecimal.
        let secret = format!("{}{}", GrantId::fresh().unwrap(), GrantId::fresh().unwrap());
        let mut command = Command::new("node");
        command.arg("server.js").current_dir(&place);
        command.env("NODE_ENV", "production").env("PEER_SECRET", &secret);
        let mut process = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let address = listening(&mut process);
        let target = Target::new(&address, None, InTheClear::Here).unwrap();
        Provider { process, target, secret }
    }

    /// So many who ask for tokens of this form, each over a connection of its own.
    pub async fn askers(&self, form: Form, count: usize) -> Vec<Asker> {
        let (resource, secret) = (form.resource(), &self.secret);
        let body = format!(
            "grant_type=client_credentials&scope=act&resource={resource}&client_id=bench&client_secret={secret}"
        );
        let mut request = String::new();
        let lines = "content-type: application/x-www-form-urlencoded\r\n";
        self.target.post(&mut request, "/token", (lines, &body));
        let mut askers = Vec::new();
        for _ in 0..count {
            let connection = self.target.connect().await.unwrap();
            askers.push(Asker { connection, request: request.clone() });
        }
        askers
    }

    pub fn process_ids(&self) -> Vec<u32> {
        vec![self.process.id()]
    }

    pub fn version() -> String {
        let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("oidc-provider/package.json");
        let package: serde_json::Value = serde_json::from_slice(&fs::read(place).unwrap()).unwrap();
        let version = package.pointer("/dependencies/oidc-provider");
        let node = Command::new("node").arg("--version").output().unwrap().stdout;
        let node = String::from_utf8(node).unwrap();
        format!("{} on node {}", version.unwrap().as_str().unwrap(), node.trim())
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        drop(self.process.kill().and_then(|()| self.process.wait()));
    }
}

/// One who asks for access tokens.
pub struct Asker {
    connection: Connection,
    request: String,
}

impl Hand for Asker {
    async fn act(&mut self) -> Option<Result<(), Refused>> {
        let heard = match self.connection.ask(self.request.as_bytes()).await {
            Ok(heard) => heard,
            Err(error) => return Some(Err(Refused::unreachable(&error))),
        };
        let granted = heard.status == 200 && heard.body.starts_with(b"{\"access_token\":\"");
        Some(if granted { Ok(()) } else { Err(Refused::garbled()) })
    }
}

/// Installs what the lock file says, where that is not done yet.
fn install(place: &Path) {
    let (lock, installed) =
        (place.join("package-lock.json"), place.join("node_modules/.installed"));
    if fs::read(&lock).unwrap() == fs::read(&installed).unwrap_or_default() {
        return;
    }
    let mut command = Command::new("npm");
    command.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]);
    let done = command.current_dir(place).stdout(Stdio::null()).status().unwrap();
    assert!(done.success(), "npm could not install oidc-provider");
    fs::copy(lock, installed).unwrap();
}
