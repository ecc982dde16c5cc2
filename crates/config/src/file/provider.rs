//! Who answers, and what is known of their models, as the file says it.
//!
//! Must never be here: defaults, rules, `Debug` (literal secrets stand in these types).

use super::{Block, List, Named, Secret, Text};
use crate::lenient::Lenient;
use crate::resolve;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// One provider.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(extend("required" = ["kind"]))]
pub(crate) struct Provider {
    /// What it is.
    #[schemars(schema_with = "kinds")]
    pub(crate) kind: Text,
    /// Where its API lives, up to and including a prefix such as `/v1`. Default: the vendor's own address.
    pub(crate) base_url: Text,
    /// Its key. Default: the vendor's usual variable, such as OPENAI_API_KEY.
    pub(crate) api_key: Lenient<Secret>,
    /// Several keys, used in turn, instead of `api_key`.
    pub(crate) keys: List<Secret>,
    /// `kind: bedrock` only: the name of a key that signs requests, instead of `api_key`. Default, where there is neither:
    /// the variables AWS_BEARER_TOKEN_BEDROCK, else AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN.
    pub(crate) access_key_id: Lenient<Secret>,
    /// The key that is called so.
    pub(crate) secret_access_key: Lenient<Secret>,
    /// What came with it, where it ends after some hours.
    pub(crate) session_token: Lenient<Secret>,
    /// Headers added to every request.
    pub(crate) headers: Lenient<BTreeMap<String, Lenient<Secret>>>,
    /// What it speaks: a request in one of them goes out as it came, any other is written in the first. Default: known by
    /// kind; of an address of your own, what is surely spoken there.
    #[schemars(schema_with = "apis")]
    pub(crate) apis: List<String>,
    /// Paths below `base_url` that clients may have handed through as `/passthrough/{provider}/...`: each itself, or
    /// all below one that ends in `/*`. Default: none.
    pub(crate) passthrough: List<String>,
    /// `kind: azure_openai` only: the version of the API, where its models are reached as deployments. Default: the
    /// layout without versions, below `/openai/v1`.
    pub(crate) api_version: Text,
    /// `kind: vertex` only: the project that is billed. Default: the variable GOOGLE_CLOUD_PROJECT, else what
    /// `credentials` name.
    pub(crate) project: Text,
    /// `kind: vertex` only: where its models run. Default: the variable GOOGLE_CLOUD_LOCATION, else `global`.
    pub(crate) location: Text,
    /// `kind: vertex` only, instead of an access token as `api_key`: what tokens are asked for with, as the path of a
    /// credential file of Google's, of a service account or of a person; or `metadata`, for the account of a machine at
    /// Google's. Default, where there is no key: the variables GOOGLE_ACCESS_TOKEN, else GOOGLE_APPLICATION_CREDENTIALS,
    /// else what `gcloud auth application-default login` has left, else `metadata`.
    pub(crate) credentials: Text,
    /// Whether its complete streams end with `data: [DONE]`. Default: known by kind.
    pub(crate) done_marker: Lenient<bool>,
    /// `kind: simulator` only: how it behaves.
    pub(crate) behaviour: Lenient<Map<String, Value>>,
    /// Whose account its keys belong to: providers at one address with one account are blocked together.
    /// Default: not known.
    pub(crate) account: Text,
    /// Where it runs; to kind bedrock, whose models are asked (default: the variable AWS_REGION). Providers at one address in one region go down together. Default: not known.
    pub(crate) region: Text,
    /// What is known of its models, by name; `"*"` holds for all that are not named.
    pub(crate) models: Named<Model>,
}

/// What is known of a model at a provider.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct Model {
    /// What it costs. Default: what the catalogue of models says, else not known.
    pub(crate) price: Block<Price>,
    /// The most tokens of question and answer together, more than 0. Default: what the catalogue of models says, else
    /// not known.
    pub(crate) context_window: Lenient<u32>,
    /// The most tokens of an answer, more than 0. Default: what the catalogue of models says, else not known.
    pub(crate) max_output_tokens: Lenient<u32>,
    /// All that it can do: `prefill`, go on with an answer whose beginning the request holds; `tools`, call them;
    /// `parallel_tools`, several in one answer; `json_schema`, answer as a schema demands; `vision`, look at images;
    /// `reasoning`, think first. `[]` declares nothing of these. Default: what the catalogue of models says, else what is
    /// known by kind.
    #[schemars(schema_with = "capabilities")]
    pub(crate) capabilities: List<String>,
    /// The most calls at one time, each to its end, more than 0. Default: adapts by itself.
    pub(crate) max_concurrency: Lenient<u32>,
}

/// What a model costs, in US dollars for a million tokens; it replaces what the catalogue of models says.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(extend("required" = ["input", "output"]))]
pub(crate) struct Price {
    /// For a million tokens of the question, more than 0.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub(crate) input: Lenient<f64>,
    /// For a million tokens of the answer, more than 0.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub(crate) output: Lenient<f64>,
    /// For a million tokens of the question that are read from the provider's cache, more than 0. Default: not known.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub(crate) cached_input: Lenient<f64>,
    /// For a million tokens of the question that are written to it, more than 0. Default: not known.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub(crate) cache_write: Lenient<f64>,
}

fn kinds(_: &mut SchemaGenerator) -> Schema {
    let kinds: Vec<&str> = resolve::kinds().collect();
    json_schema!({ "type": "string", "enum": kinds })
}

fn apis(_: &mut SchemaGenerator) -> Schema {
    let apis: Vec<&str> = resolve::apis().collect();
    json_schema!({ "type": "array", "minItems": 1, "items": { "type": "string", "enum": apis } })
}

fn capabilities(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "array", "items": { "type": "string", "enum": resolve::CAPABILITIES } })
}
