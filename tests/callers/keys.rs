//! API keys: taken from whoever has one, and from nobody else.

use farebox::callers::{CredentialKind, Owners, Reason, Rights, Role, Settings, first_key};
use farebox_verifier::{Agent, Audience, UnixSeconds};

use super::ground::{Ground, NOW, minting, name};

#[tokio::test]
async fn whoever_has_a_key_is_the_caller_that_it_was_made_for() {
    let ground = Ground::new();
    let rights = Rights {
        roles: [Role::Spend].into_iter().collect(),
        spends_for: vec![Audience::parse("payments-api").unwrap()],
        attributes: vec![("team".into(), "payments".into())],
        ..Rights::default()
    };
    let folder = ground.callers.folder();
    let (_, secret) = folder.add(&name("payments"), rights, None, UnixSeconds(NOW)).unwrap();
    assert_eq!(ground.who(secret.expose()).await, Err(Reason::NoSuchKey), "not read yet");
    assert!(ground.callers.tend().unwrap().changed);
    let caller = ground.who(secret.expose()).await.unwrap();
    assert_eq!(caller.name.as_str(), "key:payments");
    assert!(caller.may_spend_for(&Audience::parse("payments-api").unwrap()));
    assert_eq!(caller.attributes, [("team".to_owned(), "payments".to_owned())]);
    assert_eq!(caller.credential, CredentialKind::ApiKey { id: secret.id() });
    assert_eq!(caller.authenticated, UnixSeconds(NOW));
    assert!(!ground.callers.tend().unwrap().changed, "nothing has changed since");
}

#[tokio::test]
async fn nobody_else_is() {
    let ground = Ground::new();
    let first = first_key(ground.path(), UnixSeconds(NOW)).unwrap().unwrap();
    let _reread = ground.callers.reread().unwrap();
    let text = first.expose();
    assert!(ground.who(text).await.is_ok());
    let last = if text.ends_with('A') { "E" } else { "A" };
    let (id, secret) = text.split_at(21);
    for (forged, why) in [
        (format!("{}{last}", text.get(..text.len() - 1).unwrap()), Reason::NoSuchKey),
        (format!("fbk_{}_{secret}", "0".repeat(16)), Reason::NoSuchKey),
        (id.to_owned(), Reason::NoSuchKey),
        (format!("{text} "), Reason::NoSuchKey),
        (text.replace("fbk_", "FBK_"), Reason::Neither),
        (secret.to_owned(), Reason::Neither),
        (String::new(), Reason::Neither),
        ("a".repeat(8_193), Reason::TooLong),
    ] {
        assert_eq!(ground.who(&forged).await, Err(why), "{forged}");
    }
}

#[tokio::test]
async fn rotation_overlaps_and_ends() {
    let ground = Ground::new();
    let folder = ground.callers.folder();
    let (_, old) = folder.add(&name("ci"), minting(), None, UnixSeconds(NOW)).unwrap();
    let (_, new) = folder.rotate(&name("ci"), 3_600, None, UnixSeconds(NOW)).unwrap();
    let _reread = ground.callers.tend().unwrap();
    assert!(ground.who(old.expose()).await.is_ok() && ground.who(new.expose()).await.is_ok());
    ground.clock.advance(3_599);
    assert!(ground.who(old.expose()).await.is_ok());
    ground.clock.advance(1);
    let ended = Reason::KeyEnded { id: old.id(), name: name("ci") };
    assert_eq!(ground.who(old.expose()).await, Err(ended));
    assert!(ground.who(new.expose()).await.is_ok());
}

#[tokio::test]
async fn a_key_that_leaked_is_ended_alone_and_a_caller_with_all_its_keys() {
    let ground = Ground::new();
    let folder = ground.callers.folder();
    let (_, one) = folder.add(&name("ci"), minting(), None, UnixSeconds(NOW)).unwrap();
    let (_, two) = folder.rotate(&name("ci"), 3_600, None, UnixSeconds(NOW)).unwrap();
    folder.retire_key(&name("ci"), one.id(), UnixSeconds(NOW)).unwrap();
    let _reread = ground.callers.tend().unwrap();
    assert!(ground.who(one.expose()).await.is_err() && ground.who(two.expose()).await.is_ok());
    folder.retire(&name("ci")).unwrap();
    let _reread = ground.callers.tend().unwrap();
    let retired = Reason::CallerRetired { id: two.id(), name: name("ci") };
    assert_eq!(ground.who(two.expose()).await, Err(retired));
    // Its name is nobody's again, and it has no way back.
    assert!(folder.add(&name("ci"), minting(), None, UnixSeconds(NOW)).is_err());
    assert!(folder.rotate(&name("ci"), 0, None, UnixSeconds(NOW)).is_err());
}

#[tokio::test]
async fn identities_of_one_owner_are_one_person() {
    let mut owners = Owners::default();
    let alice = farebox::store::desk::Owner::parse("alice").unwrap();
    owners.add(Agent::parse("key:laptop").unwrap(), alice.clone()).unwrap();
    let ground = Ground::with(Settings { owners, ..Settings::default() });
    let folder = ground.callers.folder();
    let mut rights = minting();
    rights.owner = Some(farebox::store::desk::Owner::parse("mallory").unwrap());
    let (_, key) = folder.add(&name("laptop"), rights, None, UnixSeconds(NOW)).unwrap();
    let _reread = ground.callers.tend().unwrap();
    // The configuration's word goes before the account's.
    assert_eq!(ground.who(key.expose()).await.unwrap().owner, Some(alice));
}

#[tokio::test]
async fn no_secret_is_kept_or_shown() {
    let ground = Ground::new();
    let folder = ground.callers.folder();
    let (account, key) = folder.add(&name("ci"), minting(), None, UnixSeconds(NOW)).unwrap();
    let secret = key.expose().get(21..).unwrap();
    let kept = std::fs::read_to_string(ground.path().join("callers/ci.json")).unwrap();
    let _reread = ground.callers.tend().unwrap();
    let caller = ground.who(key.expose()).await.unwrap();
    let refused = ground.callers.authenticate(&format!("{}A", key.expose())).await.unwrap_err();
    for shown in [kept, format!("{account:?}"), format!("{caller:?}"), format!("{refused:?}")] {
        assert!(!shown.contains(secret), "{shown}");
    }
}
