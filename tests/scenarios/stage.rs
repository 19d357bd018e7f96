//! Where a scenario takes place: an issuer with the example policies, the APIs, and those who call them.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use farebox::callers::{self, CallerFolder, CallerName, Rights, Role};
use farebox::http::{Limits, Patience, Rate};
use farebox::issuer::Parameters;
use farebox::policy::{PolicySet, Zone};
use farebox::record::{Chain, Options, verify};
use farebox::serve::{RedisSettings, Running, Settings, StoreSettings};
use farebox::signer::PrivateKey;
use farebox::steady::Clocks;
use farebox::store::desk::{Group, Owner};
use farebox::store::redis::acl::Role as User;
use farebox_lab::{Options as RedisOptions, Redis};
use farebox_verifier::keys::pem_text;
use farebox_verifier::redis::Topology;
use farebox_verifier::{Clock as _, KeyRing, SpendStore, SystemClock};
use serde_json::Value;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use super::api::Apis;
use super::wire::{self, Reply};
use crate::fleet;

/// Who signs what farebox cannot know.
pub(super) const THIRD_PARTIES: [&str; 6] =
    ["change-mgmt", "dlp", "invoice-check", "leak-scanner", "prompt-guard", "tone-check"];

/// Which store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum On {
    File,
    Redis,
}

pub(super) struct Stage {
    pub(super) runtime: Runtime,
    issuer: Option<Running>,
    apis: Option<Apis>,
    third_parties: Vec<(String, PrivateKey)>,
    folder: TempDir,
    redis: Option<Redis>,
    approval_seconds: u64,
}

/// A caller of the issuer.
#[derive(Clone)]
pub(super) struct Party {
    pub(super) name: String,
    pub(super) key: String,
}

