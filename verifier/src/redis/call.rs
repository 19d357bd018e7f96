//! A question to a function of the server, and its reply.

use redis::Cmd;

/// How many bytes of a reply say whose it is.
pub(super) const ECHO_BYTES: usize = 16;

/// One call of a library's function: one key, one packed argument, one packed reply.
///
/// It has no `Debug`, for what is packed holds attempts.
#[derive(Clone, Copy)]
pub struct Call<'a> {
    /// The function's name.
    pub function: &'static str,
    /// Its one key.
    pub key: &'a [u8],
    /// Its one argument.
    pub packed: &'a [u8],
}

impl Call<'_> {
    pub(super) fn command(&self) -> Cmd {
        let bytes = "FCALL1".len() + self.function.len() + self.key.len() + self.packed.len();
        let mut command = Cmd::with_capacity(5, bytes);
        command.arg("FCALL").arg(self.function).arg("1").arg(self.key).arg(self.packed);
        command
    }
}

/// What the function answered. That it is this call's answer was checked.
///
/// It has no `Debug`: it begins with the echo, which may be an attempt.
#[derive(Clone, PartialEq, Eq)]
pub struct Reply {
    bytes: Vec<u8>,
}

impl Reply {
    /// The reply, if it repeats the echo.
    pub(super) fn to(echo: &[u8; ECHO_BYTES], bytes: Vec<u8>) -> Option<Reply> {
        bytes.starts_with(echo).then_some(Reply { bytes })
    }

    /// What stands behind the echo.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        self.bytes.get(ECHO_BYTES..).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_five_arguments() {
        let call = Call { function: "fb1_spend", key: b"fb1:{00}:j:a", packed: b"\x00\r\n" };
        let packed = b"*5\r\n$5\r\nFCALL\r\n$9\r\nfb1_spend\r\n$1\r\n1\r\n$12\r\nfb1:{00}:j:a\r\n$3\r\n\x00\r\n\r\n";
        assert_eq!(call.command().get_packed_command(), packed);
    }

    #[test]
    fn a_reply_repeats_the_whole_echo() {
        let echo = [7; ECHO_BYTES];
        let reply = Reply::to(&echo, [&echo[..], b"\x00done"].concat());
        assert_eq!(reply.unwrap().body(), b"\x00done");
        assert!(Reply::to(&echo, echo[..15].to_vec()).is_none());
        assert!(Reply::to(&echo, [&[6], &echo[1..]].concat()).is_none());
        assert_eq!(Reply::to(&echo, echo.to_vec()).unwrap().body(), b"");
    }
}
