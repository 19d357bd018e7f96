//! The table: who may which command, on whose keys.

use std::collections::BTreeSet;

use farebox::store::redis::acl::{ROLES, Role};
use farebox_lab::{Connection, Redis, Reply};

use super::ground::{as_role, is_denied, printed, server, stranger};
use crate::fleet::{PASSWORD, deploy};

/// Functions, by whoever may call them: issuer, verifier.
const FUNCTIONS: &[(&str, &str)] = &[
    ("hello", "IV"),
    ("spend", "V"),
    ("settle", "V"),
    ("open", "I"),
    ("close", "I"),
    ("register", "I"),
    ("abandon", "I"),
    ("revoke", "I"),
    ("revoke_all", "I"),
    ("block", "I"),
    ("unblock", "I"),
    ("policy", "I"),
    ("take", "I"),
    ("give", "I"),
    ("restore", "I"),
    ("lease", "I"),
    ("lapse", "I"),
    ("trim", "I"),
    ("tick", "I"),
    ("state", "I"),
    ("probe", "I"),
];

/// What a user may run at all, by the server's own count, beside its functions and what the server lets
/// anybody say before a login. The deployer names no key.
const GRANTED: &[(Role, &[&str])] = &[
    (
        Role::Issuer,
        &[
            "del",
            "exists",
            "function|list",
            "get",
            "info",
            "ping",
            "rename",
            "set",
            "time",
            "unlink",
            "xadd",
            "xrange",
            "xtrim",
        ],
    ),
    (Role::Verifier, &["ping", "time", "xadd"]),
    (Role::Deployer, &["function|list", "function|load", "ping"]),
];

/// Commands on keys. `J` is a journal, `E` the journal of a life that is over, `P` a pointer, `O` a key of
/// somebody else.
const ON_KEYS: &[(&str, &str)] = &[
    ("XADD J * e x", "IV"),
    ("XADD J NOMKSTREAM MAXLEN 0 * e x", "IV"),
    ("XADD E * e x", "I"),
    ("XADD P * e x", "I"),
    ("XADD O * e x", ""),
    ("XTRIM J MAXLEN 0", "I"),
    ("XTRIM O MAXLEN 0", ""),
    ("XRANGE J - +", "I"),
    ("XRANGE E - +", "I"),
    ("XRANGE O - +", ""),
    ("GET P", "I"),
    ("GET O", ""),
    ("SET P x", "I"),
    ("SET J x", "I"),
    ("SET O x", ""),
    ("EXISTS J", "I"),
    ("EXISTS O", ""),
    ("EXISTS J O", ""),
    ("DEL E", "I"),
    ("DEL O", ""),
    ("UNLINK E", "I"),
    ("UNLINK E O", ""),
    ("RENAME J E", "I"),
    ("RENAME J O", ""),
    ("RENAME O J", ""),
    ("RENAMENX J E", ""),
    ("XDEL J 1-0", ""),
    ("XSETID J 9-0", ""),
    ("XREVRANGE J + -", ""),
    ("XREAD STREAMS J 0", ""),
    ("XLEN J", ""),
    ("XINFO STREAM J", ""),
    ("XGROUP CREATE J g 0", ""),
    ("APPEND P x", ""),
    ("GETDEL P", ""),
    ("SETEX P 1 x", ""),
    ("SETRANGE P 0 x", ""),
    ("STRLEN P", ""),
    ("TYPE J", ""),
    ("DUMP J", ""),
    ("RESTORE J 0 x", ""),
    ("COPY J E", ""),
    ("MOVE J 1", ""),
    ("EXPIRE J 1", ""),
    ("PERSIST J", ""),
    ("OBJECT ENCODING J", ""),
    ("MEMORY USAGE J", ""),
];

