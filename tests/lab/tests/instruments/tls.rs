//! TLS: a server that is trusted by who trusts its authority, directly and through a proxy.

use std::io::Write as _;
use std::net::SocketAddr;
use std::process::{Command, Stdio};

use farebox_lab::{Authority, Options, Proxy, Redis};

/// What a server answers to PING, to a client that trusts this authority and may have a certificate.
fn ping(address: SocketAddr, trusted: &Authority, certified: Option<&Authority>) -> String {
    let mut client = Command::new("openssl");
    client.args(["s_client", "-quiet", "-verify_return_error", "-verify_hostname", "localhost"]);
    client.args(["-connect", &address.to_string(), "-CAfile"]).arg(trusted.certificate());
    if let Some(authority) = certified {
        let (certificate, key) = authority.client();
        client.arg("-cert").arg(certificate).arg("-key").arg(key);
    }
    client.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut client = client.spawn().unwrap();
    // A client that trusted nobody has gone without reading this.
    drop(client.stdin.take().unwrap().write_all(b"PING\r\nQUIT\r\n"));
    String::from_utf8(client.wait_with_output().unwrap().stdout).unwrap()
}

const PONG: &str = "+PONG\r\n+OK\r\n";

#[test]
fn who_trusts_the_authority_is_answered() {
    let redis = Redis::start(Options::plain().tls());
    assert!(redis.url().starts_with("rediss://localhost:"));
    assert_eq!(ping(redis.tls_address(), redis.authority(), None), PONG);
    assert_eq!(ping(redis.tls_address(), &Authority::new(), None), "");
}

#[test]
fn a_server_may_ask_for_a_certificate_of_its_own_authority() {
    let redis = Redis::start(Options::plain().tls_certified());
    let (address, authority) = (redis.tls_address(), redis.authority());
    assert_eq!(ping(address, authority, Some(authority)), PONG);
    assert_eq!(ping(address, authority, None), "");
    assert_eq!(ping(address, authority, Some(&Authority::new())), "");
}

#[test]
fn a_proxy_carries_what_it_cannot_read() {
    let redis = Redis::start(Options::plain().tls());
    let proxy = Proxy::before(redis.tls_address());
    assert_eq!(ping(proxy.address(), redis.authority(), None), PONG);
    assert_eq!((proxy.counts().connections, proxy.counts().requests), (1, 0));
}
