//! Tokens at APIs: presented as they were asked for, or for something else.

use farebox::signer::PrivateKey;
use farebox_verifier::token::{self, Statement as Block};
use farebox_verifier::{
    Audience, CaveatText, Clock as _, Presented, Proof, Registered, StatementName, SystemClock,
    TokenText, Verifier,
};
use serde_json::{Value, json};

use super::ask::{Ask, Minted};
use super::play::Play;
use super::wire::{self, Reply};

impl Play {
    fn presents(&self, minted: &Minted, holder: Option<&PrivateKey>) -> Reply {
        let Ask { action, resource, audience, params, .. } = &minted.ask;
        let bearer = format!("Bearer {}", minted.token);
        let proof = holder.map(|key| {
            let token = TokenText::unread(&minted.token);
            let of = Audience::parse(audience).unwrap();
            let now = SystemClock.now();
            let digest = minted.ask.digest();
            Proof::make(&token, &of, &digest, (key.public(), now), |m| key.sign(m)).unwrap()
        });
        let proof = proof.map(|proof| proof.to_string());
        let mut headers = vec![("authorization", bearer.as_str())];
        headers.extend(proof.as_deref().map(|proof| ("farebox-proof", proof)));
        let path = format!("/{audience}/{action}/{resource}");
        let address = self.stage.apis().address;
        let body = (*params != json!({})).then_some(params);
        wire::call(address, ("POST", &path), &headers, body)
    }

    /// The API acts.
    pub(super) fn acts(&mut self, why: &str, minted: &Minted) {
        self.acts_for(why, minted, None);
    }

    pub(super) fn acts_for(&mut self, why: &str, minted: &Minted, holder: Option<&PrivateKey>) {
        let reply = self.presents(minted, holder);
        let ran = self.stage.apis().backend.ran();
        assert_eq!((reply.code().as_str(), ran), ("", self.acted + 1), "{why}: {reply:?}");
        self.acted = ran;
        self.saw_at(minted, why, format!("{}: it ran", reply.status));
    }

    /// The API acts, and its action fails.
    pub(super) fn fails(&mut self, why: &str, minted: &Minted) {
        let reply = self.presents(minted, None);
        assert_eq!((reply.status, reply.code()), (500, String::new()), "{why}: {reply:?}");
        self.acted = self.stage.apis().backend.ran();
        self.saw_at(minted, why, "500: it ran, and failed".to_owned());
    }

    /// The API refuses, and does not act.
    pub(super) fn refuses(&mut self, why: &str, minted: &Minted, code: &str) {
        self.refuses_for(why, minted, None, code);
    }

    pub(super) fn refuses_for(
        &mut self,
        why: &str,
        minted: &Minted,
        holder: Option<&PrivateKey>,
        code: &str,
    ) {
        let reply = self.presents(minted, holder);
        assert_eq!(reply.code(), code, "{why}: {reply:?}");
        assert_eq!(self.stage.apis().backend.ran(), self.acted, "{why}: it ran");
        self.saw_at(minted, why, format!("{} `{code}`", reply.status));
    }

    /// The API acted, and its result is withheld.
    pub(super) fn withholds(&mut self, why: &str, minted: &Minted, holder: Option<&PrivateKey>) {
        let reply = self.presents(minted, holder);
        assert_eq!(reply.code(), "output-refused", "{why}: {reply:?}");
        assert_eq!(reply.json["rows"], Value::Null, "{why}: it came out");
        self.acted = self.stage.apis().backend.ran();
        self.saw_at(minted, why, format!("{} `output-refused`", reply.status));
    }

    fn saw_at(&mut self, minted: &Minted, why: &str, came: String) {
        let Ask { audience, action, resource, .. } = &minted.ask;
        let what = format!("{why}: presented for `{action}` on `{resource}`");
        self.seen.steps.push([audience.clone(), what, came]);
    }

    /// A third party puts its word into a token.
    pub(super) fn attests(&self, minted: &Minted, by: &str, name: &str, value: &str) -> Minted {
        let key = self.stage.third_party(by);
        let (name, value) =
            (StatementName::parse(name).unwrap(), CaveatText::parse(value).unwrap());
        let token = TokenText::unread(&minted.token);
        let presented = Presented::read(token.expose()).unwrap();
        let keys = std::sync::Arc::clone(&self.stage.apis().keys);
        let payload = Verifier::new(keys, Registered::Anyhow);
        let payload = payload.statement_payload(presented, &name, &value).unwrap();
        let block = Block { name, value, key: key.public(), signature: key.sign(&payload) };
        let token = token::append_statement(&token, &block).unwrap();
        Minted { token: token.expose().to_owned(), ..minted.clone() }
    }
}
