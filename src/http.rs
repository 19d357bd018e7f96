//! HTTP: the one door. Every call is named, limited, known and let in here, by the table of routes, before
//! anything looks at what it asks.
//!
//! ```text
//! connection ─→ listener ─→ door: trace, rate, caller, role, body ─→ route: parse, one call, answer
//!                                  └──────────────── problem ←──────────────────┘
//! ```

mod about;
mod approvals;
mod call;
mod codes;
mod exporting;
mod feed;
mod following;
mod grants;
mod listener;
mod openapi;
mod places;
mod plans;
mod pressed;
mod problem;
mod rates;
mod record;
mod routes;
mod staff;
mod trace;
mod uses;

use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{FromRequestParts as _, RawPathParams, Request};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, Response, StatusCode};
use axum::routing::{MethodFilter, MethodRouter, on};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use tokio::sync::{Semaphore, watch};
use tracing::Instrument as _;

use self::call::Call;
use self::problem::Problem;
use self::rates::Rates;
use self::routes::{Route, Who};
use self::trace::Trace;
use crate::callers::{Caller, Callers};
use crate::issuer::Issuer;
use crate::limits::{EXPORTS_MAX, SEARCHES_MAX};
use crate::metrics::Metrics;

pub use listener::{Listener, Patience};
pub use rates::Rate;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Where a connection comes from: the machine next to ours, which may be a proxy.
#[derive(Clone, Copy, Debug)]
struct Peer(IpAddr);

impl Peer {
    /// What guesses are counted by. Whoever has one IPv6 address has the 64 bits behind its network to choose from.
    fn home(self) -> IpAddr {
        match self.0.to_canonical() {
            IpAddr::V4(address) => IpAddr::V4(address),
            IpAddr::V6(address) => {
                IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64)))
            }
        }
    }
}

/// How often is asked, and how long is waited.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Grants asked for, by each caller.
    pub mint: Rate,
    /// Uses taken and settled, by each caller.
    pub spend: Rate,
    /// All else, by each caller.
    pub other: Rate,
    /// Credentials that are not known, from each address.
    pub unknown: Rate,
    /// How long a body may take to come.
    pub body: Duration,
    /// How long one may be, where its route takes as much.
    pub body_bytes: usize,
    /// Items on a page of a list that asks for no number.
    pub list_items: usize,
}

/// What every call needs.
pub struct Shared {
    pub(crate) issuer: Arc<Issuer>,
    pub(crate) callers: Arc<Callers>,
    pub(crate) metrics: Arc<Metrics>,
    /// Where this issuer is known to others, without a slash at its end.
    pub(crate) public_url: String,
    limits: Limits,
    stop: watch::Receiver<bool>,
    mint: Rates,
    spend: Rates,
    other: Rates,
    unknown: Rates,
    searches: Semaphore,
    exports: Arc<Semaphore>,
}

impl Shared {
    /// What the calls of this issuer share. Answers without an end have one when the stop is told.
    #[must_use]
    pub fn new(
        issuer: Arc<Issuer>,
        callers: Arc<Callers>,
        metrics: Arc<Metrics>,
        public_url: &str,
        (limits, stop): (Limits, watch::Receiver<bool>),
    ) -> Shared {
        let public_url = public_url.trim_end_matches('/').to_owned();
        let [mint, spend, other, unknown] =
            [limits.mint, limits.spend, limits.other, limits.unknown].map(Rates::new);
        Shared {
            issuer,
            callers,
            metrics,
            public_url,
            limits,
            stop,
            mint,
            spend,
            other,
            unknown,
            searches: Semaphore::new(SEARCHES_MAX),
            exports: Arc::new(Semaphore::new(EXPORTS_MAX)),
        }
    }
}

/// The routes, ready to be served.
pub fn router(shared: &Arc<Shared>) -> Router {
    let mut router = Router::new();
    for route in routes::ALL {
        router = router.route(route.path, one(route, Arc::clone(shared)));
    }
    let nowhere = Arc::clone(shared);
    router
        .method_not_allowed_fallback({
            let shared = Arc::clone(shared);
            move || async move {
                let problem = Problem::bad_request("this path does not know that method");
                problem.with_status(StatusCode::METHOD_NOT_ALLOWED).answer(&shared.public_url)
            }
        })
        .fallback(move || async move {
            let problem = Problem::bad_request("there is nothing at this path");
            problem.with_status(StatusCode::NOT_FOUND).answer(&nowhere.public_url)
        })
}

fn one(route: &'static Route, shared: Arc<Shared>) -> MethodRouter {
    let filter = MethodFilter::try_from(route.method.clone()).unwrap_or(MethodFilter::GET);
    // A GET route of axum answers HEAD too; that is what HTTP asks for.
    on(filter, move |request: Request| answer(route, Arc::clone(&shared), request))
}

