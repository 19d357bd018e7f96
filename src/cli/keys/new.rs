//! A new key: its private half for its owner alone, its public half for everybody.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::Args;
use farebox_verifier::keys::pem_text;
use farebox_verifier::{PublicKey, ThirdParty};
use serde_json::{Value, json};

use super::Folder;
use crate::cli::answer::Answer;
use crate::cli::argument;
use crate::cli::failure::Failure;
use crate::config::read_secret;
use crate::signer::{Passphrase, PrivateKey};

#[derive(Args)]
pub(crate) struct New {
    #[command(flatten)]
    folder: Folder,
    /// The key's number; left out, one more than the highest ever used
    #[arg(long, value_name = "N", conflicts_with_all = ["holder", "third_party"])]
    id: Option<u32>,
    /// Make a holder's key instead: FILE, and its public half beside it
    #[arg(long, value_name = "FILE", conflicts_with = "third_party")]
    holder: Option<PathBuf>,
    /// Make a third party's key instead, under this name
    #[arg(long, value_name = "NAME", value_parser = ThirdParty::parse)]
    third_party: Option<ThirdParty>,
    /// Encrypt the private key with the passphrase in this file: one line, readable by its owner alone
    #[arg(long, value_name = "FILE", env = "FAREBOX_KEY_PASSPHRASE_FILE")]
    passphrase_file: Option<PathBuf>,
}

/// Where the halves of a key are.
struct Places {
    private: PathBuf,
    public: PathBuf,
}

impl New {
    pub(super) fn run(&self) -> Result<Answer, Failure> {
        let passphrase = self.passphrase_file.as_deref().map(read_secret).transpose()?;
        let passphrase = passphrase.map(Passphrase::new);
        let passphrase = passphrase.as_ref();
        match (&self.holder, &self.third_party) {
            (Some(path), _) => new_holder(path, passphrase),
            (None, Some(name)) => self.new_third_party(name, passphrase),
            (None, None) => self.new_issuer(passphrase),
        }
    }

    fn new_issuer(&self, passphrase: Option<&Passphrase>) -> Result<Answer, Failure> {
        let id = self.free_id()?;
        let public = self.folder.issuers().join(format!("{id}.pem"));
        let places = Places { private: self.folder.private(id), public };
        let key = places.fill(passphrase)?;
        Ok(places.answer(&key, ("id", id.to_string())))
    }

    /// A number says for good which key it was, so retired ones count, and private halves that have lost
    /// their public one.
    fn free_id(&self) -> Result<u32, Failure> {
        let ring = self.folder.ring()?;
        if let Some(id) = self.id {
            let taken = ring.issuer(id).is_some() || self.folder.private(id).exists();
            return if taken { Err(Failure::KeyTaken { id }) } else { Ok(id) };
        }
        let known = ring.issuers().into_keys().chain(numbers(&self.folder.dir.join("private")));
        known.max().unwrap_or(0).checked_add(1).ok_or(Failure::NoKeyLeft)
    }

    fn new_third_party(
        &self,
        name: &ThirdParty,
        passphrase: Option<&Passphrase>,
    ) -> Result<Answer, Failure> {
        if name.as_str().contains('/') || name.as_str().starts_with('.') {
            return Err(Failure::KeyName { name: name.clone() });
        }
        let (private, public) = (self.folder.private_of(name), self.folder.third_party(name));
        let taken = private.exists() || public.exists();
        if taken || self.folder.ring()?.third_party(name).is_some() {
            return Err(Failure::ThirdPartyTaken { name: name.clone() });
        }
        let places = Places { private, public };
        let key = places.fill(passphrase)?;
        Ok(places.answer(&key, ("third_party", name.to_string())))
    }
}

fn new_holder(path: &Path, passphrase: Option<&Passphrase>) -> Result<Answer, Failure> {
    let places = Places { private: path.into(), public: path.with_extension("pub.pem") };
    let key = places.fill(passphrase)?;
    Ok(places.answer(&key, ("holder", path.display().to_string())))
}

/// The numbers of the private keys in a folder that may not be there.
fn numbers(folder: &Path) -> Vec<u32> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    entries.filter_map(|entry| entry.ok()?.path().file_stem()?.to_str()?.parse().ok()).collect()
}

impl Places {
    /// Makes a key and puts its halves here. The private one is first: its file, made anew or not at all,
    /// decides between two who make the same key at once.
    fn fill(&self, passphrase: Option<&Passphrase>) -> Result<PublicKey, Failure> {
        if self.public.exists() {
            let source = io::ErrorKind::AlreadyExists.into();
            return Err(Failure::File { path: self.public.clone(), source });
        }
        let failed = |source| Failure::PrivateKey { path: self.private.clone(), source };
        let key = PrivateKey::generate().map_err(failed)?;
        key.save_with(&self.private, passphrase).map_err(failed)?;
        argument::publish(&self.public, &pem_text(&key.public()))?;
        Ok(key.public())
    }

    fn answer(&self, key: &PublicKey, (word, name): (&str, String)) -> Answer {
        let (private, public) = (self.private.display(), self.public.display());
        let lines = vec![
            format!("{:<12} {name}", word.replace('_', " ")),
            format!("{:<12} {private}", "private key"),
            format!("{:<12} {public}", "public key"),
            format!("{:<12} {key}", "hex"),
        ];
        let json: Value = json!({
            word: name,
            "private_path": private.to_string(),
            "public_path": public.to_string(),
            "key": key.to_string(),
        });
        Answer::done(lines, json)
    }
}
