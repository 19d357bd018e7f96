//! A holder's proof, for one request.

use std::path::PathBuf;

use clap::Args;
use farebox_verifier::{
    Caveat, Clock as _, Proof, PublicKey, RequestDigest, SystemClock, TokenText, limits,
};
use serde_json::json;

use crate::cli::answer::Answer;
use crate::cli::argument::{PassphraseArgs, RequestArgs, Stdin, TokenArgs};
use crate::cli::failure::Failure;

#[derive(Args)]
pub(crate) struct Prove {
    #[command(flatten)]
    token: TokenArgs,
    /// The holder's private key
    #[arg(long, value_name = "FILE", env = "FAREBOX_HOLDER_KEY")]
    holder_key: PathBuf,
    #[command(flatten)]
    passphrase: PassphraseArgs,
    #[command(flatten)]
    request: RequestArgs,
}

impl Prove {
    pub(super) fn run(&self, stdin: &mut Stdin) -> Result<Answer, Failure> {
        let token = self.token.read(stdin)?;
        let params = self.request.params.read(stdin)?.digest();
        let RequestArgs { audience, action, resource, .. } = &self.request;
        let key = self.passphrase.private_key(&self.holder_key)?;
        let asked = asks_for(&token, &key.public())?;
        let request = RequestDigest::of(action, resource, audience, params, None);
        let now = SystemClock.now();
        let by = (key.public(), now);
        let proof = Proof::make(&token, audience, &request, by, |message| key.sign(message))?;
        let json = json!({
            "proof": proof.to_string(),
            "key": key.public().to_string(),
            "at": now.to_string(),
            "fresh_until": now.plus(limits::PROOF_SECONDS_MAX).to_string(),
            "asked": asked == Asked::Yes,
        });
        let answer = Answer::done(vec![proof.to_string()], json);
        Ok(match asked {
            Asked::Yes => answer,
            Asked::No => answer.with_note("the token asks for no proof by this key"),
        })
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Asked {
    Yes,
    No,
}

fn asks_for(token: &TokenText, key: &PublicKey) -> Result<Asked, Failure> {
    let presented = super::read(token)?;
    let said = presented.unverified();
    let grant = said.grant();
    let mut caveats = grant.caveats.iter().chain(said.narrowing());
    let asked = grant.holder == Some(*key) || caveats.any(|c| *c == Caveat::Proved(*key));
    Ok(if asked { Asked::Yes } else { Asked::No })
}