/// Answers one call, whatever becomes of it, and says so in the log and the numbers.
async fn answer(route: &'static Route, shared: Arc<Shared>, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let trace = Trace::of(&parts.headers);
    let parent = trace.parent.as_deref().unwrap_or_default();
    let span =
        tracing::info_span!("call", route = route.path, request = trace.request, trace = parent);
    let timer = shared.metrics.call(route.method.as_str(), route.path);
    let answered = let_in(route, &shared, parts, body).instrument(span).await;
    let mut response = answered.unwrap_or_else(|problem| {
        tracing::info!(
            request = trace.request,
            route = route.path,
            code = problem.code(),
            "call refused"
        );
        problem.answer(&shared.public_url)
    });
    timer.end(response.status().as_u16());
    if let Ok(value) = HeaderValue::from_str(&trace.request) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response
}

async fn let_in(
    route: &'static Route,
    shared: &Arc<Shared>,
    mut parts: Parts,
    body: Body,
) -> Result<Response<Body>, Problem> {
    let caller = match route.who {
        Who::Anyone => None,
        Who::Any(roles) => {
            let caller = known(shared, &parts).await?;
            if !roles.iter().any(|role| caller.roles.holds(*role)) {
                return Err(Problem::new(codes::FORBIDDEN, "your roles do not include this"));
            }
            let rates = match route.rate {
                routes::Rated::Mint => &shared.mint,
                routes::Rated::Spend => &shared.spend,
                routes::Rated::Other => &shared.other,
            };
            rates.take(caller.name.as_str()).map_err(too_often)?;
            Some(caller)
        }
    };
    let captured = RawPathParams::from_request_parts(&mut parts, &()).await;
    let captured = captured.or(Err(Problem::bad_request("the path is not UTF-8")))?;
    let path = captured.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let bytes_max = route.body_bytes_max.min(shared.limits.body_bytes);
    let body = read(body, bytes_max, shared.limits.body).await?;
    let call = Call::new((caller, path), &parts.uri, parts.headers, body)?;
    (route.act)(Arc::clone(shared), call).await
}

/// Who calls, if anybody knows them. Those who guess are slowed down by where they come from.
async fn known(shared: &Shared, parts: &Parts) -> Result<Arc<Caller>, Problem> {
    let unauthenticated = |detail: &str| Problem::new(codes::UNAUTHENTICATED, detail);
    let peer = parts.extensions.get::<Peer>();
    let home = peer.map_or_else(String::new, |peer| peer.home().to_string());
    let mut values = parts.headers.get_all("authorization").iter();
    let value = values.next().ok_or_else(|| unauthenticated("no credential was sent"))?;
    if values.next().is_some() {
        return Err(unauthenticated("more than one credential was sent"));
    }
    let text = value.to_str().unwrap_or_default();
    let bearer = match text.split_once(' ') {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("bearer") => rest.trim(),
        _ => return Err(unauthenticated("the credential is no bearer")),
    };
    // A flood of guesses must not cost a verification each. Keys of ours are looked up at once, so that whoever has
    // one is let in beside the flood.
    if Callers::is_signed(bearer) {
        shared.unknown.look(&home).map_err(too_often)?;
    }
    match shared.callers.authenticate(bearer).await {
        Ok(caller) => Ok(caller),
        Err(why) => {
            shared.metrics.unauthenticated();
            shared.unknown.take(&home).map_err(too_often)?;
            let peer = peer.map_or_else(String::new, |peer| peer.0.to_string());
            tracing::warn!(peer, why = %why.reason(), "credential refused");
            Err(unauthenticated("the credential is not one that is known here"))
        }
    }
}

fn too_often(seconds: u64) -> Problem {
    Problem::new(codes::RATE_LIMITED, "you ask too often").retry_after(seconds)
}

async fn read(body: Body, bytes_max: usize, patience: Duration) -> Result<Bytes, Problem> {
    let collected = tokio::time::timeout(patience, Limited::new(body, bytes_max).collect()).await;
    match collected {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            let detail = format!("the body has more than {bytes_max} bytes");
            Err(Problem::new(codes::TOO_LARGE, detail))
        }
        Ok(Err(_cut)) => Err(Problem::bad_request("the body was cut off")),
        Err(_late) => {
            let problem = Problem::bad_request("the body did not come in time");
            Err(problem.with_status(StatusCode::REQUEST_TIMEOUT))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Peer;

    #[test]
    fn a_guesser_is_known_by_its_address_or_its_network() {
        let home = |address: &str| Peer(address.parse().unwrap()).home().to_string();
        assert_eq!(home("192.0.2.7"), "192.0.2.7");
        assert_eq!(home("::ffff:192.0.2.7"), "192.0.2.7");
        assert_eq!(home("2001:db8:1:2:3:4:5:6"), home("2001:db8:1:2:ffff::1"));
        assert_ne!(home("2001:db8:1:2::1"), home("2001:db8:1:3::1"));
    }
}
