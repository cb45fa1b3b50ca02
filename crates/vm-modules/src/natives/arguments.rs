//! A call's arguments. What is missing is like what is nil (JavaScript's `undefined`), and what is too much is ignored, as
//! everywhere in JavaScript.

use rmpv::Value;

use super::{
    NativeError,
    error::{INVALID_TYPE, INVALID_VALUE},
};

/// Of rmpv's levels, which are more than one for each nesting; far deeper than any argument.
const MAX_DEPTH: usize = 64;

pub(super) struct Arguments<'a> {
    /// MODULE.FUNCTION, for messages.
    function: &'a str,
    values: Vec<Value>,
}

impl<'a> Arguments<'a> {
    /// `request` is one MessagePack array.
    pub fn decode(function: &'a str, mut request: &[u8]) -> Result<Self, NativeError> {
        match rmpv::decode::read_value_with_max_depth(&mut request, MAX_DEPTH) {
            Ok(Value::Array(values)) if request.is_empty() => Ok(Self { function, values }),
            _ => Err(NativeError::new(
                INVALID_TYPE,
                format!("{function}: the arguments are nested too deeply or damaged"),
            )),
        }
    }

    /// Nil for what was not given.
    pub fn get(&self, index: usize) -> &Value {
        self.values.get(index).unwrap_or(&Value::Nil)
    }

    /// Everything from this argument on.
    pub fn rest(&self, index: usize) -> &[Value] {
        self.values.get(index..).unwrap_or_default()
    }

    pub fn string(&self, index: usize, name: &str) -> Result<&str, NativeError> {
        self.get(index).as_str().ok_or_else(|| self.wrong_type(index, name, "a string"))
    }

    /// A string that the system can take.
    pub fn system_string(&self, index: usize, name: &str) -> Result<&str, NativeError> {
        let text = self.string(index, name)?;
        if text.contains('\0') { Err(self.wrong_value(name, "has a NUL character")) } else { Ok(text) }
    }

    /// An array of strings that the system can take; nil is the empty one.
    pub fn system_strings(&self, index: usize, name: &str) -> Result<Vec<&str>, NativeError> {
        let items = match self.get(index) {
            Value::Nil => return Ok(Vec::new()),
            Value::Array(items) => items,
            _ => return Err(self.wrong_type(index, name, "an array of strings")),
        };
        let texts: Option<Vec<&str>> = items.iter().map(Value::as_str).collect();
        let texts = texts.ok_or_else(|| {
            let strange = items.iter().find(|item| !item.is_str()).map_or("nothing", kind);
            self.mistake(INVALID_TYPE, name, &format!("must be an array of strings; it has {strange} in it"))
        })?;
        if texts.iter().any(|text| text.contains('\0')) {
            return Err(self.wrong_value(name, "has a NUL character"));
        }
        Ok(texts)
    }

    /// A property of an optional object with options: nil without it.
    pub fn option(&self, index: usize, key: &str) -> Result<&Value, NativeError> {
        match self.get(index) {
            Value::Nil => Ok(&Value::Nil),
            Value::Map(entries) => {
                let found = entries.iter().find(|(name, _)| name.as_str() == Some(key));
                Ok(found.map_or(&Value::Nil, |(_, value)| value))
            }
            _ => Err(self.wrong_type(index, "options", "an object")),
        }
    }

    /// A boolean property of an optional object with options: false without it.
    pub fn flag(&self, index: usize, key: &str) -> Result<bool, NativeError> {
        match self.option(index, key)? {
            Value::Nil => Ok(false),
            Value::Boolean(flag) => Ok(*flag),
            other => Err(self.mistake(INVALID_TYPE, key, &format!("must be a boolean, not {}", kind(other)))),
        }
    }

    pub fn wrong_type(&self, index: usize, name: &str, expected: &str) -> NativeError {
        self.mistake(INVALID_TYPE, name, &format!("must be {expected}, not {}", kind(self.get(index))))
    }

    pub fn wrong_value(&self, name: &str, what: &str) -> NativeError {
        self.mistake(INVALID_VALUE, name, what)
    }

    fn mistake(&self, code: &'static str, name: &str, what: &str) -> NativeError {
        NativeError::new(code, format!("{}: the argument \"{name}\" {what}", self.function))
    }
}

/// What JavaScript calls such a value.
pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Nil => "null or undefined",
        Value::Boolean(_) => "a boolean",
        Value::Integer(_) | Value::F32(_) | Value::F64(_) => "a number",
        Value::String(text) if text.is_str() => "a string",
        Value::String(_) => "a damaged string",
        Value::Binary(_) => "a Uint8Array",
        Value::Array(_) => "an array",
        Value::Map(_) => "an object",
        Value::Ext(..) => "something else",
    }
}
