//! What a ModelDeployment changes in bodies, checked as far as the schema cannot.

use config::{ExtraBody, FieldPath, Parameters, ParametersError};
use crds::ParametersSpec;

use crate::upstream::{Fault, invalid};

/// A config is small; what is long belongs into the client's prompt.
const EXTRA_BODY_BYTES: usize = 16 << 10;

const MOST_DROPS: usize = 32;

pub(crate) fn parameters(spec: &ParametersSpec) -> Result<Parameters, Fault> {
    if spec.drop.len() > MOST_DROPS {
        return Err(invalid(format!("parameters.drop names more than {MOST_DROPS} fields")));
    }
    let paths = spec.drop.iter().map(|path| FieldPath::parse(path));
    let mut drop = paths.collect::<Result<Vec<_>, _>>().map_err(|error| refused("drop", &error))?;
    drop.sort();
    drop.dedup();
    let patch = spec.extra_body.clone();
    let bytes = serde_json::to_string(&patch).map_or(usize::MAX, |text| text.len());
    if bytes > EXTRA_BODY_BYTES {
        return Err(invalid(format!("parameters.extraBody is larger than {EXTRA_BODY_BYTES} bytes of JSON")));
    }
    let extra_body = ExtraBody::new(patch).map_err(|error| refused("extraBody", &error))?;
    Ok(Parameters { drop, extra_body })
}

fn refused(field: &str, error: &ParametersError) -> Fault {
    invalid(format!("parameters.{field}: {error}"))
}
