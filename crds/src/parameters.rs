//! What a deployment changes in the body of each request.

use kube::KubeSchema;
use schemars::{Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// What is changed in the body of each request. All else is sent as the client wrote it, or as it is translated.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new(
    "!has(self.drop) || self.drop.all(path, !path.matches('^(model|stream|stream_options)($|[.\\\\[])'))")
    .message("model, stream and stream_options are the gateway's own to set: leave them out of drop"))]
pub struct ParametersSpec {
    /// Fields that are left out, as LiteLLM's additional_drop_params: temperature, metadata.trace, tools[*].strict,
    /// tools[0].function.strict. Named as the client spells them or as the provider does. They are left out before it
    /// is judged what a translation cannot carry, so with n here a provider without n still answers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32), inner(length(min = 1, max = 256)))]
    #[schemars(inner(regex(pattern = r"^[^\s.\[\]]+((\[(\*|[0-9]{1,6})\])*\.[^\s.\[\]]+)*$")))]
    #[schemars(extend("x-kubernetes-list-type" = "set"))]
    pub drop: Vec<String>,
    /// A JSON merge patch (RFC 7396) over the body that is sent, in the provider's language: objects are merged, other
    /// values replace, null deletes. At most 16 KiB. Not for model, stream and stream_options, which are the gateway's
    /// own to set. To delete a field rather name it in drop: kubectl apply takes a null for its own.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    #[schemars(schema_with = "any_object")]
    pub extra_body: Map<String, Value>,
}

fn any_object(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "object", "maxProperties": 64, "x-kubernetes-preserve-unknown-fields": true })
}
