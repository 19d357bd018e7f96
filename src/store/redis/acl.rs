//! The users of the store's servers, each with the least that its role needs.
//!
//! A function's own commands run with the rights of whoever called it, so a role has the commands that its
//! functions run, and the functions. What a role does not have here, it cannot do: nobody has `EVAL`, a
//! verifier neither registers nor reads, an issuer neither spends nor loads.

/// Who speaks to a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Registers, revokes, drains.
    Issuer,
    /// Spends and settles.
    Verifier,
    /// Loads the library, and nothing else.
    Deployer,
}

/// All of them.
pub const ROLES: [Role; 3] = [Role::Issuer, Role::Verifier, Role::Deployer];

const ISSUER_FUNCTIONS: [&str; 19] = [
    "hello",
    "state",
    "probe",
    "open",
    "close",
    "register",
    "abandon",
    "revoke",
    "revoke_all",
    "block",
    "unblock",
    "policy",
    "take",
    "give",
    "restore",
    "lease",
    "lapse",
    "trim",
    "tick",
];
const VERIFIER_FUNCTIONS: [&str; 3] = ["hello", "spend", "settle"];

/// What an issuer's functions run, then what it runs itself.
const ISSUER_COMMANDS: [&str; 14] = [
    "time",
    "info",
    "exists",
    "get",
    "set",
    "rename",
    "del",
    "xadd",
    "xtrim",
    "xrange",
    "unlink",
    "function|list",
    "ping",
    "hello",
];
const VERIFIER_COMMANDS: [&str; 4] = ["time", "xadd", "ping", "hello"];
const DEPLOYER_COMMANDS: [&str; 4] = ["function|load", "function|list", "ping", "hello"];

impl Role {
    /// The user's name.
    #[must_use]
    pub fn user(self) -> &'static str {
        match self {
            Role::Issuer => "farebox-issuer",
            Role::Verifier => "farebox-verifier",
            Role::Deployer => "farebox-deployer",
        }
    }

    /// The functions that it may call.
    #[must_use]
    pub fn functions(self) -> &'static [&'static str] {
        match self {
            Role::Issuer => &ISSUER_FUNCTIONS,
            Role::Verifier => &VERIFIER_FUNCTIONS,
            Role::Deployer => &[],
        }
    }

    /// The rules of `ACL SETUSER`, but for the password: without one the user lets nobody in.
    #[must_use]
    pub fn rules(self) -> Vec<String> {
        let (keys, commands): (_, &[&str]) = match self {
            Role::Issuer => (Some("~fb1:{*}:*"), &ISSUER_COMMANDS),
            // Its functions append to journals; no command of its own reads one.
            Role::Verifier => (Some("~fb1:{*}:j:*"), &VERIFIER_COMMANDS),
            Role::Deployer => (None, &DEPLOYER_COMMANDS),
        };
        let fixed = ["reset", "on", "resetchannels"].into_iter().chain(keys).chain(["-@all"]);
        let functions = self.functions().iter().map(|name| format!("+fcall|fb1_{name}"));
        let commands = commands.iter().map(|name| format!("+{name}"));
        fixed.map(str::to_owned).chain(functions).chain(commands).collect()
    }

    /// The line that makes the user, for `redis-cli`.
    #[must_use]
    pub fn line(self) -> String {
        format!("ACL SETUSER {} {}", self.user(), self.rules().join(" "))
    }
}
