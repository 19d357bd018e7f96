//! A server that is there, and answers.

use std::sync::Arc;

use farebox_verifier::redis::{Effect, Unanswered, Value};
use tokio::task::JoinSet;

use super::server::Server;
use super::world::{assert_answered, call, echo, soon};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_of_many_calls_is_given_its_own_reply() {
    let server = Server::start().await;
    let link = Arc::new(server.link());
    let mut callers = JoinSet::new();
    for caller in 0..64 {
        let link = Arc::clone(&link);
        callers.spawn(async move {
            for n in 0..200 {
                assert_answered(caller << 32 | n, echo(&link, caller << 32 | n).await);
            }
        });
    }
    soon(callers.join_all()).await;
}

#[tokio::test]
async fn a_command_is_answered_in_the_servers_own_types() {
    let server = Server::start().await;
    let link = server.link();
    let pong = link.command("PING", &[]).await.unwrap();
    assert_eq!(pong, Value::SimpleString("PONG".to_owned()));
    let nothing = link.command("GET", &[b"nothing"]).await.unwrap();
    assert_eq!(nothing, Value::Nil);
    link.command("SET", &[b"key", b"\x00\r\n"]).await.unwrap();
    let value = link.command("GET", &[b"key"]).await.unwrap();
    assert_eq!(value, Value::BulkString(b"\x00\r\n".to_vec()));
    let none = link.command("LRANGE", &[b"list", b"0", b"-1"]).await.unwrap();
    assert_eq!(none, Value::Array(Vec::new()));
}

#[tokio::test]
async fn what_a_function_raised_is_told_from_what_was_never_called() {
    let server = Server::start().await;
    let link = server.link();
    let raised = call(&link, "probe_fail", 1).await.err().unwrap();
    let Unanswered::Refused { code, text, effect, .. } = &raised else { panic!("{raised:?}") };
    assert_eq!((&**code, *effect), ("ERR", Effect::Unknown));
    assert!(text.contains("gone"), "{text}");
    assert!(!raised.surely_not_carried_out());
    let missing = call(&link, "probe_none", 1).await.err().unwrap();
    assert!(missing.surely_not_carried_out(), "{missing:?}");
    let unknown = link.command("NONESUCH", &[b"secret"]).await.err().unwrap();
    assert!(unknown.surely_not_carried_out(), "{unknown:?}");
    assert!(!format!("{unknown:?} {unknown}").contains("secret"), "{unknown:?}");
    // None of these is the connection's fault.
    assert_answered(2, echo(&link, 2).await);
    let clients = link.command("INFO", &[b"clients"]).await.unwrap();
    let Value::BulkString(clients) = clients else { panic!("{clients:?}") };
    // The one that loaded the library closed its own when it was dropped.
    let stats = link.command("INFO", &[b"stats"]).await.unwrap();
    let Value::BulkString(stats) = stats else { panic!("{stats:?}") };
    let stats = String::from_utf8(stats).unwrap();
    assert!(stats.contains("total_connections_received:2\r\n"), "{stats}");
    assert!(String::from_utf8(clients).unwrap().contains("connected_clients:"));
}

#[tokio::test]
async fn a_write_to_a_full_server_is_told_from_one_that_a_function_began() {
    let server = Server::start().await;
    let link = server.link();
    link.command("CONFIG", &[b"SET", b"maxmemory", b"1"]).await.unwrap();
    let full = call(&link, "probe_write", 1).await.err().unwrap();
    assert!(full.surely_not_carried_out(), "{full:?}");
    let Unanswered::Refused { code, .. } = &full else { panic!("{full:?}") };
    assert_eq!(&**code, "OOM");
}
