//! Retirement: a key's tokens die, and its number is never used again.

use std::fs;
use std::io;
use std::path::PathBuf;

use clap::Args;
use farebox_verifier::{Issuer, KeyRing, limits};
use serde_json::json;

use super::Folder;
use crate::cli::answer::Answer;
use crate::cli::failure::Failure;

#[derive(Args)]
pub(crate) struct Retire {
    #[command(flatten)]
    folder: Folder,
    /// The key's number
    #[arg(value_name = "N")]
    id: u32,
    /// Delete its private half too; a key that is retired already can still lose it
    #[arg(long)]
    destroy_private: bool,
}

impl Retire {
    pub(super) fn run(&self) -> Result<Answer, Failure> {
        let (id, dir) = (self.id, &self.folder.dir);
        let ring = self.folder.ring()?;
        match ring.issuer(id) {
            None => return Err(Failure::NoSuchKey { id, dir: dir.clone() }),
            Some(Issuer::Trusted(_)) => self.move_public()?,
            Some(Issuer::Retired(_)) if self.destroy_private => {}
            Some(Issuer::Retired(_)) => return Err(Failure::RetiredAlready { id }),
        }
        let private = self.private_now()?;
        let mut answer = Answer::done(vec![format!("key {id} is retired")], json!({}));
        answer = answer.with_note(format!(
            "a verifier that has read {} again refuses every token of this key as unknown-key; to let \
             them live out instead, retire a key {} s after its last mint",
            dir.display(),
            limits::TTL_SECONDS_MAX,
        ));
        let path = self.folder.private(id);
        answer = answer.with_note(match private {
            Private::Kept => format!(
                "its private key is still at {}: delete it once nobody needs it \
                 (--destroy-private does)",
                path.display()
            ),
            Private::Destroyed => {
                format!("its private key {} is deleted; backups may have it yet", path.display())
            }
            Private::Absent => format!("its private key is not at {}", path.display()),
        });
        if !self.is_one_left(&ring) {
            answer = answer.with_note("no trusted key is left: make one with `farebox keys new`");
        }
        answer.json = json!({
            "id": id.to_string(),
            "state": "retired",
            "private": private.word(),
            "notes": answer.notes,
        });
        Ok(answer)
    }

    /// One rename, so that at each moment the key is either trusted or retired.
    fn move_public(&self) -> Result<(), Failure> {
        let issuers = self.folder.issuers();
        let retired = issuers.join("retired");
        fs::create_dir_all(&retired)
            .map_err(|source| Failure::File { path: retired.clone(), source })?;
        let names = ["hex", "pem", "jwk"].map(|ending| format!("{}.{ending}", self.id));
        for name in names {
            let path: PathBuf = issuers.join(&name);
            match fs::rename(&path, retired.join(&name)) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                moved => return moved.map_err(|source| Failure::File { path, source }),
            }
        }
        Err(Failure::NoSuchKey { id: self.id, dir: self.folder.dir.clone() })
    }

    fn private_now(&self) -> Result<Private, Failure> {
        let path = self.folder.private(self.id);
        if !self.destroy_private {
            return Ok(if path.exists() { Private::Kept } else { Private::Absent });
        }
        match fs::remove_file(&path) {
            Ok(()) => Ok(Private::Destroyed),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Private::Absent),
            Err(source) => Err(Failure::File { path, source }),
        }
    }

    fn is_one_left(&self, before: &KeyRing) -> bool {
        let trusted = |(id, issuer)| id != self.id && matches!(issuer, Issuer::Trusted(_));
        before.issuers().into_iter().any(trusted)
    }
}

/// What became of the private half.
#[derive(Clone, Copy)]
enum Private {
    Kept,
    Destroyed,
    Absent,
}

impl Private {
    fn word(self) -> &'static str {
        match self {
            Private::Kept => "kept",
            Private::Destroyed => "destroyed",
            Private::Absent => "absent",
        }
    }
}
