//! The OpenAPI document: what the handlers say of themselves, and what holds for all of them.

use std::sync::LazyLock;

use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        Components, Content, Info, License, OpenApi, OpenApiBuilder, Ref, RefOr, Response, ResponseBuilder, Schema,
        Server,
        path::{Operation, PathItem},
        security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme},
        tag::{Tag, TagBuilder},
    },
};
use vm_model::ErrorEnvelope;

use crate::routes::{self, BASE};

/// Status, name and description of what every route may answer.
const ALWAYS: [(&str, &str, &str); 6] = [
    (
        "400",
        "BadRequest",
        "`VALIDATION_ERROR`: a field, id or query parameter is missing or not acceptable. `INVALID_REQUEST`: the body \
         is not JSON of the expected shape.",
    ),
    ("401", "Unauthorized", "`UNAUTHORIZED`: the daemon demands a token, and the request has none or another one."),
    ("403", "Forbidden", "`FORBIDDEN`: the request names a foreign host, or comes from a foreign web page."),
    ("500", "Internal", "`INTERNAL`: a defect of the system, or a fault of the machine."),
    (
        "503",
        "Unavailable",
        "`UNAVAILABLE`: the daemon takes no new work at this moment. `STORAGE_UNAVAILABLE`: the database cannot be used; \
         nothing of the request is stored.",
    ),
    ("507", "StorageFull", "`STORAGE_FULL`: the database's disk is full; nothing of the request is stored."),
];

/// The same for every route that takes a body.
const WITH_BODY: [(&str, &str, &str); 3] = [
    ("408", "RequestTimeout", "`REQUEST_TIMEOUT`: the body did not arrive in time."),
    ("413", "PayloadTooLarge", "`PAYLOAD_TOO_LARGE`: the body is too large; the message says how large it may be."),
    ("415", "UnsupportedMediaType", "`UNSUPPORTED_MEDIA_TYPE`: the body does not say that it is `application/json`."),
];

const TAGS: [(&str, &str); 5] = [
    ("templates", "What sessions are stamped from."),
    ("sessions", "Live runtimes."),
    ("executions", "Recorded runs of code in a session."),
    ("catalog", "What templates can be configured with."),
    ("runtime", "The daemon itself."),
];

static DOCUMENT: LazyLock<String> = LazyLock::new(|| {
    // Maps with text keys cannot fail to become JSON; the tests read the document.
    document().to_json().unwrap_or_default()
});

/// The document of all routes, as JSON: the answer of `GET /api/v1/openapi.json`.
#[must_use]
pub fn openapi() -> &'static str {
    &DOCUMENT
}

fn document() -> OpenApi {
    let mut document = OpenApiBuilder::new()
        .info(info())
        .servers(Some([Server::new(BASE)]))
        .tags(Some(TAGS.map(tag)))
        .security(Some([SecurityRequirement::default(), SecurityRequirement::new("token", [""; 0])]))
        .build();
    document.merge(routes::all().into_openapi());
    for operation in document.paths.paths.values_mut().flat_map(operations) {
        complete(operation);
    }
    let components = document.components.get_or_insert_default();
    add_refusals(components);
    components.schemas.values_mut().for_each(leave_out_defaults);
    document
}

fn info() -> Info {
    let mut license = License::new(env!("CARGO_PKG_LICENSE"));
    license.identifier = Some(env!("CARGO_PKG_LICENSE").into());
    let mut info = Info::new("vm-system", env!("CARGO_PKG_VERSION"));
    info.description = Some("Live JavaScript sessions: templates, sessions, executions.".into());
    info.license = Some(license);
    info
}

fn tag((name, description): (&str, &str)) -> Tag {
    TagBuilder::new().name(name).description(Some(description)).build()
}

fn operations(path: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [&mut path.get, &mut path.post, &mut path.patch, &mut path.delete].into_iter().flatten()
}

/// Handlers name the refusals that are theirs alone; here they get the error envelope, and the common ones are added.
fn complete(operation: &mut Operation) {
    let responses = &mut operation.responses.responses;
    for (status, response) in responses.iter_mut() {
        if let RefOr::T(response) = response
            && status.as_str() >= "400"
        {
            response.content.insert("application/json".into(), RefOr::T(envelope()));
        }
    }
    let with_body = if operation.request_body.is_some() { WITH_BODY.as_slice() } else { &[] };
    for (status, name, _) in ALWAYS.iter().chain(with_body) {
        responses.insert((*status).into(), Ref::from_response_name(*name).into());
    }
}

fn envelope() -> Content {
    Content::new(Some(Ref::from_schema_name(ErrorEnvelope::name())))
}

/// What all operations refer to: the common refusals, the envelope in them, and the token.
fn add_refusals(components: &mut Components) {
    let response = |description: &str| -> Response {
        ResponseBuilder::new().description(description).content("application/json", envelope()).build()
    };
    for (_, name, description) in ALWAYS.iter().chain(&WITH_BODY) {
        components.responses.insert((*name).into(), response(description).into());
    }
    let mut schemas = vec![(ErrorEnvelope::name().into_owned(), ErrorEnvelope::schema())];
    ErrorEnvelope::schemas(&mut schemas);
    components.schemas.extend(schemas);
    let token = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some("Where `serve` has `--token`."));
    components.add_security_scheme("token", SecurityScheme::Http(token.build()));
}

/// Defaults are said in words alone: some generators take a field that has one for a field that must be given.
fn leave_out_defaults(schema: &mut RefOr<Schema>) {
    match schema {
        RefOr::T(Schema::Object(object)) => {
            object.default = None;
            object.properties.values_mut().for_each(leave_out_defaults);
        }
        RefOr::T(Schema::Array(array)) => array.default = None,
        RefOr::T(Schema::OneOf(one_of)) => one_of.default = None,
        RefOr::Ref(reference) => reference.default = None,
        RefOr::T(_) => {}
    }
}
