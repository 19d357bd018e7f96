//! A third party's statement, put into the token that asks for it.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use farebox_verifier::token::{self, Statement};
use farebox_verifier::{CaveatText, KeyRing, Keys, Presented, Registered, StatementName, Verifier};
use serde_json::json;

use crate::cli::answer::Answer;
use crate::cli::argument::{PassphraseArgs, Stdin, TokenArgs};
use crate::cli::failure::Failure;

#[derive(Args)]
pub(crate) struct Attest {
    #[command(flatten)]
    token: TokenArgs,
    /// The third party's private key
    #[arg(long, value_name = "FILE", env = "FAREBOX_THIRD_PARTY_KEY")]
    third_party_key: PathBuf,
    #[command(flatten)]
    passphrase: PassphraseArgs,
    /// The folder of keys that are trusted: nobody states anything of a token that no issuer signed
    #[arg(long, value_name = "DIR", default_value = "keys", env = "FAREBOX_KEYS")]
    keys: PathBuf,
    /// What is said: change_approved
    #[arg(long, value_parser = StatementName::parse)]
    name: StatementName,
    /// Of what: CHG-17
    #[arg(long, value_name = "TEXT", value_parser = CaveatText::parse)]
    value: CaveatText,
}

impl Attest {
    pub(super) fn run(&self, stdin: &mut Stdin) -> Result<Answer, Failure> {
        let token = self.token.read(stdin)?;
        let grant = super::grant_of(&token)?;
        let key = self.passphrase.private_key(&self.third_party_key)?;
        let keys = Arc::new(Keys::new(KeyRing::load(&self.keys)?));
        let presented = Presented::read(token.expose()).map_err(Failure::Refused)?;
        let payload = Verifier::new(keys, Registered::Anyhow)
            .statement_payload(presented, &self.name, &self.value)
            .map_err(Failure::Refused)?;
        let statement = Statement {
            name: self.name.clone(),
            value: self.value.clone(),
            key: key.public(),
            signature: key.sign(&payload),
        };
        let attested = token::append_statement(&token, &statement)?;
        let json = json!({
            "grant": grant.to_string(),
            "token": attested.expose(),
            "name": self.name.as_str(),
            "value": self.value.as_str(),
            "key": key.public().to_string(),
        });
        let note = format!(
            "grant {grant} now carries {}({:?}), said by key {}",
            self.name.as_str(),
            self.value.as_str(),
            key.public()
        );
        Ok(Answer::done(vec![attested.expose().to_owned()], json).with_note(note))
    }
}
