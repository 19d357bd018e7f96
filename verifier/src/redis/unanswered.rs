//! Why a question has no answer, and what is known all the same.

use std::io;

use redis::{ErrorKind, RedisError, ServerError};

/// As much of a server's text as is kept: its own messages are shorter, but for the longest advice.
const TEXT_CHARS_MAX: usize = 200;
/// After these words a server repeats what it was asked, attempts and passwords included.
const REPEATS_ARGUMENTS: &str = ", with args beginning with";
/// With these words a server says that an error came out of a function.
const RAISED_INSIDE: &str = " script: ";
/// Codes with which a server refuses a command before it begins, unless a function passed them on.
const BEFORE_IT_BEGINS: [&str; 15] = [
    "NOAUTH",
    "NOPERM",
    "DENIED",
    "LOADING",
    "MASTERDOWN",
    "READONLY",
    "OOM",
    "MISCONF",
    "NOREPLICAS",
    "BUSY",
    "MOVED",
    "ASK",
    "TRYAGAIN",
    "CROSSSLOT",
    "CLUSTERDOWN",
];
/// The same for the code `ERR`, which says nothing by itself.
const UNKNOWN_COMMANDS: [&str; 3] =
    ["Function not found", "unknown command", "wrong number of arg"];
/// Codes of a server that this process must not stay with: another may have taken its place.
const UNFIT: [&str; 5] = ["READONLY", "LOADING", "MASTERDOWN", "NOAUTH", "DENIED"];

/// What is known of a question that nobody answered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unanswered {
    /// It was surely not sent.
    #[error("store's server was not asked")]
    Down(#[source] Why),
    /// It may have been carried out, and nobody heard.
    #[error("store's server did not answer")]
    InDoubt(#[source] Why),
    /// The server answered with an error.
    #[error("store's server refused with {code}: {text}")]
    #[non_exhaustive]
    Refused {
        /// The error's first word.
        code: Box<str>,
        /// The rest of it: bounded, in one line, without what was asked.
        text: Box<str>,
        /// Whether anything can have come of the question.
        effect: Effect,
    },
}

/// What may have come of a question that was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Nothing: it was refused before it began.
    None,
    /// The function raised the error, or nobody can tell who did: something may have been done.
    Unknown,
}

impl Unanswered {
    /// Whether nothing can have come of the question, so that it may be asked elsewhere.
    ///
    /// This trusts the functions to answer in packed replies, and never by an error of their own making
    /// that looks like the server's.
    #[must_use]
    pub fn surely_not_carried_out(&self) -> bool {
        match self {
            Unanswered::Down(_) | Unanswered::Refused { effect: Effect::None, .. } => true,
            Unanswered::InDoubt(_) | Unanswered::Refused { effect: Effect::Unknown, .. } => false,
        }
    }

    pub(super) fn refused(error: &ServerError) -> Unanswered {
        let (code, said) = (error.code(), error.details().unwrap_or_default());
        let unknown = code == "ERR" && UNKNOWN_COMMANDS.iter().any(|text| said.starts_with(text));
        // A function passes on what its own commands were told, code and all.
        let before = !said.contains(RAISED_INSIDE) && (unknown || BEFORE_IT_BEGINS.contains(&code));
        let effect = if before { Effect::None } else { Effect::Unknown };
        Unanswered::Refused { code: bounded(code), text: bounded(said), effect }
    }
}

/// What went wrong on the way.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Why {
    /// Nobody knows where the server is.
    #[error("server's name has no address")]
    Unresolved,
    /// Nobody listens there, or nobody could be reached.
    #[error("server cannot be reached: {kind}")]
    Unreachable {
        /// What the system said.
        kind: io::ErrorKind,
    },
    /// No TLS came about: the certificate is not trusted, or not the server's, or there is no TLS.
    #[error("no tls with the server: {text}")]
    Untrusted {
        /// What was wrong with it.
        text: Box<str>,
    },
    /// The server took the connection, and then would not have it, or is not fit to answer.
    #[error("server said {code}: {text}")]
    Unwelcome {
        /// The error's first word.
        code: Box<str>,
        /// The rest of it, bounded.
        text: Box<str>,
    },
    /// What answers does not speak Redis' protocol.
    #[error("server's answer is none of its protocol")]
    Garbled,
    /// A connection is being opened, and is taking long.
    #[error("connection is being opened")]
    Opening,
    /// As many calls as may be were in flight all the while.
    #[error("too many calls are in flight")]
    Busy,
    /// No answer in time.
    #[error("no answer in time")]
    TimedOut,
    /// The connection ended.
    #[error("connection ended")]
    Closed,
    /// The reply was another question's.
    #[error("reply was another question's")]
    NotEchoed,
}

