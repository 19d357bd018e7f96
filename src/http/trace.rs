//! The names of one call: its request id, and its place in the W3C trace that it belongs to.

use axum::http::HeaderMap;
use farebox_verifier::GrantId;

/// What a call is known by, in answers, logs and traces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Trace {
    /// Sixteen hexadecimal digits that no other call has.
    pub(super) request: String,
    /// The trace that the caller named, where it named one.
    pub(super) parent: Option<String>,
}

impl Trace {
    /// The names of a call with these headers.
    pub(super) fn of(headers: &HeaderMap) -> Trace {
        // Sixteen random bytes, of which half are enough to find a line in a log.
        let fresh = GrantId::fresh().map(|id| id.to_string()).unwrap_or_default();
        let request = fresh.chars().take(16).collect();
        let parent = headers.get("traceparent").and_then(|value| value.to_str().ok());
        Trace { request, parent: parent.and_then(trace_id) }
    }
}

/// The trace's id in a `traceparent`, as W3C has it; a malformed one is as good as none.
fn trace_id(text: &str) -> Option<String> {
    let mut parts = text.split('-');
    let (version, trace, span, flags) =
        (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let hex = |text: &str, length: usize| {
        text.len() == length && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
    };
    let shaped = hex(version, 2) && hex(trace, 32) && hex(span, 16) && hex(flags, 2);
    // A later version may have more parts; this one has not, and version ff is none.
    let whole = version != "ff" && (version != "00" || parts.next().is_none());
    let named = trace.bytes().any(|b| b != b'0') && span.bytes().any(|b| b != b'0');
    (shaped && whole && named).then(|| trace.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_is_named_as_w3c_has_it_or_not_at_all() {
        let good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        assert_eq!(trace_id(good).as_deref(), Some("4bf92f3577b34da6a3ce929d0e0e4736"));
        for bad in [
            "",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "00-\n-00f067aa0ba902b7-01",
        ] {
            assert_eq!(trace_id(bad), None, "{bad}");
        }
    }
}
