//! A statement about one request, signed with a third party's key.

use std::path::PathBuf;

use clap::Args;
use farebox_verifier::params::json::Json;
use farebox_verifier::{
    Agent, Bounds, CaveatText, Clock as _, RequestDigest, StatementName, SystemClock, ThirdParty,
};
use serde_json::json;

use crate::cli::answer::Answer;
use crate::cli::argument::{PassphraseArgs, RequestArgs, Source, Stdin};
use crate::cli::failure::Failure;
use crate::evidence::Statement;
use crate::limits::EVIDENCE_SECONDS_MAX;

#[derive(Args)]
pub(crate) struct Sign {
    /// The third party's name, under which its key is known: prompt-check
    #[arg(long = "as", value_name = "NAME", value_parser = ThirdParty::parse)]
    signer: ThirdParty,
    /// The third party's private key
    #[arg(long, value_name = "FILE", env = "FAREBOX_THIRD_PARTY_KEY")]
    third_party_key: PathBuf,
    #[command(flatten)]
    passphrase: PassphraseArgs,
    #[command(flatten)]
    request: RequestArgs,
    /// The bounds of the request, as JSON, as @FILE or as - for standard input
    #[arg(long, value_name = "JSON")]
    bounds: Option<Source>,
    /// Who asks, as the issuer knows it: key:billing
    #[arg(long, value_parser = Agent::parse)]
    agent: Agent,
    /// What is said: prompt_check
    #[arg(long, value_parser = StatementName::parse)]
    name: StatementName,
    /// Of what: clean
    #[arg(long, value_name = "TEXT", value_parser = CaveatText::parse)]
    value: CaveatText,
    /// How long it holds
    #[arg(long, value_name = "SECONDS", default_value_t = 300,
          value_parser = clap::value_parser!(u64).range(1..=EVIDENCE_SECONDS_MAX))]
    seconds: u64,
    /// The idempotency key of the one request that it counts for
    #[arg(long, value_name = "KEY")]
    nonce: Option<String>,
}

impl Sign {
    pub(super) fn run(&self, stdin: &mut Stdin) -> Result<Answer, Failure> {
        let RequestArgs { action, resource, audience, params, .. } = &self.request;
        let params = params.read(stdin)?.digest();
        let bounds = match &self.bounds {
            Some(source) => {
                let json = Json::parse(&source.read(stdin)?).map_err(Failure::BoundsJson)?;
                Some(Bounds::from_json(&json)?)
            }
            None => None,
        };
        let made = SystemClock.now();
        let statement = Statement {
            request: RequestDigest::of(action, resource, audience, params, bounds.as_ref()),
            agent: self.agent.clone(),
            name: self.name.clone(),
            value: self.value.clone(),
            made,
            end: made.plus(self.seconds),
            nonce: self.nonce.clone(),
        };
        let key = self.passphrase.private_key(&self.third_party_key)?;
        let signed = statement.sign(&self.signer, |message| key.sign(message));
        let json = json!({
            "evidence": signed,
            "signer": self.signer.as_str(),
            "name": self.name.as_str(),
            "value": self.value.as_str(),
            "expires_at": statement.end.to_string(),
        });
        let note = format!(
            "{} says {} {}, until {}",
            self.signer,
            self.name.as_str(),
            self.value.as_str(),
            statement.end
        );
        Ok(Answer::done(vec![signed], json).with_note(note))
    }
}
