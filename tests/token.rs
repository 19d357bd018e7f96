//! scratch
use farebox::signer::*;
use farebox_verifier::*;
use std::sync::Arc;
use zeroize::Zeroizing;
#[test]
fn smoke() {
    let s = Signer::new(7, PrivateKey::from_seed(Zeroizing::new([3; 32])).unwrap());
    let now = UnixSeconds(1_800_000_000);
    let params = Params::parse(br#"{"amount": 4000, "to": "acme"}"#).unwrap();
    let g = Grant {
        id: GrantId::from_bytes([1; 16]),
        action: Action::parse("payments.transfer").unwrap(),
        resource: Resource::parse("account/42").unwrap(),
        params: params.digest(),
        audience: Audience::parse("payments-api").unwrap(),
        window: Window::minted(now, 60).unwrap(),
        agent: Agent::parse("spiffe://acme/agents/billing").unwrap(),
        policy: PolicyHash::NONE,
        varies: vec![],
        approval: None,
        stores: None,
        workflow: None,
        purpose: None,
        holder: None,
        uses: Uses::Once,
        caveats: vec![],
    };
    let t = s.mint(&g).unwrap();
    let root = biscuit_auth::PublicKey::from_bytes(
        s.public().as_bytes(),
        biscuit_auth::builder::Algorithm::Ed25519,
    )
    .unwrap();
    let b = biscuit_auth::Biscuit::from_base64(t.expose(), root).unwrap();
    println!("{}", b.print());
    println!("{}", t.expose().len());
    let mut ring = KeyRing::default();
    ring.add_issuer(7, Issuer::Trusted(s.public())).unwrap();
    let v = Verifier::new(Arc::new(Keys::new(ring)), Registered::Anyhow)
        .with_clock(Arc::new(ManualClock::at(now)));
    let p = Presented::read(t.expose()).unwrap();
    let ok = v.verify(
        p,
        &Request {
            audience: &g.audience,
            action: &g.action,
            resource: &g.resource,
            sent: Sent::Params(&params),
            proofs: &[],
            outputs: Outputs::Enforced,
        },
    );
    ok.unwrap();
}
