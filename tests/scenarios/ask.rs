//! What an agent asks for, and the token that it gets.

use farebox::evidence::Statement;
use farebox::signer::PrivateKey;
use farebox_verifier::{
    Action, Agent, Audience, CaveatText, Clock as _, Params, RequestDigest, Resource,
    StatementName, SystemClock, ThirdParty,
};
use serde_json::{Map, Value, json};

use super::play::Play;
use super::stage::Party;

/// What an agent asks for.
#[derive(Clone)]
pub(super) struct Ask {
    pub(super) action: String,
    pub(super) resource: String,
    pub(super) audience: String,
    pub(super) params: Value,
    more: Map<String, Value>,
    holder: Option<String>,
}

/// An action of an API on a resource.
pub(super) fn ask(audience: &str, action: &str, resource: &str) -> Ask {
    Ask {
        action: action.to_owned(),
        resource: resource.to_owned(),
        audience: audience.to_owned(),
        params: json!({}),
        more: Map::new(),
        holder: None,
    }
}

impl Ask {
    pub(super) fn with(mut self, params: Value) -> Ask {
        self.params = params;
        self
    }

    pub(super) fn and(mut self, name: &str, value: impl Into<Value>) -> Ask {
        self.more.insert(name.to_owned(), value.into());
        self
    }

    pub(super) fn on(mut self, resource: &str) -> Ask {
        resource.clone_into(&mut self.resource);
        self
    }

    /// Bound to a key of its holder.
    pub(super) fn held_by(mut self, key: &PrivateKey) -> Ask {
        self.holder = Some(key.public().to_string());
        self
    }

    pub(super) fn body(&self) -> Value {
        let mut body = json!({
            "action": self.action, "resource": self.resource, "audience": self.audience,
            "params": self.params,
        });
        body.as_object_mut().unwrap().extend(self.more.clone());
        if let Some(holder) = &self.holder {
            body["holder"] = json!(holder);
        }
        body
    }

    pub(super) fn digest(&self) -> RequestDigest {
        let params = Params::parse(self.params.to_string().as_bytes()).unwrap();
        RequestDigest::of(
            &Action::parse(&self.action).unwrap(),
            &Resource::parse(&self.resource).unwrap(),
            &Audience::parse(&self.audience).unwrap(),
            params.digest(),
            None,
        )
    }

    /// A statement of a third party about exactly this.
    fn attested(
        &self,
        play: &Play,
        agent: &Party,
        (by, name, value): (&str, &str, &str),
    ) -> String {
        let now = SystemClock.now();
        let statement = Statement {
            request: self.digest(),
            agent: Agent::parse(&agent.name).unwrap(),
            name: StatementName::parse(name).unwrap(),
            value: CaveatText::parse(value).unwrap(),
            made: now,
            end: now.plus(60),
            nonce: None,
        };
        let key = play.stage.third_party(by);
        statement.sign(&ThirdParty::parse(by).unwrap(), |message| key.sign(message))
    }

    /// With statements of third parties about exactly this.
    pub(super) fn attest(
        mut self,
        play: &Play,
        agent: &Party,
        words: &[(&str, &str, &str)],
    ) -> Ask {
        let signed: Vec<String> =
            words.iter().map(|word| self.attested(play, agent, *word)).collect();
        self.more.insert("evidence".to_owned(), json!(signed));
        self
    }

    /// The statements that it brings.
    pub(super) fn evidence(&self) -> Value {
        self.more["evidence"].clone()
    }

    pub(super) fn told(&self) -> String {
        let mut told = format!("`{}` on `{}`", self.action, self.resource);
        if self.params != json!({}) {
            told.push_str(&format!(" `{}`", self.params));
        }
        for (name, value) in &self.more {
            told.push_str(&match (name.as_str(), value) {
                ("evidence", _) => ", with evidence".to_owned(),
                ("after" | "retry_of", _) => format!(", `{name}` an earlier grant"),
                (name, value) => format!(", {name} `{}`", value.to_string().trim_matches('"')),
            });
        }
        if self.holder.is_some() {
            told.push_str(", bound to a key");
        }
        told
    }
}

/// A token, and what it was asked for.
#[derive(Clone)]
pub(super) struct Minted {
    pub(super) grant: String,
    pub(super) token: String,
    pub(super) ask: Ask,
}

impl Minted {
    /// The same token, presented for something else.
    pub(super) fn but(&self, change: impl FnOnce(Ask) -> Ask) -> Minted {
        Minted { ask: change(self.ask.clone()), ..self.clone() }
    }
}
