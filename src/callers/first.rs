//! The first key: an administrator's, made when nobody is there yet.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;

use farebox_verifier::UnixSeconds;

use super::account::Rights;
use super::caller::CallerName;
use super::error::CallersError;
use super::folder::{CallerFolder, put, read_own};
use super::roles::ROLES;
use super::secret::Secret;

/// The file that the first key is written to, in the data folder.
pub const FILE: &str = "api-key";
const NAME: &str = "admin";

/// Makes the administrator's key where there is no caller at all, and writes it to `DIR/api-key`.
///
/// It holds every role, but spends for no audience: whoever spends is an API, and has a key of its own.
///
/// # Errors
/// [`CallersError`] where the folder cannot be used.
pub fn first_key(data: &Path, now: UnixSeconds) -> Result<Option<Secret>, CallersError> {
    let folder = CallerFolder::below(data);
    if !folder.look()?.is_empty() {
        return Ok(None);
    }
    let failed = |source| CallersError::Folder { path: data.to_owned(), source };
    DirBuilder::new().recursive(true).mode(0o700).create(data).map_err(failed)?;
    let path = data.join(FILE);
    // The file first: were it the account, a crash in between would leave a key that nobody has ever seen.
    let secret = if path.try_exists().map_err(failed)? {
        let text = String::from_utf8(read_own(&path)?).unwrap_or_default();
        Secret::parse(text.trim_end()).ok_or(CallersError::NoKey { path })?
    } else {
        let secret = Secret::fresh()?;
        let text = zeroize::Zeroizing::new(format!("{}\n", secret.expose()));
        put(&path, text.as_bytes()).map_err(|source| CallersError::Unwritable { path, source })?;
        secret
    };
    let rights = Rights { roles: ROLES.into_iter().collect(), ..Rights::default() };
    let name = CallerName::parse(NAME).map_err(|e| CallersError::Rights { source: e.into() })?;
    match folder.add_with(&name, rights, (&secret, None), now) {
        Ok(_) => Ok(Some(secret)),
        // Another process was quicker by the width of a hair, and its key is the one in the file.
        Err(CallersError::Taken { .. }) => Ok(None),
        Err(other) => Err(other),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn the_first_key_is_made_once_and_is_its_owner_s_alone() {
        let data = tempfile::tempdir().unwrap();
        let secret = first_key(data.path(), UnixSeconds(7)).unwrap().unwrap();
        let path = data.path().join(FILE);
        assert_eq!(fs::read_to_string(&path).unwrap(), format!("{}\n", secret.expose()));
        for file in [path, data.path().join("callers/admin.json")] {
            let mode = fs::metadata(&file).unwrap().permissions().mode() & 0o777;
            assert_eq!(mode, 0o600, "{}", file.display());
        }
        assert!(first_key(data.path(), UnixSeconds(8)).unwrap().is_none());
    }

    #[test]
    fn a_crash_between_file_and_account_leaves_a_key_that_works() {
        let data = tempfile::tempdir().unwrap();
        let secret = first_key(data.path(), UnixSeconds(7)).unwrap().unwrap();
        fs::remove_file(data.path().join("callers/admin.json")).unwrap();
        let again = first_key(data.path(), UnixSeconds(8)).unwrap().unwrap();
        assert_eq!(again.expose(), secret.expose());
    }

    #[test]
    fn a_key_that_others_could_read_makes_nobody_an_administrator() {
        let data = tempfile::tempdir().unwrap();
        let path = data.path().join(FILE);
        fs::write(&path, "fbk_chosen by a neighbour\n").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let refused = first_key(data.path(), UnixSeconds(7));
        assert!(matches!(refused, Err(CallersError::Exposed { mode: 0o644, .. })));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        let refused = first_key(data.path(), UnixSeconds(7));
        assert!(matches!(refused, Err(CallersError::NoKey { .. })));
    }
}
