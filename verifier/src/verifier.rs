//! The verifier: decides offline whether a token covers a request.

use std::num::NonZeroUsize;
use std::sync::Arc;

use crate::caveat::{Caveat, CaveatText, Circumstances, Outputs, StatementName};
use crate::clock::{Clock, SystemClock, UnixSeconds};
use crate::crypto::Signature;
use crate::feed::Follower;
use crate::grant::{Grant, Uses};
use crate::key::PublicKey;
use crate::keys::{Issuer, Keys};
use crate::name::{Action, Audience, Resource};
use crate::params::pointer::Pointer;
use crate::params::{Params, ParamsDigest, ParamsError};
use crate::passage::{Presented, Verified};
use crate::proof::{Proof, RequestDigest};
use crate::refusal::Refusal;
use crate::token::layout::Content;
use crate::token::{self, Flaw, chain};
use crate::wire::envelope::Envelope;

/// What was sent with the request.
#[derive(Clone, Copy, Debug)]
pub enum Sent<'a> {
    /// The parameters themselves.
    Params(&'a Params),
    /// Only their digest: enough for a token that binds them exactly, and for no other.
    Digest(ParamsDigest),
}

impl Sent<'_> {
    fn params(&self) -> Option<&Params> {
        if let Sent::Params(params) = self { Some(params) } else { None }
    }

    fn digest(&self) -> ParamsDigest {
        match self {
            Sent::Params(params) => params.digest(),
            Sent::Digest(digest) => *digest,
        }
    }

    /// The digest without the members that vary.
    pub(crate) fn digest_for(&self, grant: &Grant) -> Result<ParamsDigest, NoDigest> {
        match self {
            _ if grant.varies.is_empty() => Ok(self.digest()),
            Sent::Digest(_) => Err(NoDigest::Unreadable),
            Sent::Params(params) => match params.digest_without(&grant.varies) {
                Ok(digest) => Ok(digest),
                Err(ParamsError::Absent { pointer } | ParamsError::NotAMember { pointer }) => {
                    Err(NoDigest::Absent(pointer))
                }
                Err(_) => Err(NoDigest::Unreadable),
            },
        }
    }
}

/// Why there is no digest without the members that vary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NoDigest {
    /// Only a digest of all was given.
    Unreadable,
    /// A member that varies was not sent.
    Absent(Pointer),
}

/// A request, as the API that received it sees it.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The API itself.
    pub audience: &'a Audience,
    /// What the request asks to be done.
    pub action: &'a Action,
    /// To what.
    pub resource: &'a Resource,
    /// With which parameters.
    pub sent: Sent<'a>,
    /// The proofs that came with it.
    pub proofs: &'a [Proof],
    /// Whether the result will be held to the token's output caveats.
    pub outputs: Outputs,
}

impl Request<'_> {
    /// The digest that holders prove over.
    #[must_use]
    pub fn digest(&self) -> RequestDigest {
        RequestDigest::of(self.action, self.resource, self.audience, self.sent.digest(), None)
    }
}

/// Which registrations a token must show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Registered {
    /// So that this many stores must agree: one, or a quorum's majority. Of a quorum's servers one may
    /// have been away when the grant was registered; which ones they are is for the store to say.
    In(NonZeroUsize),
    /// In any number, none included: for the memory store, which registers nothing.
    Anyhow,
}

/// Whether tokens that need no store are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FreshTokens {
    /// They are refused: every action is spent.
    Refused,
    /// They are taken, where the token itself says so.
    Taken,
}

/// A token of a trusted issuer, for a request that is not known yet.
pub(crate) struct Authentic {
    presented: Presented,
    key_id: u32,
    /// The signature of its last block, which proofs are over.
    last: Signature,
}

impl Authentic {
    #[cfg(feature = "tower")]
    pub(crate) fn grant(&self) -> &Grant {
        self.presented.grant()
    }
}

/// Decides offline whether a token covers a request. Cheap to clone, and safe to share.
#[derive(Clone)]
pub struct Verifier {
    keys: Arc<Keys>,
    clock: Arc<dyn Clock>,
    registered: Registered,
    fresh: FreshTokens,
    /// The feeds that tokens without a store are held to.
    followed: Vec<Arc<Follower>>,
}

