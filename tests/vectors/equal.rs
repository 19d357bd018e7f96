//! What farebox writes is, byte for byte, what biscuit-auth writes of the same facts and checks.

use biscuit_auth::format::schema::Biscuit;
use farebox_verifier::token::{self, MintError, TokenText};
use farebox_verifier::{Caveat, Grant, Presented};

use super::biscuit::{self, build, builder, encode, read};
use super::fixture::{ISSUER, Key};
use super::forge;
use super::random::Random;
use super::verified::holder_block;

const GRANTS: usize = 600;

/// A random grant's token, or nothing where the grant fits none.
fn minted(random: &mut Random) -> Option<(Grant, Key, TokenText)> {
    let (grant, next) = (random.grant(), Key(u8::try_from(0x40 + random.below(64)).unwrap()));
    let issuer = ISSUER.private();
    match token::mint(&grant, 1, &next.seed(), |message| issuer.sign(message)) {
        Ok(token) => Some((grant, next, token)),
        Err(MintError::TooLarge(_)) => None,
        Err(why) => panic!("{why}: {grant:?}"),
    }
}

#[test]
fn a_minted_token_is_the_bytes_that_biscuit_auth_makes() {
    let mut random = Random(0x6661_7265_626f_7831);
    let mut compared = 0;
    for _ in 0..GRANTS {
        let Some((grant, next, token)) = minted(&mut random) else { continue };
        let theirs = encode(&build(builder(&grant), &next.biscuit()));
        assert_eq!(token.expose(), theirs, "{grant:?}");
        let presented = Presented::read(&theirs).unwrap();
        assert_eq!(presented.unverified().grant(), &grant);
        compared += 1;
    }
    assert!(compared > GRANTS * 9 / 10, "{compared} of {GRANTS} fit a token");
}

#[test]
fn a_holders_block_is_the_bytes_that_biscuit_auth_makes() {
    let mut random = Random(0x6e61_7272_6f77_2121);
    let mut compared = 0;
    for _ in 0..GRANTS / 2 {
        let Some((_, _, token)) = minted(&mut random) else { continue };
        let caveats: Vec<Caveat> = (0..=random.below(6)).map(|_| random.holders_caveat()).collect();
        // What fits no token is as much a refusal as before.
        let Ok(ours) = token::narrow(&token, &caveats) else { continue };
        let theirs = biscuit::append(token.expose(), holder_block(&caveats), Key(0x30));
        assert_eq!(last_block(ours.expose()), last_block(&theirs), "{caveats:?}");
        let presented = Presented::read(&theirs).unwrap();
        assert_eq!(presented.unverified().narrowing(), caveats);
        // The next keys differ, and with them the signatures: that ours hold is theirs to say.
        assert_eq!(read(ours.expose()).block_count(), 2);
        compared += 1;
    }
    assert!(compared > GRANTS / 3, "{compared} of {} fit a token", GRANTS / 2);
}

fn last_block(token: &str) -> (Vec<u8>, u32) {
    let Biscuit { blocks, .. } = forge::decode(token);
    let signed = blocks.last().unwrap();
    (signed.block.clone(), signed.version.unwrap_or_default())
}
