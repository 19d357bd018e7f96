//! What all cases share: keys of fixed seeds, one grant, one time.

use farebox::signer::{PrivateKey, Signer};
use farebox_verifier::{
    Action, Agent, Audience, Caveat, CaveatText, Grant, GrantId, OneOf, OutputName, Params,
    Pointer, PolicyHash, PublicKey, Resource, StatementName, TokenText, UnixSeconds, Uses, Window,
};
use zeroize::Zeroizing;

/// The second in which every token is minted and most are presented.
pub(super) const NOW: UnixSeconds = UnixSeconds(1_800_000_000);

/// A key pair whose seed is this byte, 32 times.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Key(pub(super) u8);

pub(super) const ISSUER: Key = Key(1);
pub(super) const SECOND_ISSUER: Key = Key(2);
pub(super) const RETIRED_ISSUER: Key = Key(3);
pub(super) const HOLDER: Key = Key(4);
pub(super) const WORKER: Key = Key(5);
pub(super) const CHANGE_MGMT: Key = Key(6);
pub(super) const STRANGER: Key = Key(9);
/// The next keys of blocks that were appended, in their order.
pub(super) const NEXT: [Key; 4] = [Key(0x11), Key(0x12), Key(0x13), Key(0x14)];

/// The keys by the names that the file and its readers have for them.
pub(super) const NAMED: [(&str, Key); 7] = [
    ("issuer 1", ISSUER),
    ("issuer 2", SECOND_ISSUER),
    ("issuer 3, retired", RETIRED_ISSUER),
    ("holder", HOLDER),
    ("worker", WORKER),
    ("change management", CHANGE_MGMT),
    ("stranger", STRANGER),
];

impl Key {
    pub(super) fn seed(self) -> [u8; 32] {
        [self.0; 32]
    }

    pub(super) fn private(self) -> PrivateKey {
        PrivateKey::from_seed(Zeroizing::new(self.seed())).unwrap()
    }

    pub(super) fn public(self) -> PublicKey {
        self.private().public()
    }

    pub(super) fn biscuit(self) -> biscuit_auth::KeyPair {
        let algorithm = biscuit_auth::Algorithm::Ed25519;
        let key = biscuit_auth::PrivateKey::from_bytes(&self.seed(), algorithm).unwrap();
        biscuit_auth::KeyPair::from(&key)
    }
}

pub(super) fn params(text: &str) -> Params {
    Params::parse(text.as_bytes()).unwrap()
}

/// The parameters of most requests.
pub(super) const PARAMS: &str = r#"{"amount": 40, "to": "acme"}"#;

/// The grant that most tokens are of: it asks for nothing but its own request and time.
pub(super) fn grant() -> Grant {
    Grant {
        id: GrantId::from_bytes([7; 16]),
        action: Action::parse("payments.transfer").unwrap(),
        resource: Resource::parse("account/42").unwrap(),
        params: params(PARAMS).digest(),
        audience: Audience::parse("payments-api").unwrap(),
        window: Window::minted(NOW, 60).unwrap(),
        agent: Agent::parse("spiffe://acme/agents/billing").unwrap(),
        policy: PolicyHash::from_bytes([0xab; 32]),
        varies: Vec::new(),
        approval: None,
        stores: None,
        workflow: None,
        purpose: None,
        holder: None,
        uses: Uses::Once,
        caveats: Vec::new(),
    }
}

/// The grant with these caveats.
pub(super) fn with(caveats: impl IntoIterator<Item = Caveat>) -> Grant {
    Grant { caveats: caveats.into_iter().collect(), ..grant() }
}

/// The grant whose amount may be anything from 1 to 100, and whose receiver is one of two.
pub(super) fn bounded() -> Grant {
    Grant {
        params: params(r#"{"note": "rent"}"#).digest(),
        varies: vec![at("/amount"), at("/to")],
        ..with([
            Caveat::IntAtLeast(at("/amount"), 1),
            Caveat::IntAtMost(at("/amount"), 100),
            Caveat::TextOneOf(at("/to"), one_of(["acme", "globex"])),
        ])
    }
}

/// The grant that only its holder may use.
pub(super) fn held() -> Grant {
    Grant { holder: Some(HOLDER.public()), ..grant() }
}

/// The grant that change management must speak for.
pub(super) fn signed() -> Grant {
    let name = StatementName::parse("change_approved").unwrap();
    with([Caveat::Signed(name, text("CHG-17"), CHANGE_MGMT.public())])
}

pub(super) fn mint(grant: &Grant) -> TokenText {
    Signer::new(1, ISSUER.private()).mint(grant).unwrap()
}

pub(super) fn at(text: &str) -> Pointer {
    Pointer::parse(text).unwrap()
}

pub(super) fn text(text: &str) -> CaveatText {
    CaveatText::parse(text).unwrap()
}

pub(super) fn one_of<const N: usize>(texts: [&str; N]) -> OneOf {
    OneOf::new(texts.map(text)).unwrap()
}

pub(super) fn output(name: &str) -> OutputName {
    OutputName::parse(name).unwrap()
}