impl Verifier {
    /// A verifier that trusts these keys and takes tokens registered as said.
    #[must_use]
    pub fn new(keys: Arc<Keys>, registered: Registered) -> Verifier {
        let (clock, fresh) = (Arc::new(SystemClock), FreshTokens::Refused);
        Verifier { keys, clock, registered, fresh, followed: Vec::new() }
    }

    /// The same with another clock.
    #[must_use]
    pub fn with_clock(self, clock: Arc<dyn Clock>) -> Verifier {
        Verifier { clock, ..self }
    }

    /// The same with another word on tokens that need no store.
    #[must_use]
    pub fn with_fresh_tokens(self, fresh: FreshTokens) -> Verifier {
        Verifier { fresh, ..self }
    }

    /// The same, which takes tokens that need no store while this feed is fresh and covers none of them. Whoever
    /// trusts several issuers follows the feed of each.
    #[must_use]
    pub fn following(mut self, feed: Arc<Follower>) -> Verifier {
        self.followed.push(feed);
        Verifier { fresh: FreshTokens::Taken, ..self }
    }

    /// Decides whether the token covers the request. Nothing is spent, and no store is asked.
    ///
    /// # Errors
    /// [`Refusal`], the first in the order of the checks.
    pub fn verify(&self, presented: Presented, request: &Request<'_>) -> Result<Verified, Refusal> {
        self.decide(self.authenticate(presented)?, request)
    }

    /// What a third party signs to state `name(value)` of this token, which an issuer that is trusted here
    /// did sign.
    ///
    /// # Errors
    /// [`Refusal`] where nobody trusted signed what the token says.
    pub fn statement_payload(
        &self,
        presented: Presented,
        name: &StatementName,
        value: &CaveatText,
    ) -> Result<Vec<u8>, Refusal> {
        let authentic = self.authenticate(presented)?;
        let payload = token::unverified_statement_payload(authentic.presented.text(), name, value);
        payload.or(Err(Refusal::BadToken(Flaw::Layout)))
    }

    /// Checks who signed the token, for which the request need not be known.
    pub(crate) fn authenticate(&self, presented: Presented) -> Result<Authentic, Refusal> {
        let envelope = Envelope::read(presented.bytes()).map_err(Refusal::BadToken)?;
        let key_id = self.check_signatures(&envelope)?;
        self.check_kind(presented.grant())?;
        let last = envelope.last().signature;
        Ok(Authentic { presented, key_id, last })
    }

    /// Whether it could cover a request for this action now, whatever else the request says: of a dead
    /// token, or another's, nobody reads a body.
    #[cfg(feature = "tower")]
    pub(crate) fn expect(
        &self,
        authentic: &Authentic,
        audience: &Audience,
        action: &Action,
    ) -> Result<(), Refusal> {
        check_window(authentic.presented.content(), self.clock.now())?;
        check_purpose(authentic.grant(), audience, action)
    }

    /// Decides whether a token that somebody trusted signed covers the request.
    pub(crate) fn decide(
        &self,
        authentic: Authentic,
        request: &Request<'_>,
    ) -> Result<Verified, Refusal> {
        let now = self.clock.now();
        let Authentic { presented, key_id, last } = authentic;
        let content = presented.content();
        let end = check_window(content, now)?;
        check_request(&content.grant, request)?;
        let proved = check_proofs(content, &last, request, now)?;
        check_caveats(content, request, now, &proved)?;
        let verified = Verified::new(presented, key_id, end);
        // Whatever is spent is looked up where it is spent.
        if verified.grant().uses == Uses::Fresh {
            let ticket = verified.ticket();
            self.followed.iter().try_for_each(|feed| feed.covers(&ticket, now))?;
        }
        Ok(verified)
    }

    fn check_signatures(&self, envelope: &Envelope<'_>) -> Result<u32, Refusal> {
        let key_id = envelope.key_id;
        let ring = self.keys.now();
        match key_id.and_then(|id| ring.issuer(id).map(|issuer| (id, issuer))) {
            Some((id, Issuer::Trusted(key))) => {
                chain::verify(envelope, key).map_err(Refusal::BadToken)?;
                Ok(id)
            }
            Some((_, Issuer::Retired(_))) => Err(Refusal::UnknownKey { key_id, retired: true }),
            None => Err(Refusal::UnknownKey { key_id, retired: false }),
        }
    }

