//! The OpenAPI document, made from the table of routes and what each says of itself.

use serde_json::{Map, Value, json};

use super::codes::{self, Code};
use super::routes::{self, Route, Who};

/// What a member is.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Text,
    /// A text that is not empty, of so many bytes at most.
    Short(usize),
    /// A name of so many bytes at most, without white space.
    Name(usize),
    /// The same, with single spaces inside.
    Line(usize),
    /// So many hexadecimal digits.
    Hex(usize),
    /// One of these words.
    Word(&'static [&'static str]),
    Date,
    Count,
    /// From this number on.
    From(u64),
    /// From one number to another.
    Within(u64, u64),
    Flag,
    /// So many texts at most.
    Texts(usize),
    /// One text, or so many at most.
    TextOrTexts(usize),
    /// So many ids of grants at most.
    Grants(usize),
    /// So many objects at most, and one at least.
    Objects(usize),
    /// An object of texts.
    Words,
    /// Any object.
    Object,
    /// A list of objects of these members.
    Items(&'static [Field]),
}

/// What every name keeps to. More is refused that no pattern says well: what hides or turns a line around.
const NAME: &str = r"^[^\s\x00-\x1f\x7f]+$";
const LINE: &str = r"^[^\s\x00-\x1f\x7f]([^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f])?$";
/// A grant's id is 16 bytes.
const GRANT_DIGITS: usize = 32;

/// One member of a body, a query or an answer.
#[derive(Clone, Copy)]
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) required: bool,
    pub(super) says: &'static str,
}

/// A member that must be there.
pub(super) const fn must(name: &'static str, kind: Kind, says: &'static str) -> Field {
    Field { name, kind, required: true, says }
}

/// A member that may be there.
pub(super) const fn may(name: &'static str, kind: Kind, says: &'static str) -> Field {
    Field { name, kind, required: false, says }
}

/// An answer that is no problem.
pub(super) struct Answers {
    pub(super) status: u16,
    pub(super) says: &'static str,
    pub(super) form: Form,
}

/// How an answer is written.
pub(super) enum Form {
    Json(&'static [Field]),
    Other(&'static str),
}

/// What a route says of itself.
pub(super) struct Doc {
    pub(super) does: &'static str,
    pub(super) body: Option<&'static [Field]>,
    pub(super) query: &'static [Field],
    pub(super) headers: &'static [Field],
    pub(super) answers: &'static [Answers],
    /// What may go wrong beyond what may go wrong everywhere.
    pub(super) problems: &'static [Code],
}

/// The document of an issuer at this address.
pub(super) fn document(public_url: &str) -> Value {
    let mut paths = Map::new();
    for route in routes::ALL {
        let path = paths.entry(route.path).or_insert_with(|| json!({}));
        if let Value::Object(path) = path {
            path.insert(route.method.as_str().to_ascii_lowercase(), operation(route));
        }
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "farebox",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Single-use capability tokens: one token, one action, one time.",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "servers": [{ "url": public_url }],
        "paths": paths,
        "components": {
            "securitySchemes": { "bearer": {
                "type": "http", "scheme": "bearer",
                "description": "An API key, or a JWT of a configured source.",
            } },
            "schemas": { "Problem": problem() },
        },
    })
}

fn operation(route: &Route) -> Value {
    let doc = route.doc;
    let mut operation = Map::new();
    operation.insert("summary".to_owned(), json!(doc.does));
    let id = format!("{} {}", route.method.as_str().to_ascii_lowercase(), route.path);
    operation.insert("operationId".to_owned(), json!(id));
    if let Who::Any(roles) = route.who {
        let roles: Vec<&str> = roles.iter().map(|role| role.word()).collect();
        operation.insert("security".to_owned(), json!([{ "bearer": [] }]));
        let says = format!("For callers with the role {}.", roles.join(" or "));
        operation.insert("description".to_owned(), json!(says));
    }
    let parameters = parameters(route);
    if !parameters.is_empty() {
        operation.insert("parameters".to_owned(), Value::Array(parameters));
    }
    if let Some(body) = doc.body {
        let schema = json!({ "required": true, "content": { "application/json": { "schema": object(body, true) } } });
        operation.insert("requestBody".to_owned(), schema);
    }
    operation.insert("responses".to_owned(), responses(route));
    Value::Object(operation)
}

fn parameters(route: &Route) -> Vec<Value> {
    let captured = route
        .path
        .split('/')
        .filter_map(|part| part.strip_prefix('{').and_then(|part| part.strip_suffix('}')));
    let captured = captured.map(|name| {
        let schema = match name {
            "code" => json!({ "type": "string", "enum": code_names() }),
            _grant => schema(Kind::Hex(GRANT_DIGITS), true),
        };
        json!({ "name": name, "in": "path", "required": true, "schema": schema })
    });
    let named = |place: &'static str| {
        move |field: &Field| {
            json!({
                "name": field.name, "in": place, "required": field.required,
                "description": field.says, "schema": schema(field.kind, true),
            })
        }
    };
    let query = route.doc.query.iter().map(named("query"));
    let headers = route.doc.headers.iter().map(named("header"));
    captured.chain(query).chain(headers).collect()
}

