//! The peers: an EdDSA JWT of the same claims, and Tenuo's warrants.

use std::collections::HashMap;
use std::hint::black_box;
use std::time::Duration;

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use tenuo::constraints::{ConstraintSet, ConstraintValue, Exact, Range};
use tenuo::crypto::SigningKey;
use tenuo::planes::Authorizer;
use tenuo::warrant::Warrant;
use tenuo::wire;

use crate::meter::Case;

#[derive(Clone, Serialize, Deserialize)]
struct Claims {
    jti: String,
    action: String,
    resource: String,
    params: String,
    aud: String,
    nbf: u64,
    exp: u64,
    sub: String,
    policy: String,
    store: String,
    generation: String,
    sequence: u64,
    workflow: String,
    step: String,
    purpose: String,
}

fn claims() -> Claims {
    Claims {
        jti: "07".repeat(16),
        action: "payments.transfer".into(),
        resource: "account/42".into(),
        params: "ab".repeat(32),
        aud: "payments-api".into(),
        nbf: 1_700_000_000,
        exp: 4_000_000_000,
        sub: "spiffe://acme/agents/billing".into(),
        policy: "05".repeat(32),
        store: "r1".into(),
        generation: "09".repeat(16),
        sequence: 17,
        workflow: "run-81".into(),
        step: "3".into(),
        purpose: "invoice inv-7".into(),
    }
}

fn jwt() -> Vec<Case> {
    let pair = Ed25519KeyPair::from_seed_unchecked(&[4; 32]).unwrap();
    let der = pair.to_pkcs8().unwrap();
    let encoding = EncodingKey::from_ed_der(der.as_ref());
    let decoding = DecodingKey::from_ed_der(pair.public_key().as_ref());
    let mut validation = Validation::new(Algorithm::EdDSA);
    validation.set_audience(&["payments-api"]);
    validation.validate_nbf = true;
    let header = Header::new(Algorithm::EdDSA);
    let token = jsonwebtoken::encode(&header, &claims(), &encoding).unwrap();
    vec![
        Case::new("jwt: verify", move || {
            let data = jsonwebtoken::decode::<Claims>(&token, &decoding, &validation).unwrap();
            let (is, asked) = (data.claims, claims());
            assert!(is.action == asked.action && is.resource == asked.resource);
            black_box(is.params == asked.params);
        }),
        Case::new("jwt: mint", move || {
            black_box(jsonwebtoken::encode(&header, &claims(), &encoding).unwrap());
        }),
    ]
}

fn warrant(root: &SigningKey, holder: &SigningKey) -> Warrant {
    let constraints = ConstraintSet::from_iter(vec![
        ("resource".to_string(), Exact::new("account/42").into()),
        ("to".to_string(), Exact::new("acme").into()),
        ("amount".to_string(), Range::new(Some(1.0), Some(5000.0)).unwrap().into()),
    ]);
    Warrant::builder()
        .capability("payments.transfer", constraints)
        .ttl(Duration::from_secs(3600))
        .holder(holder.public_key())
        .build(root)
        .unwrap()
}

fn tenuo() -> Vec<Case> {
    let (root, holder) = (SigningKey::generate(), SigningKey::generate());
    let args = HashMap::from([
        ("resource".to_string(), ConstraintValue::String("account/42".into())),
        ("to".to_string(), ConstraintValue::String("acme".into())),
        ("amount".to_string(), ConstraintValue::Integer(4000)),
    ]);
    let token = warrant(&root, &holder);
    let proof = token.sign(&holder, "payments.transfer", &args).unwrap();
    let text = wire::encode_base64(&token).unwrap();
    let authorizer = Authorizer::new().with_trusted_root(root.public_key());
    vec![
        Case::new("tenuo: decode + authorize with proof", move || {
            let warrant = wire::decode_base64(&text).unwrap();
            let tool = "payments.transfer";
            black_box(authorizer.authorize_one(&warrant, tool, &args, Some(&proof), &[]).unwrap());
        }),
        Case::new("tenuo: mint", move || {
            black_box(wire::encode_base64(&warrant(&root, &holder)).unwrap());
        }),
    ]
}

pub fn cases() -> Vec<Case> {
    jwt().into_iter().chain(tenuo()).collect()
}
