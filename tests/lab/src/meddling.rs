//! What is done to a server's data and memory behind everybody's back.

use std::time::Duration;

use crate::options::Policy;
use crate::reply::encode;
use crate::server::Redis;

/// What a full memory came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pressure {
    /// Keys that the server deleted, of whomever.
    pub evicted: u64,
    /// Writes of ours that it refused.
    pub refused: u64,
}

/// Junk is written so many keys at a time, and each is so long: what is on its way takes memory too, and
/// is nothing that could be deleted.
const BATCH: u64 = 16;
const JUNK: [u8; 1024] = [b'j'; 1024];

impl Redis {
    /// Deletes everything, in every database.
    pub fn flush(&self) {
        self.command(&["FLUSHALL"]);
    }

    /// Writes all data to the file that a restart, and [`Redis::roll_back`], read.
    pub fn save(&self) {
        self.command(&["SAVE"]);
    }

    /// Has the server, in the same process, save and load its data: `DEBUG RELOAD`.
    pub fn reload(&self) {
        self.command(&["DEBUG", "RELOAD"]);
    }

    /// Has the server, in the same process, forget its data for what was saved last.
    pub fn roll_back(&self) {
        self.command(&["DEBUG", "RELOAD", "NOSAVE"]);
    }

    /// Has the server, in the same process, load its append-only file again.
    pub fn reload_aof(&self) {
        self.command(&["DEBUG", "LOADAOF"]);
    }

    /// Exchanges two databases: what was read in the one is from now on in the other.
    pub fn swap(&self, one: u8, other: u8) {
        self.command(&["SWAPDB", &one.to_string(), &other.to_string()]);
    }

    /// Copies a key's value as it is now into another database, for [`Redis::swap`].
    pub fn copy(&self, key: &str, database: u8) {
        self.command(&["COPY", key, key, "DB", &database.to_string(), "REPLACE"]);
    }

    /// A value as the server itself would carry it, for [`Redis::put`].
    ///
    /// # Panics
    /// Where there is none.
    #[must_use]
    pub fn dump(&self, key: &str) -> Vec<u8> {
        let crate::Reply::Bulk(value) = self.command(&["DUMP", key]) else { panic!("no {key}") };
        value
    }

    /// Puts a value from [`Redis::dump`] there, over what is there.
    pub fn put(&self, key: &str, dumped: &[u8]) {
        self.command(&[b"RESTORE", key.as_bytes(), b"0", dumped, b"REPLACE"]);
    }

    /// No client's command is run for so long; they wait, and nothing is lost.
    pub fn pause(&self, time: Duration) {
        self.command(&["CLIENT", "PAUSE", &time.as_millis().to_string()]);
    }

    /// Ends all connections but those of replicas and of masters.
    pub fn drop_clients(&self) {
        self.command(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]);
    }

    /// Takes the limit away that [`Redis::press`] has set.
    pub fn relieve(&self) {
        self.command(&["CONFIG", "SET", "maxmemory", "0"]);
    }

    /// Leaves the server this much more memory than it has taken, and writes junk until it refuses
    /// writes or has deleted about as much as it was given. The junk stays, and so does the limit: what
    /// was refused once is refused until [`Redis::relieve`].
    ///
    /// # Panics
    /// Where four times the memory makes it do neither.
    pub fn press(&self, policy: Policy, room_bytes: u64) -> Pressure {
        let limit = self.count("used_memory") + room_bytes;
        self.command(&["CONFIG", "SET", "maxmemory-policy", policy.0]);
        self.command(&["CONFIG", "SET", "maxmemory", &limit.to_string()]);
        let evicted_before = self.count("evicted_keys");
        let junk_keys = 4 * room_bytes / 1024 + BATCH;
        let mut refused = 0;
        let mut connection = self.connect().unwrap();
        for batch in 0..=junk_keys / BATCH {
            let writes: Vec<u8> = (0..BATCH)
                .flat_map(|n| {
                    let key = format!("farebox-lab:junk:{batch}:{n}");
                    encode(&[b"SET".as_slice(), key.as_bytes(), &JUNK])
                })
                .collect();
            connection.send(&writes).unwrap();
            for _ in 0..BATCH {
                let reply = connection.receive().unwrap();
                assert!(!reply.is_error() || reply.text().starts_with("OOM"), "{}", reply.text());
                refused += u64::from(reply.is_error());
            }
            let evicted = self.count("evicted_keys") - evicted_before;
            if refused > 0 {
                // A connection that ends would make room again. There is none from now on.
                self.command(&["CONFIG", "SET", "maxmemory", &(limit / 2).to_string()]);
                return Pressure { evicted, refused };
            }
            if evicted > room_bytes / 1024 {
                return Pressure { evicted, refused };
            }
        }
        panic!("{junk_keys} kilobytes of junk did not fill {room_bytes} bytes");
    }
}
