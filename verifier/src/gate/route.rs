//! A guarded route: what its action is, what it reads, and the `MethodRouter` that comes of it.

use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::Request;
use axum::handler::Handler;
use axum::http::header::ALLOW;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{MethodFilter, MethodRouter, on};
use serde::de::DeserializeOwned;

use super::Gate;
use super::arrival::{BodySource, Limits, Shape, Source, Sources};
use super::pass;
use super::run::Action as Act;
use super::template::Template;
use crate::limits;
use crate::name::Action;

/// An action that has no resource yet.
#[must_use = "say what it is done to, and by which handler"]
pub struct ActionOn {
    pub(super) gate: Gate,
    pub(super) action: Action,
}

impl ActionOn {
    /// The resource, in which `{name}` stands for a value that the route's path captures:
    /// `account/{id}`. A captured value that holds a `/` is refused.
    ///
    /// A captured value that is not named here is a parameter: read it with [`Route::path`].
    ///
    /// # Panics
    /// If the template makes no resource, or two requests could make the same one.
    #[track_caller]
    pub fn on(self, template: &str) -> Route {
        match Template::parse(template) {
            Ok(template) => Route::new(self.gate, self.action, template),
            #[expect(clippy::panic, reason = "a wrong route is found when the router is built")]
            Err(why) => panic!("{template:?} is no template of a resource: {why}"),
        }
    }
}

/// When a route's grant is spent.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Spending {
    /// Before its handler is called.
    First,
    /// By its handler, once it has looked.
    ByHandler,
}

/// A route before it has its handler.
///
/// What is read is bound: the parameters of the action are the value of the one source that is read, or
/// an object with a member (`body`, `path`, `query`) for each of several. What is not read must be empty.
#[must_use = "give it a handler"]
pub struct Route {
    pub(super) gate: Gate,
    pub(super) action: Action,
    pub(super) template: Template,
    pub(super) sources: Sources,
    pub(super) spending: Spending,
    pub(super) limits: Limits,
    pub(super) run_max: Duration,
    pub(super) result_bytes_max: usize,
}

impl Route {
    fn new(gate: Gate, action: Action, template: Template) -> Route {
        Route {
            gate,
            action,
            template,
            sources: Sources::default(),
            spending: Spending::First,
            limits: Limits {
                body_bytes_max: limits::PARAMS_BYTES_MAX,
                read: Duration::from_secs(limits::READ_SECONDS_MAX),
            },
            run_max: Duration::from_secs(limits::RUN_SECONDS_MAX),
            result_bytes_max: limits::RESULT_BYTES_MAX,
        }
    }

    /// Reads the body as JSON.
    ///
    /// # Panics
    /// If the body is read already.
    #[track_caller]
    pub fn json(self) -> Route {
        self.body(BodySource::Json(|_| true))
    }

    /// Reads the body as JSON, and as a `T` before anything is spent: a handler that takes `Json<T>` will
    /// not refuse it once the token is used up.
    ///
    /// # Panics
    /// If the body is read already.
    #[track_caller]
    pub fn json_as<T: DeserializeOwned>(self) -> Route {
        let shape: Shape = |body| Json::<T>::from_bytes(body).is_ok();
        self.body(BodySource::Json(shape))
    }

    /// Reads the body as bytes, whatever they are. The token binds their digest and nothing else, so it
    /// can have no bounds; the content type is not bound.
    ///
    /// # Panics
    /// If anything else is read.
    #[track_caller]
    pub fn raw(self) -> Route {
        self.body(BodySource::Raw)
    }

    /// Reads the values that the path captures, as texts.
    ///
    /// # Panics
    /// If the body is read raw.
    #[track_caller]
    pub fn path(self) -> Route {
        let sources = Sources { path: Source::Read, ..self.sources };
        self.reading(sources)
    }

    /// Reads the query, as texts. A key that stands twice is refused.
    ///
    /// # Panics
    /// If the body is read raw.
    #[track_caller]
    pub fn query(self) -> Route {
        let sources = Sources { query: Source::Read, ..self.sources };
        self.reading(sources)
    }

    #[track_caller]
    fn body(self, body: BodySource) -> Route {
        if !matches!(self.sources.body, BodySource::Unread) {
            #[expect(clippy::panic, reason = "a wrong route is found when the router is built")]
            {
                panic!("the body of {} is read twice", self.action)
            }
        }
        let sources = Sources { body, ..self.sources };
        self.reading(sources)
    }

