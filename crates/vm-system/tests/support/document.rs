//! The OpenAPI document, and whether a call keeps to it.

use std::{
    collections::BTreeMap,
    sync::{Arc, LazyLock, Mutex},
};

use jsonschema::Validator;
use serde_json::{Value, json};

pub const BASE: &str = "/api/v1";

pub static DOCUMENT: LazyLock<Value> = LazyLock::new(|| serde_json::from_str(vm_server::openapi()).unwrap());

/// The document, stricter: no object has fields that it does not name. Clients must bear new ones, these tests need not.
static STRICT: LazyLock<Value> = LazyLock::new(|| {
    let mut document = DOCUMENT.clone();
    for schema in document["components"]["schemas"].as_object_mut().unwrap().values_mut() {
        if schema.get("properties").is_some() || schema.get("allOf").is_some() {
            schema["unevaluatedProperties"] = json!(false);
        }
    }
    document
});

/// By the place of the schema in the document.
static VALIDATORS: Mutex<BTreeMap<String, Arc<Validator>>> = Mutex::new(BTreeMap::new());

/// One request and what came back.
pub struct Call<'a> {
    pub method: &'a str,
    /// Without the query.
    pub path: &'a str,
    pub sent: Option<&'a [u8]>,
    pub status: u16,
    pub answer: &'a Value,
}

impl Call<'_> {
    /// Its status is documented for its route, its answer has the schema of that status, and what was accepted has the
    /// schema of the request. What is not in the document is not there.
    #[track_caller]
    pub fn check(&self) {
        let Some(operation) = operation(self.method, self.path) else {
            assert!(self.status >= 400, "{self}: the document has no such route");
            return self.validate("#/components/schemas/ErrorEnvelope", self.answer);
        };
        let response = format!("{operation}/responses/{}", self.status);
        let documented = STRICT.pointer(&response[1..]);
        let documented =
            documented.unwrap_or_else(|| panic!("{self}: the document has no such status: {}", self.answer));
        let response = documented["$ref"].as_str().unwrap_or(&response);
        self.validate(&format!("{response}/content/application~1json/schema"), self.answer);

        let request = format!("{operation}/requestBody/content/application~1json/schema");
        if self.status < 400 && STRICT.pointer(&request[1..]).is_some() {
            self.validate(&request, &serde_json::from_slice(self.sent.unwrap()).unwrap());
        }
    }

    #[track_caller]
    fn validate(&self, schema: &str, value: &Value) {
        if let Err(error) = validator(schema).validate(value) {
            panic!("{self}: {error}, at {:?} of {value}", error.instance_path().to_string());
        }
    }
}

impl std::fmt::Display for Call<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} was answered with {}", self.method, self.path, self.status)
    }
}

/// Where the document has this operation, as a reference. A literal part of a path comes before a parameter.
fn operation(method: &str, path: &str) -> Option<String> {
    let path = path.strip_prefix(BASE)?;
    let parameters = |route: &str| route.matches('{').count();
    let paths = DOCUMENT["paths"].as_object().unwrap();
    let route = paths.keys().filter(|route| matches(route, path)).min_by_key(|route| parameters(route))?;
    let method = method.to_lowercase();
    paths[route].get(&method)?;
    Some(format!("#/paths/{}/{method}", route.replace('/', "~1")))
}

fn matches(route: &str, path: &str) -> bool {
    let (route, path): (Vec<_>, Vec<_>) = (route.split('/').collect(), path.split('/').collect());
    let part = |(route, path): (&&str, &&str)| route == path || route.starts_with('{') && !path.is_empty();
    route.len() == path.len() && route.iter().zip(&path).all(part)
}

fn validator(reference: &str) -> Arc<Validator> {
    let mut validators = VALIDATORS.lock().unwrap();
    let validator = validators.entry(reference.into()).or_insert_with(|| {
        // The whole document, so that references within it are found.
        let mut schema = STRICT.clone();
        // A braced parameter is no part of a URI as it is.
        schema["$ref"] = json!(reference.replace('{', "%7B").replace('}', "%7D"));
        Arc::new(jsonschema::options().should_validate_formats(true).build(&schema).unwrap())
    });
    validator.clone()
}
