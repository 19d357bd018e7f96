//! The list of keys: issuers by number, third parties by name.

use clap::{Args, ValueEnum};
use farebox_verifier::keys::{jwk_text, pem_text};
use farebox_verifier::{Issuer, KeyRing, PublicKey};
use serde_json::{Value, json};

use super::Folder;
use crate::cli::answer::Answer;
use crate::cli::failure::Failure;

#[derive(Args)]
pub(crate) struct List {
    #[command(flatten)]
    folder: Folder,
    /// How keys are written
    #[arg(long, value_enum, default_value_t = Format::Hex)]
    format: Format,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    Hex,
    Pem,
    Jwk,
}

impl List {
    pub(super) fn run(&self) -> Result<Answer, Failure> {
        // Unlike `keys new`, an empty folder is an error here: it is most likely the wrong one.
        let ring = KeyRing::load(&self.folder.dir)?;
        let (mut lines, mut items, mut third_parties) = (Vec::new(), Vec::new(), Vec::new());
        for (id, issuer) in ring.issuers() {
            let (state, key) = match issuer {
                Issuer::Trusted(key) => ("trusted", key),
                Issuer::Retired(key) => ("retired", key),
            };
            lines.extend(self.format.lines(&format!("{id:<12} {state:<12}"), &key, Some(id)));
            let key = self.format.json(&key, Some(id));
            items.push(json!({ "id": id.to_string(), "state": state, "key": key }));
        }
        for (name, key) in ring.third_parties() {
            let start = format!("{:<12} {:<12}", name.as_str(), "third party");
            lines.extend(self.format.lines(&start, key, None));
            third_parties
                .push(json!({ "name": name.as_str(), "key": self.format.json(key, None) }));
        }
        let json = json!({ "items": items, "third_parties": third_parties, "next": null });
        Ok(Answer::done(lines, json))
    }
}

impl Format {
    fn text(self, key: &PublicKey, id: Option<u32>) -> String {
        match self {
            Format::Hex => key.to_string(),
            Format::Pem => pem_text(key),
            Format::Jwk => jwk_text(key, id),
        }
    }

    fn lines(self, start: &str, key: &PublicKey, id: Option<u32>) -> Vec<String> {
        let text = self.text(key, id);
        match self {
            Format::Hex | Format::Jwk => vec![format!("{start} {}", text.trim_end())],
            Format::Pem => {
                let start = std::iter::once(start.trim_end());
                start.chain(text.lines()).map(str::to_owned).collect()
            }
        }
    }

    fn json(self, key: &PublicKey, id: Option<u32>) -> Value {
        let text = self.text(key, id);
        match self {
            Format::Hex | Format::Pem => Value::String(text),
            Format::Jwk => serde_json::from_str(&text).unwrap_or(Value::String(text)),
        }
    }
}