    fn check_kind(&self, grant: &Grant) -> Result<(), Refusal> {
        if grant.uses == Uses::Fresh {
            return match self.fresh {
                FreshTokens::Taken => Ok(()),
                FreshTokens::Refused => Err(Refusal::BadToken(Flaw::Fresh)),
            };
        }
        let needed = grant.stores.as_ref().map_or(0, |stores| usize::from(stores.needed()));
        match self.registered {
            Registered::In(stores) if stores.get() != needed => {
                Err(Refusal::BadToken(Flaw::Stores))
            }
            _ => Ok(()),
        }
    }
}

/// The second in which the token ends, by its window and by whoever narrowed it.
fn check_window(content: &Content, now: UnixSeconds) -> Result<UnixSeconds, Refusal> {
    let window = content.grant.window;
    let earlier = content
        .grant
        .caveats
        .iter()
        .chain(&content.narrowing)
        .filter_map(|caveat| if let Caveat::Before(end) = caveat { Some(*end) } else { None });
    let end = earlier.fold(window.end(), UnixSeconds::min);
    if now >= end {
        return Err(Refusal::Expired { end, now });
    }
    if now < window.not_before() {
        return Err(Refusal::NotYetValid { not_before: window.not_before(), now });
    }
    Ok(end)
}

fn check_purpose(grant: &Grant, audience: &Audience, action: &Action) -> Result<(), Refusal> {
    if grant.audience != *audience {
        let (granted, asked) = (grant.audience.clone(), audience.clone());
        return Err(Refusal::WrongAudience { granted, asked });
    }
    if grant.action != *action {
        let (granted, asked) = (grant.action.clone(), action.clone());
        return Err(Refusal::WrongAction { granted, asked });
    }
    Ok(())
}

fn check_request(grant: &Grant, request: &Request<'_>) -> Result<(), Refusal> {
    check_purpose(grant, request.audience, request.action)?;
    if grant.resource != *request.resource {
        let (granted, asked) = (grant.resource.clone(), request.resource.clone());
        return Err(Refusal::WrongResource { granted, asked });
    }
    let granted = grant.params;
    match request.sent.digest_for(grant) {
        Ok(asked) if asked == granted => Ok(()),
        Ok(asked) => Err(Refusal::WrongParams { granted, asked: Some(asked) }),
        Err(NoDigest::Unreadable) => Err(Refusal::WrongParams { granted, asked: None }),
        // A member that may vary and was not sent is no other parameter: its bound does not hold.
        Err(NoDigest::Absent(at)) => {
            let mut caveats = grant.caveats.iter();
            match caveats.find(|caveat| caveat.place() == Some(&at)) {
                Some(caveat) => Err(Refusal::CaveatFailed(Box::new(caveat.clone()))),
                None => Err(Refusal::WrongParams { granted, asked: None }),
            }
        }
    }
}

/// The keys whose possession was proved, of those that the token asks for.
fn check_proofs(
    content: &Content,
    last: &Signature,
    request: &Request<'_>,
    now: UnixSeconds,
) -> Result<Vec<PublicKey>, Refusal> {
    let demanded = content
        .grant
        .caveats
        .iter()
        .chain(&content.narrowing)
        .filter_map(|caveat| if let Caveat::Proved(key) = caveat { Some(*key) } else { None });
    let mut keys = content.grant.holder.into_iter().chain(demanded).peekable();
    if keys.peek().is_none() {
        return Ok(Vec::new());
    }
    // Once, however many keys: it is over all that was sent.
    let digest = request.digest();
    let mut proved = Vec::new();
    for key in keys {
        if proved.contains(&key) {
            continue;
        }
        // One proof for each key: a second try at the same key would be work for nothing.
        let Some(proof) = request.proofs.iter().find(|proof| proof.key() == key) else {
            return Err(Refusal::HolderProofMissing { key });
        };
        proof
            .check(request.audience, last, &digest, now)
            .map_err(|why| Refusal::HolderProofInvalid { key, why })?;
        proved.push(key);
    }
    Ok(proved)
}

fn check_caveats(
    content: &Content,
    request: &Request<'_>,
    now: UnixSeconds,
    proved: &[PublicKey],
) -> Result<(), Refusal> {
    let known = Circumstances {
        now,
        params: request.sent.params(),
        proved,
        statements: &content.statements,
        outputs: request.outputs,
    };
    let mut caveats = content.grant.caveats.iter().chain(&content.narrowing);
    match caveats.find(|caveat| !caveat.holds(&known)) {
        Some(caveat) => Err(Refusal::CaveatFailed(Box::new(caveat.clone()))),
        None => Ok(()),
    }
}
