//! The table of routes: what there is, who may call it, and how much of it. The golden file of rights, the
//! OpenAPI document and the router are all made from this table, so none of them can say anything else.

use std::pin::Pin;
use std::sync::Arc;

use axum::body::Body;
use axum::http::{Method, Response};

use super::call::Call;
use super::openapi::Doc;
use super::problem::Problem;
use super::{Shared, about, approvals, feed, grants, plans, record, staff, uses};
use crate::callers::Role;
use crate::limits;

/// What a route does, once it is called by somebody who may.
pub(super) type Act = fn(Arc<Shared>, Call) -> Answering;
/// An answer on its way.
pub(super) type Answering =
    Pin<Box<dyn Future<Output = Result<Response<Body>, Problem>> + Send + 'static>>;

/// Who may call a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Who {
    /// Whoever reaches it.
    Anyone,
    /// Whoever has one of these roles.
    Any(&'static [Role]),
}

/// Which of a caller's rates a call counts for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rated {
    Mint,
    Spend,
    Other,
}

/// One route.
pub(super) struct Route {
    pub(super) method: Method,
    pub(super) path: &'static str,
    pub(super) who: Who,
    pub(super) rate: Rated,
    pub(super) body_bytes_max: usize,
    pub(super) act: Act,
    pub(super) doc: &'static Doc,
}

/// A route that anybody may read.
macro_rules! open {
    ($path:literal, $act:path, $doc:expr) => {
        Route {
            method: Method::GET,
            path: $path,
            who: Who::Anyone,
            rate: Rated::Other,
            body_bytes_max: 0,
            act: |shared, call| Box::pin($act(shared, call)),
            doc: &$doc,
        }
    };
}

/// A route for those who have a role.
macro_rules! closed {
    ($method:ident $path:literal, [$($role:ident),+], $rate:ident, $body:expr, $act:path, $doc:expr) => {
        Route {
            method: Method::$method,
            path: $path,
            who: Who::Any(&[$(Role::$role),+]),
            rate: Rated::$rate,
            body_bytes_max: $body,
            act: |shared, call| Box::pin($act(shared, call)),
            doc: &$doc,
        }
    };
}

const MINT: usize = limits::MINT_BODY_BYTES_MAX;
const SMALL: usize = limits::SMALL_BODY_BYTES_MAX;

/// All of them.
pub(super) static ALL: &[Route] = &[
    closed!(POST "/v1/grants", [Mint], Mint, MINT, grants::mint, grants::MINT),
    closed!(GET "/v1/grants", [Mint, Read, Revoke, Admin], Other, 0, grants::list, grants::LIST),
    closed!(GET "/v1/grants/{id}", [Mint, Read, Revoke, Admin], Other, 0, grants::show, grants::SHOW),
    closed!(POST "/v1/grants/{id}/settle", [Spend], Spend, SMALL, uses::settle, uses::SETTLE),
    closed!(POST "/v1/grants/{id}/token", [Mint], Mint, 0, approvals::collect, approvals::COLLECT),
    closed!(POST "/v1/spend", [Spend], Spend, MINT, uses::spend, uses::SPEND),
    closed!(POST "/v1/revocations", [Revoke, Admin], Other, SMALL, staff::revoke, staff::REVOKE),
    closed!(GET "/v1/revocations/feed", [Spend, Read, Revoke, Admin], Other, 0, feed::follow, feed::FOLLOW),
    closed!(GET "/v1/approvals", [Mint, Approve, Read, Revoke, Admin], Other, 0, approvals::list, approvals::LIST),
    closed!(GET "/v1/approvals/{id}", [Mint, Approve, Read, Revoke, Admin], Other, 0, approvals::show, approvals::SHOW),
    closed!(POST "/v1/approvals/{id}/decisions", [Approve], Other, SMALL, approvals::decide, approvals::DECIDE),
    closed!(POST "/v1/approvals/{id}/withdraw", [Mint, Approve], Other, 0, approvals::withdraw, approvals::WITHDRAW),
    closed!(POST "/v1/plans", [Mint], Mint, MINT, plans::propose, plans::PROPOSE),
    closed!(GET "/v1/plans/{id}", [Mint, Approve, Read, Revoke, Admin], Other, 0, plans::show, plans::SHOW),
    closed!(POST "/v1/plans/{id}/decisions", [Approve], Other, SMALL, plans::decide, plans::DECIDE),
    closed!(GET "/v1/blocks", [Read, Revoke, Admin], Other, 0, staff::blocks, staff::BLOCKS),
    closed!(POST "/v1/blocks", [Revoke, Admin], Other, SMALL, staff::block, staff::BLOCK),
    closed!(POST "/v1/blocks/lift", [Revoke, Admin], Other, SMALL, staff::lift, staff::LIFT),
    closed!(GET "/v1/record", [Read, Admin], Other, 0, record::search, record::SEARCH),
    closed!(GET "/v1/record/export", [Read, Admin], Other, 0, record::export, record::EXPORT),
    closed!(GET "/v1/record/stream", [Read, Admin], Other, 0, record::stream_of, record::STREAM),
    open!("/.well-known/farebox-keys", about::keys, about::KEYS),
    open!("/healthz", about::healthy, about::HEALTHY),
    open!("/readyz", about::ready, about::READY),
    open!("/metrics", about::metrics, about::METRICS),
    open!("/openapi.json", about::openapi, about::OPENAPI),
    open!("/problems/{code}", about::problem, about::PROBLEM),
];
