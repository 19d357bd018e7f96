//! What a proxy does to connections.

use std::io::ErrorKind;
use std::time::Duration;

use farebox_lab::{Connection, Options, Proxy, Redis, until};

const PATIENCE: Duration = Duration::from_secs(5);
const SILENCE: Duration = Duration::from_millis(100);

fn connect(proxy: &Proxy) -> Connection {
    Connection::open(proxy.address(), PATIENCE).unwrap()
}

fn echo(client: &mut Connection) -> bool {
    client.call(&["ECHO", "x"]).is_ok_and(|reply| reply.text() == "x")
}

#[test]
fn a_port_that_refuses_refuses_the_new_and_keeps_the_old() {
    let redis = Redis::start(Options::plain());
    let proxy = Proxy::before(redis.address());
    let mut old = connect(&proxy);
    assert!(echo(&mut old));
    proxy.refuse();
    let refused = Connection::open(proxy.address(), PATIENCE).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
    assert!(echo(&mut old));
    proxy.accept();
    assert!(echo(&mut connect(&proxy)));
    assert_eq!(proxy.counts().connections, 2);
}

#[test]
fn a_cut_ends_what_is_there_and_nothing_that_comes() {
    let redis = Redis::start(Options::plain());
    let proxy = Proxy::before(redis.address());
    let mut old = connect(&proxy);
    assert!(echo(&mut old));
    proxy.cut();
    assert!(!echo(&mut old));
    assert!(echo(&mut connect(&proxy)));
}

#[test]
fn what_is_held_goes_through_later() {
    let redis = Redis::start(Options::plain());
    let proxy = Proxy::before(redis.address());
    let mut old = connect(&proxy);
    assert!(echo(&mut old));
    proxy.hold();
    old.send(b"INCR key\r\n").unwrap();
    let mut new = connect(&proxy);
    new.send(b"PING\r\n").unwrap();
    assert!(old.hears_nothing(SILENCE).unwrap());
    assert!(new.hears_nothing(SILENCE).unwrap(), "connecting works, and nothing more");
    assert_eq!(redis.command(&["EXISTS", "key"]).integer(), Some(0));
    proxy.release();
    assert_eq!(old.receive().unwrap().integer(), Some(1));
    assert_eq!(new.receive().unwrap().text(), "PONG");
}

#[test]
fn a_server_that_dies_or_an_address_that_moves_is_seen_as_it_would_be() {
    let (first, second) = (Redis::start(Options::plain()), Redis::start(Options::plain()));
    let proxy = Proxy::before(first.address());
    let mut old = connect(&proxy);
    let run_id = |client: &mut Connection| {
        let info = client.call(&["INFO", "server"]).map(|reply| reply.text());
        info.map(|info| info.split("run_id:").nth(1).unwrap().lines().next().unwrap().to_owned())
    };
    assert_eq!(run_id(&mut old).unwrap(), first.run_id());
    proxy.turn_to(second.address());
    assert_eq!(run_id(&mut old).unwrap(), first.run_id());
    assert_eq!(run_id(&mut connect(&proxy)).unwrap(), second.run_id());
    first.kill();
    // The connection ends without having been asked for anything.
    assert_eq!(old.receive().unwrap_err().kind(), ErrorKind::UnexpectedEof);
}

#[test]
fn a_subscription_is_a_stream() {
    let redis = Redis::start(Options::plain());
    let proxy = Proxy::before(redis.address());
    let mut client = connect(&proxy);
    assert!(echo(&mut client));
    assert_eq!(client.call(&["SUBSCRIBE", "news"]).unwrap().parts()[0].text(), "subscribe");
    for n in ["1", "2"] {
        redis.command(&["PUBLISH", "news", n]);
        assert_eq!(client.receive().unwrap().parts()[2].text(), n);
    }
}

#[test]
fn a_proxy_that_is_dropped_lets_go_of_everybody() {
    let redis = Redis::start(Options::plain());
    let proxy = Proxy::before(redis.address());
    let mut clients: Vec<_> = (0..3).map(|_| connect(&proxy)).collect();
    assert!(echo(&mut clients[0]));
    assert!(echo(&mut clients[1]));
    proxy.hold();
    clients[1].send(b"PING\r\n").unwrap();
    let address = proxy.address();
    drop(proxy);
    assert!(clients.iter_mut().all(|client| !echo(client)));
    assert!(Connection::open(address, PATIENCE).is_err());
    until("the server to see it", || redis.count("connected_clients") == 1);
}