/// Commands on the server, and on all keys at once.
const ON_THE_SERVER: &[(&str, &str)] = &[
    ("PING", "IVD"),
    ("TIME", "IV"),
    ("INFO", "I"),
    ("FUNCTION LIST", "ID"),
    ("EVAL code 0", ""),
    ("EVAL_RO code 0", ""),
    ("EVALSHA e0e1f9fabfc9d4800c877a703b823ac0578ff8db 0", ""),
    ("SCRIPT LOAD code", ""),
    ("SCRIPT FLUSH", ""),
    ("SCRIPT KILL", ""),
    ("SCRIPT EXISTS x", ""),
    ("FCALL_RO fb1_hello 0 x", ""),
    ("FCALL_RO fb1_state 1 J x", ""),
    ("FCALL nobodys 0", ""),
    ("FUNCTION DELETE farebox_1", ""),
    ("FUNCTION FLUSH", ""),
    ("FUNCTION KILL", ""),
    ("FUNCTION DUMP", ""),
    ("FUNCTION RESTORE x REPLACE", ""),
    ("FUNCTION STATS", ""),
    ("KEYS *", ""),
    ("SCAN 0", ""),
    ("RANDOMKEY", ""),
    ("DBSIZE", ""),
    ("SELECT 1", ""),
    ("SWAPDB 0 1", ""),
    ("FLUSHALL", ""),
    ("FLUSHDB", ""),
    ("CONFIG GET *", ""),
    ("CONFIG SET maxmemory-policy allkeys-lru", ""),
    ("CONFIG REWRITE", ""),
    ("CONFIG RESETSTAT", ""),
    ("DEBUG RELOAD", ""),
    ("DEBUG SLEEP 0", ""),
    ("SAVE", ""),
    ("BGSAVE", ""),
    ("BGREWRITEAOF", ""),
    ("REPLICAOF 127.0.0.1 1", ""),
    ("SLAVEOF NO ONE", ""),
    ("FAILOVER ABORT", ""),
    ("PSYNC ? -1", ""),
    ("SYNC", ""),
    ("REPLCONF capa eof", ""),
    ("ACL LIST", ""),
    ("ACL WHOAMI", ""),
    ("ACL SETUSER farebox-verifier +@all", ""),
    ("ACL DELUSER farebox-issuer", ""),
    ("SHUTDOWN NOSAVE", ""),
    ("CLIENT LIST", ""),
    ("CLIENT KILL TYPE normal", ""),
    ("CLIENT PAUSE 1", ""),
    ("CLIENT SETNAME x", ""),
    ("CLIENT NO-EVICT on", ""),
    ("MONITOR", ""),
    ("SLOWLOG GET", ""),
    ("LATENCY RESET", ""),
    ("MODULE LIST", ""),
    ("MULTI", ""),
    ("SUBSCRIBE __keyspace@0__:x", ""),
    ("PUBLISH x x", ""),
    ("WAIT 0 0", ""),
];

/// Keys of a shard that no store has, so that what is allowed does no harm.
fn words(command: &str) -> Vec<&str> {
    let nobody = |word| match word {
        "J" => "fb1:{99}:j:00000000000000000000000000000000",
        "E" => "fb1:{99}:ended:00000000000000000000000000000000",
        "P" => "fb1:{99}:life",
        "O" => "session:1",
        "code" => "return 1",
        word => word,
    };
    command.split(' ').map(nobody).collect()
}

fn letter(role: Role) -> char {
    match role {
        Role::Issuer => 'I',
        Role::Verifier => 'V',
        Role::Deployer => 'D',
    }
}

