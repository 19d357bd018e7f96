//! A server's clock, set by the test while the server runs.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::process::Command;

use crate::shim::Shim;

/// The time of day of one server. It keeps its error over a restart, as a machine does.
#[derive(Debug)]
pub struct ServerClock {
    shim: Shim,
    /// Mapped by the server, which therefore sees a change the next time that it asks for the time.
    offset: File,
}

impl ServerClock {
    /// A clock that is right until it is set.
    pub(crate) fn new(folder: &Path) -> ServerClock {
        let text = include_str!("../shims/clock.c");
        let shim = Shim::compile(("clock", text), ("FAREBOX_LAB_CLOCK", &[0; 8]), folder);
        let offset = File::options().write(true).open(&shim.file).unwrap();
        ServerClock { shim, offset }
    }

    pub(crate) fn stand_before(&self, command: &mut Command) {
        self.shim.stand_before(command);
    }

    /// The server's clock is from now on this much ahead of the true one; behind it, where negative.
    pub fn set_offset_seconds(&self, seconds: i64) {
        self.set_offset_millis(seconds * 1000);
    }

    /// The same, by thousandths of a second.
    pub fn set_offset_millis(&self, millis: i64) {
        // The library is compiled on this machine, and reads its byte order.
        self.offset.write_all_at(&(millis * 1_000_000).to_ne_bytes(), 0).unwrap();
    }
}
