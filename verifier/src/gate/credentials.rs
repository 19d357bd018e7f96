//! Token and proofs, taken out of a request's headers: nobody behind the gate sees them.

use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, HeaderName, HeaderValue};

use super::problem::{Fault, Malformed};
use crate::limits;
use crate::passage::Presented;
use crate::proof::Proof;
use crate::refusal::Refusal;
use crate::token::Flaw;

/// For clients whose `Authorization` another layer takes.
const TOKEN: HeaderName = HeaderName::from_static("farebox-token");
const PROOF: HeaderName = HeaderName::from_static("farebox-proof");

/// Takes the token and the proofs.
pub(super) fn take(headers: &mut HeaderMap) -> Result<(Presented, Vec<Proof>), Fault> {
    let text = take_token(headers)?;
    let proofs = take_proofs(headers)?;
    Ok((Presented::read(&text)?, proofs))
}

fn take_token(headers: &mut HeaderMap) -> Result<String, Fault> {
    if let Some(value) = only(headers, &TOKEN)? {
        let text = text(value)?.to_owned();
        headers.remove(TOKEN);
        return Ok(text);
    }
    let Some(value) = only(headers, &AUTHORIZATION)? else { return Err(Fault::Unauthenticated) };
    let (scheme, token) = text(value)?.split_once(' ').ok_or(Fault::Unauthenticated)?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(Fault::Unauthenticated);
    }
    let token = token.trim_start_matches(' ').to_owned();
    headers.remove(AUTHORIZATION);
    Ok(token)
}

/// Two tokens are two meanings: whoever stands in front may have looked at the other one.
fn only<'a>(
    headers: &'a HeaderMap,
    name: &HeaderName,
) -> Result<Option<&'a HeaderValue>, Malformed> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (_, Some(_)) => Err(Malformed::TwoTokens),
        (only, None) => Ok(only),
    }
}

fn text(value: &HeaderValue) -> Result<&str, Refusal> {
    value.to_str().or(Err(Refusal::BadToken(Flaw::Text)))
}

fn take_proofs(headers: &mut HeaderMap) -> Result<Vec<Proof>, Malformed> {
    let proofs = headers.get_all(PROOF).iter().take(limits::PROOFS_MAX + 1).map(|value| {
        let text = value.to_str().or(Err(Malformed::Proofs))?;
        Proof::parse(text).or(Err(Malformed::Proofs))
    });
    let proofs = proofs.collect::<Result<Vec<_>, _>>()?;
    headers.remove(PROOF);
    if proofs.len() > limits::PROOFS_MAX { Err(Malformed::Proofs) } else { Ok(proofs) }
}
