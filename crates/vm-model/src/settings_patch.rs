//! How the OpenAPI document describes settings in a request: any part of them.

use utoipa::{
    PartialSchema, ToSchema,
    openapi::{ObjectBuilder, RefOr, Schema, schema::AdditionalProperties},
};

use crate::{Limits, Resolver, Runtime};

/// The schema of [`Settings`](crate::Settings) with nothing required. The value itself stays JSON until it is merged.
pub(crate) struct SettingsPatch;

impl ToSchema for SettingsPatch {}

impl PartialSchema for SettingsPatch {
    fn schema() -> RefOr<Schema> {
        let part = |schema: RefOr<Schema>| match schema {
            RefOr::T(Schema::Object(mut object)) => {
                object.required.clear();
                RefOr::T(Schema::Object(object))
            }
            other => other,
        };
        ObjectBuilder::new()
            .description(Some("Any part of a template's settings; what is not given stays as it is."))
            .property("limits", part(Limits::schema()))
            .property("resolver", part(Resolver::schema()))
            .property("runtime", part(Runtime::schema()))
            .additional_properties(Some(AdditionalProperties::<Schema>::FreeForm(false)))
            .into()
    }
}