fn responses(route: &Route) -> Value {
    let mut responses = Map::new();
    for answer in route.doc.answers {
        let content = match answer.form {
            Form::Json(fields) => {
                json!({ "application/json": { "schema": object(fields, false) } })
            }
            Form::Other(kind) => json!({ kind: { "schema": { "type": "string" } } }),
        };
        let mut says = json!({ "description": answer.says, "content": content });
        if let (Value::Object(says), Some(links)) = (&mut says, links(route.path, answer.status)) {
            says.insert("links".to_owned(), links);
        }
        responses.insert(answer.status.to_string(), says);
    }
    let closed = matches!(route.who, Who::Any(_));
    let everywhere: &[Code] = if closed {
        &[
            codes::BAD_REQUEST,
            codes::UNAUTHENTICATED,
            codes::FORBIDDEN,
            codes::TOO_LARGE,
            codes::RATE_LIMITED,
        ]
    } else {
        &[codes::BAD_REQUEST, codes::TOO_LARGE]
    };
    let mut statuses: Vec<u16> = everywhere
        .iter()
        .chain(route.doc.problems)
        .map(|code| code.status().as_u16())
        .chain([408])
        .collect();
    // What is fenced, not known or in conflict has a status of its own where a route knows it.
    if route.doc.problems.contains(&codes::UNKNOWN_GRANT) {
        statuses.push(404);
    }
    if route.doc.problems.contains(&codes::FENCED) {
        statuses.push(409);
    }
    for status in statuses {
        responses.entry(status.to_string()).or_insert_with(|| {
            let schema = json!({ "$ref": "#/components/schemas/Problem" });
            json!({
                "description": "A problem; `code` says which.",
                "content": { "application/problem+json": { "schema": schema } },
            })
        });
    }
    Value::Object(responses)
}

/// What an answer leads to: a grant to its use, and a use to its outcome.
fn links(path: &str, status: u16) -> Option<Value> {
    let id = json!({ "id": "$response.body#/grant" });
    match (path, status) {
        ("/v1/grants", 201) => {
            let presented = json!({
                "token": "$response.body#/token",
                "action": "$request.body#/action",
                "resource": "$request.body#/resource",
                "audience": "$request.body#/audience",
                "params": "$request.body#/params",
                "attempt": "call-7f3a",
            });
            Some(json!({
                "show": { "operationId": "get /v1/grants/{id}", "parameters": id },
                "spend": { "operationId": "post /v1/spend", "requestBody": presented },
            }))
        }
        ("/v1/spend", 200) => {
            let outcome = json!({ "attempt": "$response.body#/attempt", "outcome": "succeeded" });
            let settle = "post /v1/grants/{id}/settle";
            Some(json!({
                "settle": { "operationId": settle, "parameters": id, "requestBody": outcome },
            }))
        }
        _ => None,
    }
}

