//! The feed of revocations over HTTP: a long poll, or server-sent events of the same documents.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{Response, StatusCode};
use futures_core::Stream;
use tokio::sync::watch;

use super::Shared;
use super::call::{self, Call};
use super::codes;
use super::openapi::{Answers, Doc, Field, Form, Kind, may, must};
use super::problem::Problem;
use crate::feed::{Feed, Signed};
use crate::limits;

const QUERY: &[Field] = &[
    may("after", Kind::Text, "The cursor up to which all is known; left out, for a snapshot."),
    may(
        "wait_seconds",
        Kind::Within(0, limits::WAIT_SECONDS_MAX),
        "How long to wait for something new.",
    ),
];

pub(super) static FOLLOW: Doc = Doc {
    does: "Follow what is taken back, signed and without a gap",
    body: None,
    query: QUERY,
    headers: &[
        may(
            "accept",
            Kind::Text,
            "`text/event-stream` for the same documents as events, each second.",
        ),
        may("last-event-id", Kind::Text, "The cursor, as a browser sends it when it comes back."),
    ],
    answers: &[Answers {
        status: 200,
        says: "What came after the cursor; a snapshot where that is not known here.",
        form: Form::Json(&[
            must("head", Kind::Text, "Where the feed stands, as compact JWS by the feed's key."),
            may("events", Kind::Text, "The events after the cursor, each in a line."),
            may("snapshot", Kind::Text, "All events that still stand, each in a line."),
            must("cursor", Kind::Text, "Where to go on."),
        ]),
    }],
    problems: &[codes::STORE_DOWN],
};

type Newest = watch::Receiver<Option<Arc<Signed>>>;
type Stop = watch::Receiver<bool>;

/// What came after a cursor, now or as soon as there is something.
pub(super) async fn follow(shared: Arc<Shared>, call: Call) -> Result<Response<Body>, Problem> {
    let asked = call.query(&["after", "wait_seconds"])?;
    let within = |text: &str| text.parse().ok().filter(|n| *n <= limits::WAIT_SECONDS_MAX);
    let wait = asked.parsed("wait_seconds", "a number of seconds up to 30", within)?;
    let cursor = asked.text("after").or(call.header("last-event-id")?).map(str::to_owned);
    let feed = Arc::clone(shared.issuer.feed());
    let (mut newest, mut stop) = (feed.newest(), shared.stop.clone());
    if call.header("accept")?.is_some_and(|kinds| kinds.contains("text/event-stream")) {
        // What is there already comes first.
        newest.mark_changed();
        let next = Some(next((feed, newest, stop), cursor));
        return Ok(call::text("text/event-stream", Body::from_stream(Telling { next })));
    }
    let news = |signed: &Option<Arc<Signed>>| {
        let known = |cursor: &str| signed.as_ref().is_some_and(|signed| signed.is_at(cursor));
        signed.is_some() && !cursor.as_deref().is_some_and(known)
    };
    let patience = tokio::time::sleep(Duration::from_secs(wait.unwrap_or_default()));
    tokio::select! {
        biased;
        _told = stop.wait_for(|stop| *stop) => {}
        _came = newest.wait_for(news) => {}
        () = patience => {}
    }
    let signed = newest.borrow().clone();
    let signed = signed.ok_or_else(|| Problem::new(codes::STORE_DOWN, "the feed is not signed"))?;
    Ok(call::json(StatusCode::OK, &feed.document(&signed, cursor.as_deref())))
}

/// The feed as a body that grows with each head, until one side hangs up or the issuer stops.
struct Telling {
    next: Option<Next>,
}

/// A cursor, who brings what comes behind it, and what is told.
type Next = Pin<Box<dyn Future<Output = Option<(String, Source, String)>> + Send>>;
type Source = (Arc<Feed>, Newest, Stop);

fn next((feed, mut newest, mut stop): Source, cursor: Option<String>) -> Next {
    Box::pin(async move {
        let signed = tokio::select! {
            biased;
            _told = stop.wait_for(|stop| *stop) => return None,
            signed = later(&mut newest) => signed?,
        };
        let document = feed.document(&signed, cursor.as_deref());
        let text = format!("id: {}\ndata: {document}\n\n", signed.cursor());
        Some((signed.cursor(), (feed, newest, stop), text))
    })
}

/// The next head that is signed.
async fn later(newest: &mut Newest) -> Option<Arc<Signed>> {
    loop {
        newest.changed().await.ok()?;
        let signed = newest.borrow_and_update().clone();
        if signed.is_some() {
            return signed;
        }
    }
}

impl Stream for Telling {
    type Item = Result<Bytes, Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(coming) = &mut self.next else { return Poll::Ready(None) };
        let Poll::Ready(told) = coming.as_mut().poll(context) else { return Poll::Pending };
        let Some((cursor, source, text)) = told else {
            self.next = None;
            return Poll::Ready(None);
        };
        self.next = Some(next(source, Some(cursor)));
        Poll::Ready(Some(Ok(Bytes::from(text))))
    }
}
