//! Schemas, both ways: Google's own form, a subset of OpenAPI's, and JSON Schema.
//!
//! Lives here: `told`, what a client writes in Google's form, as JSON Schema; `asked`, JSON Schema as Google takes it.
//! Both keep the order of properties, for models answer in it. Receives and hands on text.
//! Must never be here: judging values.
//!
//! Towards Google schemas are always written as JSON Schema (`parametersJsonSchema`, `responseJsonSchema`): the other
//! fields refuse a whole request for one keyword that they do not know (`$schema`, `additionalProperties`,
//! `exclusiveMinimum`), and to strip those would loosen what the client asked for.

mod asked;
mod told;

pub(super) use asked::asked;
pub(super) use told::told;