    #[track_caller]
    fn reading(self, sources: Sources) -> Route {
        let more = sources.path == Source::Read || sources.query == Source::Read;
        if matches!(sources.body, BodySource::Raw) && more {
            #[expect(clippy::panic, reason = "a wrong route is found when the router is built")]
            {
                panic!("{} reads its body raw, which can have no members beside it", self.action)
            }
        }
        Route { sources, ..self }
    }

    /// The most bytes that the body may have; JSON never more than [`limits::PARAMS_BYTES_MAX`].
    pub fn body_bytes_max(self, body_bytes_max: usize) -> Route {
        Route { limits: Limits { body_bytes_max, ..self.limits }, ..self }
    }

    /// How long the body may take to come in.
    pub fn read_within(self, read: Duration) -> Route {
        Route { limits: Limits { read, ..self.limits }, ..self }
    }

    /// How long the handler may run. One that runs longer is cut off, and its grant ends as unknown.
    pub fn run_within(self, run_max: Duration) -> Route {
        Route { run_max, ..self }
    }

    /// The most bytes of a result that output caveats speak of: it is kept in memory to be measured.
    pub fn result_bytes_max(self, result_bytes_max: usize) -> Route {
        Route { result_bytes_max, ..self }
    }

    /// Lets the handler look before it spends: it takes a [`Verified`](crate::Verified), and spends it by
    /// [`Gate::spend`] or drops it. What it does before that is not done once.
    pub fn look_first(self) -> Route {
        Route { spending: Spending::ByHandler, ..self }
    }

    /// Answers GET. HEAD is refused: it would use up the token and return nothing.
    pub fn get<H: Handler<T, S>, T: 'static, S>(self, handler: H) -> MethodRouter<S>
    where
        S: Clone + Send + Sync + 'static,
    {
        self.guard(MethodFilter::GET, Method::GET, handler)
    }

    /// Answers POST.
    pub fn post<H: Handler<T, S>, T: 'static, S>(self, handler: H) -> MethodRouter<S>
    where
        S: Clone + Send + Sync + 'static,
    {
        self.guard(MethodFilter::POST, Method::POST, handler)
    }

    /// Answers PUT.
    pub fn put<H: Handler<T, S>, T: 'static, S>(self, handler: H) -> MethodRouter<S>
    where
        S: Clone + Send + Sync + 'static,
    {
        self.guard(MethodFilter::PUT, Method::PUT, handler)
    }

    /// Answers PATCH.
    pub fn patch<H: Handler<T, S>, T: 'static, S>(self, handler: H) -> MethodRouter<S>
    where
        S: Clone + Send + Sync + 'static,
    {
        self.guard(MethodFilter::PATCH, Method::PATCH, handler)
    }

    /// Answers DELETE.
    pub fn delete<H: Handler<T, S>, T: 'static, S>(self, handler: H) -> MethodRouter<S>
    where
        S: Clone + Send + Sync + 'static,
    {
        self.guard(MethodFilter::DELETE, Method::DELETE, handler)
    }

    fn guard<H: Handler<T, S>, T: 'static, S>(
        self,
        filter: MethodFilter,
        method: Method,
        handler: H,
    ) -> MethodRouter<S>
    where
        S: Clone + Send + Sync + 'static,
    {
        on(filter, Guarded { route: Arc::new(self), method, handler })
    }
}

/// A handler behind the gate.
#[derive(Clone)]
struct Guarded<H> {
    route: Arc<Route>,
    method: Method,
    handler: H,
}

/// The arguments of the handler behind the gate.
struct Behind<T>(PhantomData<T>);

impl<H: Handler<T, S>, T: 'static, S> Handler<Behind<T>, S> for Guarded<H>
where
    S: Clone + Send + Sync + 'static,
{
    type Future = Pin<Box<dyn Future<Output = Response> + Send>>;

    fn call(self, request: Request, state: S) -> Self::Future {
        let Guarded { route, method, handler } = self;
        // axum sends HEAD to whoever answers GET.
        if *request.method() != method {
            let refused = (StatusCode::METHOD_NOT_ALLOWED, [(ALLOW, method.to_string())]);
            return Box::pin(async { refused.into_response() });
        }
        let act: Act = Box::new(|request| Box::pin(handler.call(request, state)));
        Box::pin(async move { pass::pass(route, request, act).await })
    }
}
