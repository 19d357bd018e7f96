//! Ports that nobody else is given.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};

/// Below the range from which the system gives ports to those who connect (from 32768 on Linux). In that
/// range a killed server's port may be somebody's before it is back; and a client that asks for a dead
/// port there is now and then given that same port to ask from, and finds itself connected to itself.
const FIRST: u16 = 20_000;
const COUNT: u32 = 12_000;

static TAKEN: AtomicU32 = AtomicU32::new(0);

/// On this machine, this port.
pub(crate) fn loopback(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

/// A port on which nobody listens now, and none that this process was given before.
pub(crate) fn free() -> u16 {
    // Processes begin far from one another; those that meet nevertheless find the port in use.
    let begin = process::id().wrapping_mul(97);
    for _ in 0..COUNT {
        let step = TAKEN.fetch_add(1, Ordering::Relaxed);
        let port = FIRST + u16::try_from(begin.wrapping_add(step) % COUNT).unwrap();
        if TcpListener::bind(loopback(port)).is_ok() {
            return port;
        }
    }
    panic!("no port is free from {FIRST} on, among {COUNT}");
}