impl Stage {
    /// With the example policies, and these tables in place of theirs.
    pub(super) fn new(on: On, tables: &[(&str, &str)], approval_seconds: u64) -> Stage {
        let runtime = Runtime::new().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let policies = folder.path().join("policies");
        copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("policies"), &policies);
        let third_parties = third_parties(&folder.path().join("data/keys"));
        let redis =
            (on == On::Redis).then(|| runtime.block_on(fleet::start(RedisOptions::plain())));
        let mut stage = Stage {
            runtime,
            issuer: None,
            apis: None,
            third_parties,
            folder,
            redis,
            approval_seconds,
        };
        tables.iter().for_each(|(table, rows)| stage.writes(table, rows));
        stage.start(on);
        stage
    }

    fn start(&mut self, on: On) {
        let ports: Vec<u16> = self.redis.iter().map(Redis::port).collect();
        let store = match on {
            On::File => StoreSettings::Embedded,
            On::Redis => {
                let address = |user| fleet::address("r1", ports[0], user);
                StoreSettings::Redis(RedisSettings {
                    topology: Topology::Single,
                    servers: vec![address(User::Issuer)],
                    spenders: vec![address(User::Verifier)],
                    waits: fleet::waits(),
                })
            }
        };
        let settings = self.settings(store);
        let clocks = Clocks::same(Arc::new(SystemClock));
        let issuer = self.runtime.block_on(Running::start(settings, clocks)).unwrap();
        let spender: Arc<dyn SpendStore> = match on {
            On::File => issuer.issuer().spender(),
            On::Redis => Arc::new(fleet::spender(Topology::Single, &ports, fleet::waits())),
        };
        let (set, _) = PolicySet::load(&self.policies(), &Zone::utc()).unwrap();
        let keys = KeyRing::load(&self.data().join("keys")).unwrap();
        let apis = Apis::start(set.catalogue().unwrap(), keys, spender);
        self.apis = Some(self.runtime.block_on(apis));
        self.issuer = Some(issuer);
    }

    fn settings(&self, store: StoreSettings) -> Settings {
        let plenty = Rate { per_second: 10_000, burst: 10_000 };
        let patience = Duration::from_secs(10);
        Settings {
            data: self.data(),
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            policies: Some(self.policies()),
            public_url: None,
            keys: self.data().join("keys"),
            certificate: None,
            store,
            callers: callers::Settings::default(),
            limits: Limits {
                mint: plenty,
                spend: plenty,
                other: plenty,
                unknown: plenty,
                body: patience,
                body_bytes: farebox::limits::MINT_BODY_BYTES_MAX,
                list_items: farebox::limits::LIST_MAX,
            },
            patience: Patience {
                connections: 300,
                head_bytes: farebox::limits::HEAD_BYTES_MAX,
                head: patience,
                stop: patience,
            },
            record: Options::of(Chain::parse("scenario").unwrap()),
            parameters: Parameters::Full,
            ttl_seconds: 60,
            ttl_seconds_max: 3_600,
            approval_seconds: self.approval_seconds,
            passphrase: None,
            zone: Zone::utc(),
        }
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub(super) fn policies(&self) -> PathBuf {
        self.folder.path().join("policies")
    }

    fn writes(&self, table: &str, rows: &str) {
        let path = self.policies().join("data").join(format!("{table}.csv"));
        assert!(path.exists(), "there is no table {table}");
        fs::write(path, rows).unwrap();
    }

    /// Puts other rows into a table, and the policies in force that have them.
    pub(super) fn changes(&self, table: &str, rows: &str) {
        self.writes(table, rows);
        self.reload();
    }

    /// Has the issuer read everything again.
    pub(super) fn reload(&self) {
        self.runtime.block_on(self.issuer().reload());
    }

    fn issuer(&self) -> &Running {
        self.issuer.as_ref().unwrap()
    }

    pub(super) fn apis(&self) -> &Apis {
        self.apis.as_ref().unwrap()
    }

    /// A caller with these attributes, roles, and groups of approvers.
    pub(super) fn party(&self, name: &str, role: Role, known: &[(&str, &str)]) -> Party {
        let of = |wanted: &str| {
            let found = known.iter().filter(move |(name, _)| *name == wanted);
            found.map(|(_, value)| (*value).to_owned()).collect::<Vec<_>>()
        };
        let attributes = known.iter().filter(|(name, _)| !["group", "owner"].contains(name));
        let rights = Rights {
            roles: [role].into_iter().collect(),
            groups: of("group").iter().map(|name| Group::parse(name).unwrap()).collect(),
            owner: of("owner").first().map(|name| Owner::parse(name).unwrap()),
            attributes: attributes.map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect(),
            ..Rights::default()
        };
        let folder = CallerFolder::below(&self.data());
        let word = CallerName::parse(name).unwrap();
        let (_, secret) = folder.add(&word, rights, None, SystemClock.now()).unwrap();
        self.reload();
        Party { name: format!("key:{name}"), key: secret.expose().to_owned() }
    }

    pub(super) fn third_party(&self, name: &str) -> &PrivateKey {
        &self.third_parties.iter().find(|(known, _)| known == name).unwrap().1
    }

    /// Asks the issuer.
    pub(super) fn asks(
        &self,
        who: &Party,
        (method, path): (&str, &str),
        body: Option<&Value>,
    ) -> Reply {
        let bearer = format!("Bearer {}", who.key);
        wire::call(self.issuer().address(), (method, path), &[("authorization", &bearer)], body)
    }

    /// The administrator.
    pub(super) fn staff(&self) -> Party {
        let key = fs::read_to_string(self.data().join("api-key")).unwrap();
        Party { name: "key:admin".to_owned(), key: key.trim().to_owned() }
    }

    /// Everything that the record has, once nobody writes it any more.
    pub(super) fn record(&self) -> Vec<Value> {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_farebox"));
        let output = command
            .args(["record", "export", "--to", "/dev/stdout", "--data"])
            .arg(self.data())
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Proves the record with public keys alone.
    pub(super) fn record_is_whole(&self) {
        let keys = KeyRing::load(&self.data().join("keys")).unwrap();
        let source = verify::Source::Folder(self.data().join("record"));
        let report = verify::verify(&[source], &keys, &[]).unwrap();
        assert!(report.is_good(), "{:?}", report.faults);
    }
}

impl Stage {
    /// Stops the APIs, and then the issuer, each in good order.
    pub(super) fn stop(&mut self) {
        if let Some(apis) = self.apis.take() {
            self.runtime.block_on(apis.stop());
        }
        if let Some(issuer) = self.issuer.take() {
            self.runtime.block_on(issuer.stop());
        }
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.stop();
    }
}

fn third_parties(keys: &Path) -> Vec<(String, PrivateKey)> {
    let folder = keys.join("third-parties");
    fs::create_dir_all(&folder).unwrap();
    set_private(keys.parent().unwrap());
    let made = THIRD_PARTIES.map(|name| {
        let key = PrivateKey::generate().unwrap();
        fs::write(folder.join(format!("{name}.pem")), pem_text(&key.public())).unwrap();
        (name.to_owned(), key)
    });
    made.into()
}

fn set_private(folder: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o700)).unwrap();
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
