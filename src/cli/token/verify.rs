//! Verification on the command line: the same verdict as an API's, and on demand the engine's beside it.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use farebox_verifier::facts::facts;
use farebox_verifier::{
    Clock as _, GrantId, KeyRing, Keys, ManualClock, Outputs, Presented, Proof, Refusal,
    Registered, Request, SystemClock, TokenText, UnixSeconds, Verified, Verifier,
};
use serde_json::{Value, json};

use crate::cli::Exit;
use crate::cli::answer::Answer;
use crate::cli::argument::{self, RequestArgs, Stdin, TokenArgs};
use crate::cli::failure::Failure;
use crate::oracle::{Oracle, TimedOut, Verdict};

const NOTHING_SPENT: &str = "nothing was spent: whether the grant was used is for its store to say";
const REPORT: &str = "farebox and the engine disagree, which is a mistake in one of them: do not rely on \
                      this token, and please report it with the output of `farebox token inspect`";

#[derive(Args)]
pub(crate) struct Verify {
    #[command(flatten)]
    token: TokenArgs,
    /// The folder of keys to trust
    #[arg(long, value_name = "DIR", env = "FAREBOX_KEYS")]
    keys: PathBuf,
    #[command(flatten)]
    request: RequestArgs,
    /// A holder's proof, as `farebox token prove` makes it; may be given several times
    #[arg(long, value_name = "PROOF")]
    proof: Vec<String>,
    /// Decide as of this time; left out, now
    #[arg(long, value_name = "DATE", value_parser = argument::date)]
    at: Option<UnixSeconds>,
    /// Take it that the API holds its result to the token's output caveats
    #[arg(long)]
    output_enforced: bool,
    /// Ask biscuit-auth's Datalog engine too, and say both verdicts
    #[arg(long)]
    engine: bool,
}

impl Verify {
    pub(super) fn run(&self, stdin: &mut Stdin) -> Result<Answer, Failure> {
        let token = self.token.read(stdin)?;
        let given = self.request.params.read(stdin)?;
        let proofs: Result<Vec<_>, _> = self.proof.iter().map(|text| Proof::parse(text)).collect();
        let RequestArgs { audience, action, resource, .. } = &self.request;
        let outputs = if self.output_enforced { Outputs::Enforced } else { Outputs::Unseen };
        let (proofs, sent) = (proofs?, given.sent());
        let request = Request { audience, action, resource, sent, proofs: &proofs, outputs };
        self.decide(&token, &request)
    }

    fn decide(&self, token: &TokenText, request: &Request<'_>) -> Result<Answer, Failure> {
        let ring = KeyRing::load(&self.keys)?;
        let now = self.at.unwrap_or_else(|| SystemClock.now());
        let presented = match Presented::read(token.expose()) {
            Ok(presented) => presented,
            Err(refusal) => return Ok(self.unreadable(&refusal)),
        };
        let engine = self.engine.then(|| {
            let facts = facts(&presented, request, now);
            Oracle::new(&ring).ask(&presented, &facts)
        });
        let verifier = Verifier::new(Arc::new(Keys::new(ring)), Registered::Anyhow)
            .with_clock(Arc::new(ManualClock::at(now)));
        let farebox = verifier.verify(presented, request);
        let answer = match &farebox {
            Ok(verified) => accepted(verified),
            Err(refusal) => refused(refusal),
        };
        let farebox = farebox.ok().map(|verified| verified.grant().id);
        Ok(match engine {
            None => answer,
            Some(Ok(verdict)) => with_verdict(answer, farebox, &verdict),
            Some(Err(timed_out)) => without_verdict(answer, timed_out),
        })
    }

    /// What is not of the layout the engine is not asked about: it speaks more than the layout does.
    fn unreadable(&self, refusal: &Refusal) -> Answer {
        let mut answer = refused(refusal);
        if self.engine {
            answer.lines.push("engine: not asked, the token is not of farebox's layout".to_owned());
            insert(&mut answer.json, "engine", Value::Null);
        }
        answer
    }
}