/// An object of these members. What comes in has no others; what goes out may grow.
fn object(fields: &[Field], closed: bool) -> Value {
    let required: Vec<&str> = fields.iter().filter(|f| f.required).map(|f| f.name).collect();
    let mut properties = Map::new();
    for field in fields {
        let mut schema = schema(field.kind, closed);
        if let Value::Object(schema) = &mut schema {
            if closed && !field.required {
                or_null(schema);
            }
            schema.insert("description".to_owned(), json!(field.says));
            if let (true, Some(example)) = (closed, example(field.name)) {
                schema.insert("examples".to_owned(), json!([example]));
            }
        }
        properties.insert(field.name.to_owned(), schema);
    }
    let mut object = json!({ "type": "object", "properties": properties, "required": required });
    if let (true, Value::Object(object)) = (closed, &mut object) {
        object.insert("additionalProperties".to_owned(), json!(false));
    }
    object
}

/// What may be left out may be `null` too.
fn or_null(schema: &mut Map<String, Value>) {
    if let Some(kind) = schema.get("type").cloned() {
        schema.insert("type".to_owned(), json!([kind, "null"]));
    }
    for choices in ["enum", "anyOf"] {
        if let Some(Value::Array(known)) = schema.get_mut(choices) {
            known.push(if choices == "enum" { Value::Null } else { json!({ "type": "null" }) });
        }
    }
}

/// What a caller would write there.
fn example(name: &str) -> Option<Value> {
    Some(match name {
        "action" => json!("payments.transfer"),
        "resource" => json!("account/42"),
        "audience" => json!("payments-api"),
        "params" => json!({ "amount": 4000, "to": "acme" }),
        "purpose" => json!("invoice inv-7"),
        "workflow" => json!("run-81"),
        "step" => json!("3"),
        "ttl_seconds" => json!(30),
        "attempt" => json!("call-7f3a"),
        "outcome" => json!("succeeded"),
        "by" => json!("agent"),
        "value" => json!("key:billing"),
        "reason" => json!("looks stolen"),
        _ => return None,
    })
}

fn schema(kind: Kind, closed: bool) -> Value {
    let short = |max: usize| json!({ "type": "string", "minLength": 1, "maxLength": max });
    let text = |max: usize, pattern: &str| {
        let mut text = short(max);
        if let Value::Object(text) = &mut text {
            text.insert("pattern".to_owned(), json!(pattern));
        }
        text
    };
    match kind {
        Kind::Text => json!({ "type": "string" }),
        Kind::Short(max) => short(max),
        Kind::Name(max) => text(max, NAME),
        Kind::Line(max) => text(max, LINE),
        Kind::Hex(digits) => text(digits, &format!("^[0-9a-f]{{{digits}}}$")),
        Kind::Word(words) => json!({ "type": "string", "enum": words }),
        Kind::Date => json!({ "type": "string", "format": "date-time" }),
        Kind::Count => schema(Kind::From(0), closed),
        Kind::From(least) => json!({ "type": "integer", "minimum": least }),
        Kind::Within(from, to) => json!({ "type": "integer", "minimum": from, "maximum": to }),
        Kind::Flag => json!({ "type": "boolean" }),
        Kind::Texts(max) => list(Kind::Text, max),
        Kind::TextOrTexts(max) => json!({ "anyOf": [{ "type": "string" }, list(Kind::Text, max)] }),
        Kind::Grants(max) => list(Kind::Hex(GRANT_DIGITS), max),
        Kind::Words => {
            json!({ "type": "object", "additionalProperties": { "type": "string" } })
        }
        Kind::Object => json!({ "type": "object" }),
        Kind::Objects(max) => {
            json!({ "type": "array", "items": { "type": "object" }, "minItems": 1, "maxItems": max })
        }
        Kind::Items(fields) => json!({ "type": "array", "items": object(fields, closed) }),
    }
}

fn list(of: Kind, count_max: usize) -> Value {
    json!({ "type": "array", "items": schema(of, true), "maxItems": count_max })
}

fn code_names() -> Vec<&'static str> {
    codes::ALL.iter().map(|code| code.name()).collect()
}

fn problem() -> Value {
    let names = code_names();
    json!({
        "type": "object",
        "description": "What went wrong, as RFC 9457 has it.",
        "properties": {
            "type": { "type": "string", "format": "uri-reference" },
            "title": { "type": "string" },
            "status": { "type": "integer" },
            "code": { "type": "string", "enum": names },
            "detail": { "type": "string" },
        },
        "required": ["type", "title", "status", "code", "detail"],
    })
}
