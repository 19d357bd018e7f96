//! Where the demo takes place: a folder that is gone afterwards, an issuer in it, and an API beside it.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use farebox_verifier::{Clock as _, GrantId, KeyRing, ManualClock, SystemClock};
use zeroize::Zeroizing;

use super::DemoError;
use super::api::Api;
use crate::callers;
use crate::client::{Client, InTheClear};
use crate::http::{Limits, Patience, Rate};
use crate::issuer::Parameters;
use crate::limits;
use crate::policy::Zone;
use crate::record::{Chain, Options};
use crate::serve::{Running, Settings, StoreSettings};
use crate::steady::Clocks;

/// The demo's policies: what a newcomer would write first.
const POLICIES: &str = "\
// small transfers: nobody is asked
allow if action(\"payments.transfer\"), int(\"/amount\", $a), $a <= 5000, ttl(60);

// an amount that is not known yet may vary, below the same limit
allow if action(\"payments.transfer\"), int_at_most(\"/amount\", $a), $a <= 5000, vary(\"/amount\"), ttl(60);
";

/// The issuer, the API, and all that they keep.
pub(super) struct Place {
    folder: Folder,
    data: PathBuf,
    clock: Arc<ManualClock>,
    issuer: Running,
    client: Client,
    api: Api,
}

impl Place {
    pub(super) async fn open() -> Result<Place, DemoError> {
        let folder = Folder::fresh()?;
        let data = folder.0.join("data");
        fs::create_dir(folder.0.join("policies"))?;
        fs::write(folder.0.join("policies").join("transfers.datalog"), POLICIES)?;
        let clock = Arc::new(ManualClock::at(SystemClock.now()));
        let issuer = start(&folder, &data, &clock).await?;
        let key = Zeroizing::new(issuer.first_key().unwrap_or_default().to_owned());
        let client = client(&issuer, &key)?;
        let keys = KeyRing::load(&data.join("keys")).or(Err(DemoError::Wrong("its keys")))?;
        let ran = Arc::new(AtomicU32::new(0));
        let api = Api::start(keys, issuer.issuer().spender(), Arc::clone(&clock), ran).await?;
        Ok(Place { folder, data, clock, issuer, client, api })
    }

    pub(super) fn api(&self) -> &Api {
        &self.api
    }

    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    pub(super) fn clock(&self) -> &Arc<ManualClock> {
        &self.clock
    }

    /// The machine is lost, and everything comes back from a copy: nobody can tell what happened since.
    pub(super) async fn lose_the_store(self) -> Result<Place, DemoError> {
        let Place { folder, data, clock, issuer, client: _, api } = self;
        let ran = Arc::clone(&api.ran);
        api.stop().await;
        issuer.stop().await;
        let copy = folder.0.join("copy");
        copy_all(&data, &copy)?;
        let issuer = start(&folder, &copy, &clock).await?;
        let key = Zeroizing::new(fs::read_to_string(copy.join("api-key"))?);
        let client = client(&issuer, &key)?;
        let keys = KeyRing::load(&copy.join("keys")).or(Err(DemoError::Wrong("its keys")))?;
        let api = Api::start(keys, issuer.issuer().spender(), Arc::clone(&clock), ran).await?;
        Ok(Place { folder, data: copy, clock, issuer, client, api })
    }

    /// Stops all of it, and gives what is left: the folder, the record in it, its keys, and how often the API
    /// acted.
    pub(super) async fn close(self) -> Result<Left, DemoError> {
        let Place { folder, data, issuer, api, .. } = self;
        let ran = api.ran.load(Ordering::SeqCst);
        api.stop().await;
        issuer.stop().await;
        let keys = KeyRing::load(&data.join("keys")).or(Err(DemoError::Wrong("its keys")))?;
        Ok(Left { _folder: folder, record: data.join("record"), keys, ran })
    }
}

/// What is left of the demo.
pub(super) struct Left {
    _folder: Folder,
    pub(super) record: PathBuf,
    pub(super) keys: KeyRing,
    pub(super) ran: u32,
}

/// A folder for the demo alone, which goes when it ends.
struct Folder(PathBuf);

impl Folder {
    fn fresh() -> Result<Folder, DemoError> {
        let folder = std::env::temp_dir().join(format!("farebox-demo-{}", GrantId::fresh()?));
        fs::create_dir(&folder)?;
        Ok(Folder(folder))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What cannot be removed now is the system's to clean up.
        drop(fs::remove_dir_all(&self.0));
    }
}

fn client(issuer: &Running, key: &Zeroizing<String>) -> Result<Client, DemoError> {
    Ok(Client::new(&format!("http://{}", issuer.address()), key, None, InTheClear::Here)?)
}

async fn start(
    folder: &Folder,
    data: &Path,
    clock: &Arc<ManualClock>,
) -> Result<Running, DemoError> {
    let plenty = Rate { per_second: 10_000, burst: 10_000 };
    let patience = Duration::from_secs(10);
    let chain = Chain::parse("demo").or(Err(DemoError::Wrong("its own name")))?;
    let settings = Settings {
        data: data.to_owned(),
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        policies: Some(folder.0.join("policies")),
        public_url: None,
        keys: data.join("keys"),
        certificate: None,
        store: StoreSettings::Embedded,
        callers: callers::Settings::default(),
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
        record: Options::of(chain),
        parameters: Parameters::Full,
        ttl_seconds: 60,
        ttl_seconds_max: 3_600,
        approval_seconds: limits::APPROVAL_SECONDS,
        passphrase: None,
        zone: Zone::utc(),
    };
    Ok(Running::start(settings, Clocks::same(Arc::clone(clock) as _)).await?)
}

fn copy_all(from: &Path, to: &Path) -> Result<(), DemoError> {
    fs::create_dir(to)?;
    fs::set_permissions(to, fs::metadata(from)?.permissions())?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_all(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