fn accepted(verified: &Verified) -> Answer {
    let (grant, until) = (verified.grant(), verified.end());
    let outputs: Vec<String> = verified.outputs().map(ToString::to_string).collect();
    let mut lines = vec![
        "verified".to_owned(),
        format!("grant  {}", grant.id),
        format!("agent  {}", grant.agent),
        format!("until  {until}"),
    ];
    lines.extend(outputs.iter().map(|output| format!("the API must see to it that {output}")));
    let json = json!({
        "verified": true,
        "grant": grant.id.to_string(),
        "agent": grant.agent.as_str(),
        "until": until.to_string(),
        "outputs": outputs,
        "spent": false,
        "note": NOTHING_SPENT,
    });
    Answer::done(lines, json).with_note(NOTHING_SPENT)
}

fn refused(refusal: &Refusal) -> Answer {
    let code = refusal.code();
    let lines = vec![format!("refused: {code}: {refusal}")];
    let json = json!({ "verified": false, "code": code, "detail": refusal.to_string() });
    Answer { exit: Exit::Refused, lines, notes: Vec::new(), json }
}

fn with_verdict(mut answer: Answer, farebox: Option<GrantId>, engine: &Verdict) -> Answer {
    let (said, grant) = match engine {
        Verdict::Accepted(grant) => (format!("verified, grant {grant}"), Some(*grant)),
        Verdict::Refused(why) => (format!("refused: {why}"), None),
    };
    answer.lines.push(format!("engine: {said}"));
    insert(&mut answer.json, "engine", json!({ "verified": grant.is_some(), "detail": said }));
    insert(&mut answer.json, "agreed", json!(farebox == grant));
    if farebox == grant {
        return answer;
    }
    insert(&mut answer.json, "note", json!(REPORT));
    answer.exit = Exit::Internal;
    answer.with_note(REPORT)
}

/// Nobody who asked for two verdicts is to take one for both.
fn without_verdict(mut answer: Answer, timed_out: TimedOut) -> Answer {
    answer.lines.push(format!("engine: cannot say: {timed_out}"));
    insert(
        &mut answer.json,
        "engine",
        json!({ "verified": null, "detail": timed_out.to_string() }),
    );
    insert(&mut answer.json, "agreed", Value::Null);
    answer.exit = Exit::Internal;
    answer
}

fn insert(json: &mut Value, name: &str, value: Value) {
    if let Some(members) = json.as_object_mut() {
        members.insert(name.to_owned(), value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_engine_that_cannot_say_is_no_agreement() {
        let answer = without_verdict(Answer::done(Vec::new(), json!({})), TimedOut);
        assert_eq!(answer.exit, Exit::Internal);
        assert_eq!(answer.json["agreed"], Value::Null);
    }

    #[test]
    fn a_disagreement_is_an_internal_failure_that_asks_to_be_reported() {
        let (one, other) = (GrantId::from_bytes([1; 16]), GrantId::from_bytes([2; 16]));
        let answer = || Answer::done(Vec::new(), json!({}));
        let refused = Verdict::Refused("no".to_owned());
        let table = [
            (Some(one), Verdict::Accepted(one), Exit::Done),
            (None, refused.clone(), Exit::Done),
            (Some(one), refused, Exit::Internal),
            (None, Verdict::Accepted(one), Exit::Internal),
            (Some(one), Verdict::Accepted(other), Exit::Internal),
        ];
        for (farebox, engine, exit) in table {
            let answer = with_verdict(answer(), farebox, &engine);
            assert_eq!(answer.exit, exit);
            assert_eq!(answer.json["agreed"], json!(exit == Exit::Done));
            assert_eq!(answer.notes.len(), usize::from(exit == Exit::Internal));
        }
    }
}
