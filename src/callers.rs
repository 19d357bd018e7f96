//! Callers: who is calling, and what it may do.
//!
//! ```text
//! Authorization: Bearer fbk_… ─→ roster (DIR/callers/) ──────────────────┐
//!                       eyJ…  ─→ the source that its issuer names ─→ …   ├─→ Caller │ Unauthenticated
//!                                signature, times, audience, then rules ─┘
//! ```
//! Nothing that a caller says of itself gets into a [`Caller`]: it is what an account of ours or a verified token
//! says, and both are looked at again for each request.

pub mod account;
mod caller;
mod error;
mod first;
mod folder;
pub mod jwt;
mod owners;
mod roles;
mod roster;
mod secret;

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use farebox_verifier::{Clock, PublicKey};

pub use account::{Account, Rights};
pub use caller::{
    Attribute, AttributeError, Caller, CallerName, CredentialKind, NotItsWorkflow, SourceName,
    Tenant, WordError, attribute,
};
pub use error::{CallersError, Reason, Unauthenticated};
pub use first::{FILE as FIRST_KEY_FILE, first_key};
pub use folder::CallerFolder;
pub use owners::{OwnedTwice, Owners};
pub use roles::{ROLES, Role, RoleError, Roles};
pub use secret::{KeyId, Secret, SecretHash};

use self::folder::Look;
use self::jwt::{Source, SourceState, Sources};
use self::roster::Roster;
use crate::limits;
use crate::store::desk::{self, Group};

/// Everybody who may call.
pub struct Callers {
    folder: CallerFolder,
    roster: RwLock<Arc<Roster>>,
    seen: Mutex<Look>,
    sources: Sources,
    owners: Owners,
    clock: Arc<dyn Clock>,
}

/// What the configuration says about callers.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// The sources of JWTs that are taken.
    pub jwt: Vec<Source>,
    /// The people behind identities.
    pub owners: Owners,
}

/// What came of looking at the folder again.
#[derive(Debug, Default)]
#[must_use = "a file that cannot be read locks its caller out, and somebody should hear of it"]
pub struct Reread {
    /// Whether anything had changed.
    pub changed: bool,
    /// The accounts that cannot be read. Their callers are refused, and all others are not affected: a slip in one
    /// file must not keep another's retirement from being heard.
    pub broken: Vec<CallersError>,
}

impl Callers {
    /// Opens the accounts below a data folder. Keys of sources are not read before [`Callers::tend`] or the first
    /// token: a provider that is down keeps nobody from starting.
    ///
    /// # Errors
    /// [`CallersError`] where any account cannot be read: a start is the time to say so.
    pub fn open(
        data: &Path,
        settings: Settings,
        clock: Arc<dyn Clock>,
    ) -> Result<Callers, CallersError> {
        let sources = Sources::of(settings.jwt, &clock);
        let sources = sources.map_err(|(name, source)| CallersError::Source { name, source })?;
        let callers = Callers {
            folder: CallerFolder::below(data),
            roster: RwLock::default(),
            seen: Mutex::default(),
            sources,
            owners: settings.owners,
            clock,
        };
        let reread = callers.reread()?;
        reread.broken.into_iter().next().map_or(Ok(callers), Err)
    }

    /// Who has this credential.
    ///
    /// # Errors
    /// [`Unauthenticated`] where nobody known has it; the same to whoever asks, whatever the reason is.
    pub async fn authenticate(&self, bearer: &str) -> Result<Arc<Caller>, Unauthenticated> {
        if bearer.len() > limits::BEARER_BYTES_MAX {
            return Err(Reason::TooLong.into());
        }
        let caller = if Callers::is_signed(bearer) {
            self.sources.who(bearer, self.clock.as_ref()).await?
        } else {
            let roster = Arc::clone(&self.roster.read().unwrap_or_else(PoisonError::into_inner));
            roster.who(bearer, self.clock.now())?
        };
        Ok(Arc::new(self.owned(caller)))
    }

    /// Whether it takes a signature to find out who has this credential. A key of ours is one look into a table.
    #[must_use]
    pub fn is_signed(bearer: &str) -> bool {
        !bearer.starts_with(secret::START)
    }

    /// What is to be done each second: looks at the folder, and begins to read the keys of sources whose time it is,
    /// without waiting for them.
    ///
    /// # Errors
    /// [`CallersError`] where the folder cannot be looked at; what was known stays so.
    pub fn tend(&self) -> Result<Reread, CallersError> {
        self.sources.tend();
        self.refresh()
    }

    /// Whether who approved is still an approver of this group. What a source of JWTs says of its people it says in
    /// each token and not between two: of them, the word that they decided by counts.
    #[must_use]
    pub fn belongs(&self, approver: &desk::Caller, group: &Group) -> bool {
        let roster = Arc::clone(&self.roster.read().unwrap_or_else(PoisonError::into_inner));
        !approver.as_str().starts_with("key:") || roster.approves(approver.as_str(), group)
    }

    /// The key that an approver signs decisions with, where it has one.
    #[must_use]
    pub fn decision_key(&self, approver: &desk::Caller) -> Option<PublicKey> {
        let roster = Arc::clone(&self.roster.read().unwrap_or_else(PoisonError::into_inner));
        roster.decision_key(approver.as_str())
    }

    /// How the sources of JWTs stand.
    #[must_use]
    pub fn sources(&self) -> Vec<SourceState> {
        self.sources.states()
    }

    /// Looks at the folder, and reads it again if anything in it looks different: a few microseconds for each file
    /// otherwise. The server does so each second, so that a key is dead within one of its end.
    ///
    /// # Errors
    /// [`CallersError`] where the folder cannot be looked at; what was known stays so.
    pub fn refresh(&self) -> Result<Reread, CallersError> {
        if *self.seen.lock().unwrap_or_else(PoisonError::into_inner) == self.folder.look()? {
            return Ok(Reread::default());
        }
        self.reread()
    }

    /// Reads the folder again, whatever it looks like.
    ///
    /// # Errors
    /// [`CallersError`] where it cannot be read; what was known stays so.
    pub fn reread(&self) -> Result<Reread, CallersError> {
        // One at a time: of two, the one that read earlier must not be put in force later.
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        // The look comes first: what changes while the files are read is then seen by the next look.
        let look = self.folder.look()?;
        let standing = self.folder.read()?;
        let (roster, twice) = Roster::of(standing.accounts);
        *self.roster.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(roster);
        let changed = *seen != look;
        *seen = look;
        let mut broken = standing.broken;
        broken.extend(twice);
        Ok(Reread { changed, broken })
    }

    /// The folder, for whoever changes accounts. What is changed is in force after [`Callers::refresh`].
    #[must_use]
    pub fn folder(&self) -> &CallerFolder {
        &self.folder
    }

    /// The caller with the owner that the configuration names, which goes before any other word for it.
    fn owned(&self, mut caller: Caller) -> Caller {
        if let Some(owner) = self.owners.of(&caller.name) {
            caller.owner = Some(owner.clone());
        }
        caller
    }
}
