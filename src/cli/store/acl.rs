//! The users of the store's servers, as lines for `redis-cli`.

use clap::Args;
use serde_json::json;

use crate::cli::answer::Answer;
use crate::store::redis::acl::ROLES;

#[derive(Args)]
pub(in crate::cli) struct Acl {}

impl Acl {
    pub(super) fn run(&self) -> Answer {
        let lines = ROLES.iter().map(|role| role.line()).collect();
        let users = ROLES.iter().map(|role| json!({ "user": role.user(), "rules": role.rules() }));
        let json = json!({ "users": users.collect::<Vec<_>>() });
        Answer::done(lines, json)
            .with_note(
                "each user lets nobody in until it has a password: ACL SETUSER NAME >PASSWORD",
            )
            .with_note("a server's own user still lets everybody in: ACL SETUSER default off")
    }
}