impl Why {
    /// What became of a connection that gave this error.
    pub(super) fn of(error: &RedisError) -> Why {
        match error.kind() {
            ErrorKind::Parse => Why::Garbled,
            _ => Why::Closed,
        }
    }

    /// Whether a server that says so is left, and how it is remembered.
    pub(super) fn to_leave(error: &ServerError) -> Option<Why> {
        UNFIT.contains(&error.code()).then(|| Why::unwelcome(error))
    }

    pub(super) fn unwelcome(error: &ServerError) -> Why {
        let text = bounded(error.details().unwrap_or_default());
        Why::Unwelcome { code: bounded(error.code()), text }
    }

    /// The same without what holds the password: what a server says of a login may repeat it.
    pub(super) fn without(self, password: Option<&str>) -> Why {
        let Some(password) = password.filter(|password| !password.is_empty()) else { return self };
        let kept = |said: Box<str>| if said.contains(password) { Box::default() } else { said };
        match self {
            Why::Unwelcome { code, text } => Why::Unwelcome { code: kept(code), text: kept(text) },
            why => why,
        }
    }

    pub(super) fn untrusted(error: &io::Error) -> Why {
        Why::Untrusted { text: bounded(&error.to_string()) }
    }
}

/// What a stranger said, fit for a log: short, one line, and without what it was asked.
fn bounded(said: &str) -> Box<str> {
    let own = said.split(REPEATS_ARGUMENTS).next().unwrap_or_default();
    let shown = |c: char| if c.is_control() || crate::name::misleads(c) { '?' } else { c };
    own.chars().take(TEXT_CHARS_MAX).map(shown).collect::<String>().into()
}

#[cfg(test)]
mod tests {
    use redis::{Value, parse_redis_value};

    use super::*;

    fn refused(line: &str) -> Unanswered {
        match parse_redis_value(format!("-{line}\r\n").as_bytes()) {
            Ok(Value::ServerError(error)) => Unanswered::refused(&error),
            other => panic!("{other:?}"),
        }
    }

    fn text(unanswered: &Unanswered) -> String {
        let Unanswered::Refused { text, .. } = unanswered else { panic!("{unanswered:?}") };
        text.to_string()
    }

    #[test]
    fn what_was_refused_before_it_began_is_told_from_what_a_function_raised() {
        let table = [
            ("NOAUTH Authentication required.", true),
            ("NOPERM this user has no permissions to run the 'fcall|fb1_open' command", true),
            ("LOADING Redis is loading the dataset in memory", true),
            ("READONLY Can not run script with write flag on readonly replica", true),
            ("OOM allow-oom flag is not set on the script, can not run it when used memory", true),
            ("BUSY Redis is busy running a script.", true),
            ("MOVED 866 10.0.0.7:6379", true),
            ("ERR Function not found", true),
            ("ERR unknown command 'FCALL', with args beginning with: 'fb1_open' ", true),
            ("ERR user_function:12: gone script: fb1_spend, on @user_function:12.", false),
            ("OOM command not allowed when used memory > 'maxmemory'. script: f, on @x:1.", false),
            ("NOPERM this user has no permissions script: fb1_spend, on @user_function:3.", false),
            ("ERR wrong number of arguments for 'xadd' command script: f, on @x:1.", false),
            ("ERR something else", false),
            ("NOVEL kind of error", false),
        ];
        for (line, surely_not) in table {
            assert_eq!(refused(line).surely_not_carried_out(), surely_not, "{line}");
        }
    }

    #[test]
    fn a_servers_text_is_short_and_does_not_repeat_the_question() {
        let long = text(&refused(&format!("ERR {}", "long ".repeat(100))));
        assert_eq!(long.chars().count(), TEXT_CHARS_MAX);
        let asked = refused("ERR unknown command 'FCALL', with args beginning with: 'f' 'secret' ");
        assert_eq!(text(&asked), "unknown command 'FCALL'");
        assert_eq!(text(&refused("ERR a\u{1b}[2Jb\u{202e}c")), "a?[2Jb?c");
    }
}