/// Has each role say the words, on a connection of its own, and a stranger too.
fn assert_rights(redis: &Redis, words: &[&str], allowed: &str) {
    for role in ROLES {
        let said = as_role(redis, role).call(words).unwrap();
        let may = allowed.contains(letter(role));
        assert_eq!(!is_denied(&said), may, "{role:?}: {words:?}: {}", said.text());
    }
    let said = stranger(redis).call(words).unwrap();
    assert!(said.text().starts_with("NOAUTH "), "a stranger: {words:?}: {}", said.text());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_function_is_its_roles() {
    let redis = server();
    deploy(redis.port()).await;
    let named: BTreeSet<String> = FUNCTIONS.iter().map(|(name, _)| format!("fb1_{name}")).collect();
    assert_eq!(functions(&redis), named, "a function that the table does not know");
    // Long enough for every function to find that there is no such life.
    let packed = "x".repeat(128);
    for (name, allowed) in FUNCTIONS {
        let name = format!("fb1_{name}");
        for (key, allowed) in [("J", *allowed), ("O", "")] {
            let call = format!("FCALL {name} 1 {key} {packed}");
            let words = words(&call);
            assert_rights(&redis, &words, allowed);
        }
    }
    // A verifier's functions take no key but a journal.
    let pointer = words("FCALL fb1_spend 1 P x");
    assert_rights(&redis, &pointer, "");
}

/// The functions that the server has of our library.
fn functions(redis: &Redis) -> BTreeSet<String> {
    let listed = redis.command(&["FUNCTION", "LIST", "LIBRARYNAME", "farebox_1"]);
    let mut found = BTreeSet::new();
    let mut left = vec![listed];
    while let Some(reply) = left.pop() {
        match reply {
            Reply::Array(replies) => left.extend(replies),
            reply if reply.text().starts_with("fb1_") => drop(found.insert(reply.text())),
            _ => {}
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_command_is_its_roles() {
    let redis = server();
    deploy(redis.port()).await;
    for (command, allowed) in ON_KEYS.iter().chain(ON_THE_SERVER) {
        assert_rights(&redis, &words(command), allowed);
    }
}

#[test]
fn only_the_deployer_loads_functions() {
    let redis = server();
    let text = "#!lua name=other\nredis.register_function('other', function() return 1 end)";
    assert_rights(&redis, &["FUNCTION", "LOAD", text], "D");
    // Not even it calls what it loads, and it takes nothing away.
    assert_rights(&redis, &["FCALL", "other", "0"], "");
    assert_rights(&redis, &["FUNCTION", "DELETE", "other"], "");
}

/// Every command that this server knows, whatever its version: nobody may more than is listed here.
#[test]
fn no_user_may_a_command_that_is_not_listed() {
    let redis = server();
    let mut lab = redis.connect().unwrap();
    let commands = every_command(&mut lab);
    assert!(commands.len() > 200, "{} commands", commands.len());
    for (role, listed) in GRANTED {
        let mut may = BTreeSet::new();
        for command in &commands {
            let words: Vec<&str> = command.iter().map(String::as_str).collect();
            let dry = [&["ACL", "DRYRUN", role.user()], words.as_slice()].concat();
            if !lab.call(&dry).unwrap().text().contains("has no permissions to run") {
                may.insert(
                    words
                        .iter()
                        .take_while(|word| **word != "x")
                        .copied()
                        .collect::<Vec<_>>()
                        .join("|"),
                );
            }
        }
        let listed: BTreeSet<String> = listed.iter().map(|name| (*name).to_owned()).collect();
        assert_eq!(may, listed, "{role:?}");
    }
}

/// The words of each, as many as it needs. Those that need no login are for anybody, and group names are
/// no commands.
fn every_command(lab: &mut Connection) -> Vec<Vec<String>> {
    let Reply::Array(names) = lab.call(&["COMMAND", "LIST"]).unwrap() else { panic!("no list") };
    let mut commands = Vec::new();
    for name in names.iter().map(Reply::text) {
        let Reply::Array(infos) = lab.call(&["COMMAND", "INFO", &name]).unwrap() else { continue };
        let Some(Reply::Array(info)) = infos.into_iter().next() else { continue };
        let Reply::Integer(arity) = info[1] else { panic!("{info:?}") };
        let Reply::Array(flags) = &info[2] else { panic!("{info:?}") };
        let Reply::Array(parts) = &info[9] else { panic!("{info:?}") };
        let open = flags.iter().any(|flag| flag.text() == "no_auth");
        let group = !parts.is_empty();
        if !open && !group {
            let mut words: Vec<String> = name.split('|').map(str::to_owned).collect();
            words.resize(
                usize::try_from(arity.unsigned_abs()).unwrap().max(words.len()),
                "x".to_owned(),
            );
            commands.push(words);
        }
    }
    commands
}

#[test]
fn a_user_as_it_is_printed_lets_nobody_in_before_it_has_a_password() {
    let redis = Redis::start(farebox_lab::Options::plain());
    for (line, role) in printed().iter().zip(ROLES) {
        redis.command(&line.split(' ').collect::<Vec<_>>());
        for password in ["", role.user(), PASSWORD] {
            let said = stranger(&redis).call(&["AUTH", role.user(), password]).unwrap();
            assert!(said.text().starts_with("WRONGPASS"), "{role:?}: {}", said.text());
        }
    }
}

/// What a line gave before is gone when it is said again with less in it.
#[test]
fn a_line_that_is_said_again_takes_back_what_was_added() {
    let redis = server();
    redis.command(&["ACL", "SETUSER", Role::Verifier.user(), "~*", "+@all", "&*"]);
    let mut verifier = as_role(&redis, Role::Verifier);
    assert!(!is_denied(&verifier.call(&["GET", "session:1"]).unwrap()));
    let lines = printed();
    let line = lines.iter().find(|line| line.contains(Role::Verifier.user())).unwrap();
    redis.command(&line.split(' ').chain([format!(">{PASSWORD}").as_str()]).collect::<Vec<_>>());
    let mut verifier = as_role(&redis, Role::Verifier);
    for command in ["GET session:1", "EVAL code 0", "SUBSCRIBE x"] {
        assert!(is_denied(&verifier.call(&words(command)).unwrap()), "{command}");
    }
}
