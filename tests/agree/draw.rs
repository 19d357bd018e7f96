//! A token and a request, drawn together: minted, stated of, narrowed, sealed, proved.

use biscuit_auth::UnverifiedBiscuit;
use farebox::signer::PrivateKey;
use farebox_verifier::token::{self, Statement};
use farebox_verifier::{
    Action, Audience, Caveat, CaveatText, Grant, GrantId, Outputs, Proof, PublicKey, RequestDigest,
    Resource, TokenText, UnixSeconds,
};

use super::asked::{Asked, Sees};
use super::chance::Chance;
use super::engine;
use super::grants;
use super::values::{self, WORDS};
use super::world::{NOW, World};

/// A token, and a request that it may cover.
pub(crate) struct Drawn {
    pub(crate) token: TokenText,
    pub(crate) grant: Grant,
    pub(crate) asked: Asked,
    /// What became of the token after it was minted.
    pub(crate) steps: Vec<&'static str>,
}

/// A token and a request.
pub(crate) fn drawn(chance: &mut Chance, world: &World) -> Drawn {
    let mut asked = request(chance);
    let grant = grants::grant(chance, world, &asked);
    let mut token = world.signer.mint(&grant).unwrap();
    let mut demanded: Vec<PublicKey> = grant.holder.into_iter().collect();
    demanded.extend(grant.caveats.iter().filter_map(proved));
    let mut steps = Vec::new();
    let statement_at = chance.below(3);
    for step in 0..3 {
        if step == statement_at
            && let Some(stated) = state(chance, world, &token, &grant)
        {
            token = stated;
            steps.push("stated of");
        }
        if step < 2 && chance.once_in(4) {
            let caveats = narrowing(chance, world, &asked);
            demanded.extend(caveats.iter().filter_map(proved));
            token = token::narrow(&token, &caveats).unwrap();
            steps.push("narrowed");
        }
    }
    if chance.once_in(10) {
        token = sealed(&token);
        steps.push("sealed");
    }
    for key in demanded {
        prove(chance, world, &token, key, &mut asked);
    }
    disturb(chance, &mut asked);
    Drawn { token, grant, asked, steps }
}

/// The token, closed by the engine.
pub(crate) fn sealed(token: &TokenText) -> TokenText {
    let open = UnverifiedBiscuit::from_base64(token.expose()).unwrap();
    engine::text(&open.seal().unwrap().to_vec().unwrap())
}

fn request(chance: &mut Chance) -> Asked {
    Asked {
        audience: Audience::parse(chance.pick(&WORDS)).unwrap(),
        action: Action::parse(chance.pick(&WORDS)).unwrap(),
        resource: Resource::parse(chance.pick(&WORDS)).unwrap(),
        params: values::params(chance),
        sees: Sees::Params,
        proofs: Vec::new(),
        outputs: Outputs::Enforced,
        now: if chance.once_in(50) { UnixSeconds::MAX.minus(5000) } else { NOW },
    }
}

/// Asks for something else, where chance slips.
fn disturb(chance: &mut Chance, asked: &mut Asked) {
    if chance.slip() {
        match chance.below(4) {
            0 => asked.audience = Audience::parse(chance.pick(&WORDS)).unwrap(),
            1 => asked.action = Action::parse(chance.pick(&WORDS)).unwrap(),
            2 => asked.resource = Resource::parse(chance.pick(&WORDS)).unwrap(),
            _ => asked.params = values::params(chance),
        }
    }
    if chance.slip() {
        asked.sees = Sees::Digest;
    }
    if chance.slip() {
        asked.outputs = Outputs::Unseen;
    }
    if chance.slip() {
        asked.now = asked.now.plus(*chance.choose(&[1, 2, 59, 60, 61]));
    }
}

/// Caveats that a holder may append.
pub(crate) fn narrowing(chance: &mut Chance, world: &World, asked: &Asked) -> Vec<Caveat> {
    let mut caveats = Vec::new();
    while caveats.is_empty() || chance.once_in(2) && caveats.len() < 5 {
        let caveat = grants::caveat(chance, world, asked);
        caveats.extend(caveat.may_be_appended().then_some(caveat));
    }
    caveats
}

fn proved(caveat: &Caveat) -> Option<PublicKey> {
    if let Caveat::Proved(key) = caveat { Some(*key) } else { None }
}

/// What the token's third party says: what is demanded, or where chance slips something else of the
/// same name, nothing, or the same of another token.
fn state(
    chance: &mut Chance,
    world: &World,
    token: &TokenText,
    grant: &Grant,
) -> Option<TokenText> {
    let (name, value, key) = grant.caveats.iter().find_map(|caveat| match caveat {
        Caveat::Signed(name, value, key) => Some((name.clone(), value.clone(), *key)),
        _ => None,
    })?;
    let slip = if chance.slip() { chance.below(3) } else { 3 };
    let value = if slip == 0 { CaveatText::parse("other").unwrap() } else { value };
    let other = Grant { id: GrantId::from_bytes([0; 16]), ..grant.clone() };
    let about = if slip == 1 { &world.signer.mint(&other).unwrap() } else { token };
    let payload = token::unverified_statement_payload(about, &name, &value).unwrap();
    let party = world.parties.iter().find(|party| party.public() == key)?;
    let statement = Statement { name, value, key, signature: party.sign(&payload) };
    (slip != 2).then(|| token::append_statement(token, &statement).unwrap())
}

/// The request with a good proof by every holder.
pub(crate) fn proved_by_all(world: &World, token: &TokenText, asked: &Asked) -> Asked {
    let digest = asked.params.digest();
    let digest = RequestDigest::of(&asked.action, &asked.resource, &asked.audience, digest, None);
    let prove = |holder: &PrivateKey| {
        let by = (holder.public(), asked.now);
        Proof::make(token, &asked.audience, &digest, by, |message| holder.sign(message)).unwrap()
    };
    Asked { proofs: world.holders.iter().map(prove).collect(), ..asked.clone() }
}

/// A proof by this key, where chance slips one that is worth nothing, or none.
fn prove(chance: &mut Chance, world: &World, token: &TokenText, key: PublicKey, asked: &mut Asked) {
    let holder = world.holders.iter().find(|holder| holder.public() == key).unwrap();
    let slip = if chance.slip() { chance.below(7) } else { 7 };
    let by = if slip == 0 { &world.holders[0] } else { holder };
    let at = match slip {
        1 => *chance.choose(&[asked.now.minus(31), asked.now.plus(31)]),
        _ => *chance.choose(&[asked.now, asked.now.minus(30), asked.now.plus(30)]),
    };
    let resource = match slip {
        2 => &Resource::parse("another").unwrap(),
        _ => &asked.resource,
    };
    let digest = asked.params.digest();
    let digest = RequestDigest::of(&asked.action, resource, &asked.audience, digest, None);
    let sign = |message: &[u8]| by.sign(message);
    let proof = Proof::make(token, &asked.audience, &digest, (key, at), sign).unwrap();
    match slip {
        3 | 4 => {}
        // Two by one key: the first counts.
        5 => asked.proofs.insert(0, proof),
        6 => asked.proofs.extend([proof.clone(), proof]),
        _ => asked.proofs.push(proof),
    }
}
