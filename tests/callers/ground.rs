//! The fixture: a data folder, a clock that is moved, and callers opened on both.

use std::path::Path;
use std::sync::Arc;

use farebox::callers::jwt::{
    Algorithm, ClaimPath, ClaimText, JwksUrl, KeysAt, Rule, Source, SourceKind, Tenancy,
};
use farebox::callers::{Caller, CallerName, Callers, Reason, Rights, Role, Settings, SourceName};
use farebox_verifier::{ManualClock, UnixSeconds};
use tempfile::TempDir;

/// When the tests begin.
pub(super) const NOW: u64 = 1_795_000_000;

pub(super) struct Ground {
    pub(super) data: TempDir,
    pub(super) clock: Arc<ManualClock>,
    pub(super) callers: Callers,
}

impl Ground {
    pub(super) fn new() -> Ground {
        Ground::with(Settings::default())
    }

    /// A ground that takes the tokens of one source.
    pub(super) fn taking(source: Source) -> Ground {
        Ground::with(Settings { jwt: vec![source], ..Settings::default() })
    }

    pub(super) fn with(settings: Settings) -> Ground {
        let data = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::at(UnixSeconds(NOW)));
        let callers = Callers::open(data.path(), settings, clock.clone()).unwrap();
        Ground { data, clock, callers }
    }

    pub(super) fn path(&self) -> &Path {
        self.data.path()
    }

    pub(super) async fn who(&self, bearer: &str) -> Result<Arc<Caller>, Reason> {
        self.callers.authenticate(bearer).await.map_err(|refused| {
            assert_eq!(refused.to_string(), "credential is not taken here");
            refused.reason().clone()
        })
    }
}

pub(super) fn name(text: &str) -> CallerName {
    CallerName::parse(text).unwrap()
}

pub(super) fn minting() -> Rights {
    Rights { roles: [Role::Mint].into_iter().collect(), ..Rights::default() }
}

/// A provider of which everybody with a `team` may mint.
pub(super) fn oidc(keys: KeysAt) -> Source {
    Source {
        name: SourceName::parse("corp").unwrap(),
        kind: SourceKind::Oidc { issuer: "https://corp.example".into(), subject: path("sub") },
        audiences: vec!["https://farebox.example".into()],
        algorithms: vec![Algorithm::Rs256, Algorithm::Ps256, Algorithm::Es256, Algorithm::EdDsa],
        keys,
        refresh_seconds: 300,
        keep_seconds: 3_600,
        leeway_seconds: 0,
        max_age_seconds: None,
        tenant: Tenancy::None,
        owner: None,
        groups: None,
        attributes: Vec::new(),
        rules: vec![rule(&[("team", &["billing"])], &[Role::Mint])],
    }
}

pub(super) fn at(url: &str) -> KeysAt {
    KeysAt::Url { url: JwksUrl::parse(url).unwrap(), ca: None }
}

pub(super) fn rule(when: &[(&str, &[&str])], roles: &[Role]) -> Rule {
    let when = when.iter().map(|(claim, texts)| {
        (path(claim), texts.iter().map(|text| ClaimText::parse(text).unwrap()).collect())
    });
    Rule { when: when.collect(), roles: roles.iter().copied().collect(), spends_for: Vec::new() }
}

pub(super) fn path(text: &str) -> ClaimPath {
    ClaimPath::parse(text).unwrap()
}
