//! A real server with the users as they are printed, and a store that speaks to it as them.

use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use farebox::store::GrantStore;
use farebox::store::redis::Fleet;
use farebox::store::redis::acl::Role;
use farebox_lab::{Connection, Options, Redis, Reply};
use farebox_verifier::redis::{RedisStore, Topology};
use farebox_verifier::{Answer, Clock as _, SpendStore, UnixSeconds};

use super::draft::{POLICY, living};
use super::subject::Subject;
use crate::fleet::{MovedClock, PASSWORD, deploy, fleet, spender, waits};

/// Whose journals the servers' only shard has.
const SHARD: &str = "fb1:{00}";

/// The lines that `farebox store acl` prints.
pub(crate) fn printed() -> Vec<String> {
    let output = Command::new(env!("CARGO_BIN_EXE_farebox")).args(["store", "acl"]).output();
    let output = output.unwrap();
    assert!(output.status.success());
    let lines = String::from_utf8(output.stdout).unwrap();
    lines.lines().map(str::to_owned).collect()
}

/// A server that has these users, each with a password, and no other.
pub(crate) fn server() -> Redis {
    let redis = Redis::start(Options::plain().user("default off"));
    for line in printed() {
        let password = format!(">{PASSWORD}");
        let words: Vec<&str> = line.split(' ').chain([password.as_str()]).collect();
        redis.command(&words);
    }
    redis
}

/// Somebody at the server's door.
pub(crate) fn stranger(redis: &Redis) -> Connection {
    Connection::open(redis.address(), Duration::from_secs(10)).unwrap()
}

/// A connection of whoever has this role's password.
pub(crate) fn as_role(redis: &Redis, role: Role) -> Connection {
    let mut connection = stranger(redis);
    let welcome = connection.call(&["AUTH", role.user(), PASSWORD]).unwrap();
    assert_eq!(welcome.text(), "OK", "{}", role.user());
    connection
}

/// Whether a refusal is the one for rights that are missing.
pub(crate) fn is_denied(reply: &Reply) -> bool {
    reply.is_error() && reply.text().starts_with("NOPERM ")
}

/// A store with one life on such a server.
pub(crate) struct Ground {
    pub(crate) redis: Redis,
    pub(crate) fleet: Arc<Fleet>,
    clock: Arc<MovedClock>,
    spender: Arc<RedisStore>,
}

pub(crate) async fn ground() -> Ground {
    let redis = tokio::task::spawn_blocking(server).await.unwrap();
    deploy(redis.port()).await;
    let clock = Arc::new(MovedClock::default());
    let ports = [redis.port()];
    let fleet = fleet(Topology::Single, &ports, waits(), Arc::clone(&clock) as _, POLICY);
    assert_eq!(fleet.tend().await, []);
    let spender = Arc::new(spender(Topology::Single, &ports, waits()));
    Ground { redis, fleet: Arc::new(fleet), clock, spender }
}

impl Ground {
    /// The key of the living life's journal.
    pub(crate) async fn journal(&self) -> String {
        format!("{SHARD}:j:{}", living(self).await.generation)
    }

    /// The number of the last event.
    pub(crate) async fn last(&self) -> u64 {
        let journals = self.fleet.journals().await.unwrap();
        journals.iter().find(|journal| journal.living).unwrap().last
    }

    /// A command of somebody who has a verifier's password.
    pub(crate) fn as_verifier<P: AsRef<[u8]>>(&self, command: &[P]) -> Reply {
        as_role(&self.redis, Role::Verifier).call(command).unwrap()
    }

    /// Takes a right from a user, who stays connected.
    pub(crate) fn take_away(&self, role: Role, right: &str) {
        self.redis.command(&["ACL", "SETUSER", role.user(), &format!("-{right}")]);
    }

    /// Gives it back.
    pub(crate) fn give_again(&self, role: Role, right: &str) {
        self.redis.command(&["ACL", "SETUSER", role.user(), &format!("+{right}")]);
    }
}

impl Subject for Ground {
    fn store(&self) -> Arc<dyn GrantStore> {
        Arc::clone(&self.fleet) as _
    }

    fn spender(&self) -> Arc<dyn SpendStore> {
        Arc::clone(&self.spender) as _
    }

    fn now(&self) -> UnixSeconds {
        self.clock.now()
    }

    /// The server's own clock is not moved: nothing here waits for an end.
    fn pass(&self, seconds: u64) -> Answer<'_, ()> {
        self.clock.set_offset(self.clock.offset() + i64::try_from(seconds).unwrap());
        Box::pin(async {})
    }
}
