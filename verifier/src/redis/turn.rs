//! One question: sent once, on one connection, and heard once or not at all.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use redis::{Cmd, Pipeline, RedisResult, ServerError, Value};
use tokio::time::error::Elapsed;
use tokio::time::{Instant, timeout_at};

use super::call::{ECHO_BYTES, Reply};
use super::connection::Connection;
use super::slots::Slot;
use super::unanswered::{Unanswered, Why};

/// The right to ask one question.
pub(super) struct Turn {
    pub(super) connection: Arc<Connection>,
    pub(super) until: Instant,
    /// Kept until the answer came, or its time is over.
    pub(super) _slot: Slot,
}

impl Turn {
    /// Calls a function, and believes only the reply that repeats the echo.
    pub(super) async fn call(
        self,
        question: Cmd,
        echo: [u8; ECHO_BYTES],
    ) -> Result<Reply, Unanswered> {
        let mut wire = self.connection.wire();
        let heard = timeout_at(self.until, wire.send_packed_command(&question)).await;
        match self.heard(heard)? {
            Value::BulkString(bytes) => Reply::to(&echo, bytes).ok_or_else(|| self.astray()),
            Value::ServerError(error) => Err(self.refused(&error)),
            _ => Err(self.astray()),
        }
    }

    /// Runs a command, and believes its reply only if the one behind it is that of a ping of our own:
    /// replies come in the order of their questions, so nobody else's can stand before it.
    pub(super) async fn command(self, mut question: Pipeline) -> Result<Value, Unanswered> {
        let echo = next_echo();
        question.cmd("PING").arg(echo.as_slice());
        let mut wire = self.connection.wire();
        let heard = wire.send_packed_commands(&question, 0, question.len());
        let mut answers = self.heard(timeout_at(self.until, heard).await)?;
        match (answers.pop(), answers.pop(), answers.pop()) {
            (Some(Value::BulkString(last)), Some(answer), None) if last == echo => match answer {
                Value::ServerError(error) => Err(self.refused(&error)),
                answer => Ok(answer),
            },
            // A server that does not even take a ping is one to leave.
            (Some(Value::ServerError(_)), Some(Value::ServerError(error)), None) => {
                self.connection.leave(Why::unwelcome(&error));
                Err(Unanswered::refused(&error))
            }
            _ => Err(self.astray()),
        }
    }

    fn heard<T>(&self, heard: Result<RedisResult<T>, Elapsed>) -> Result<T, Unanswered> {
        let why = match heard {
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(error)) => Why::of(&error),
            Err(_elapsed) => Why::TimedOut,
        };
        self.connection.leave(why.clone());
        Err(Unanswered::InDoubt(why))
    }

    /// Another question's reply came: none on this connection is believed from here on.
    fn astray(&self) -> Unanswered {
        self.connection.cut(Why::NotEchoed);
        Unanswered::InDoubt(Why::NotEchoed)
    }

    fn refused(&self, error: &ServerError) -> Unanswered {
        if let Some(why) = Why::to_leave(error) {
            self.connection.leave(why);
        }
        Unanswered::refused(error)
    }
}

/// What no other ping of this process asks to be repeated.
fn next_echo() -> Vec<u8> {
    static ASKED: AtomicU64 = AtomicU64::new(0);
    format!("farebox-{}", ASKED.fetch_add(1, Ordering::Relaxed)).into_bytes()
}
