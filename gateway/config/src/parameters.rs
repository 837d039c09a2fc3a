//! What a deployment changes in the body of a request: fields that are left out, and a JSON merge patch. Both types
//! hold only what may be asked for, so the renderer and the gateway need not ask again.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// First the fields are left out, then the patch is merged.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parameters {
    /// Sorted, each once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub drop: Vec<FieldPath>,
    /// In the provider's language.
    #[serde(default, skip_serializing_if = "ExtraBody::is_empty")]
    pub extra_body: ExtraBody,
}

impl Parameters {
    /// Whether bodies are sent as they are.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.drop.is_empty() && self.extra_body.is_empty()
    }
}

/// Why a change is refused. Names the field.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParametersError {
    /// Not of the shape that [`FieldPath`] has.
    #[error(
        "'{0}' is not the path of a field: write it as temperature, metadata.trace, tools[*].strict or tools[0].function.strict"
    )]
    NotAPath(String),
    /// One of [`OWN_FIELDS`].
    #[error("'{0}' is the gateway's own to set: leave it out here")]
    OwnField(String),
}

/// What the gateway itself says in a body: it must know who is asked, and what kind of answer comes.
pub const OWN_FIELDS: [&str; 3] = ["model", "stream", "stream_options"];

/// Where a field stands: `temperature`, `metadata.trace`, `tools[*].strict`, `tools[0].function.strict`. Begins and
/// ends with a name; written as text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct FieldPath(Vec<Step>);

/// One step on the way to a field.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// Into the member of this name. Has neither dots, brackets nor white space.
    Name(String),
    /// Into this element of a list, counted from 0.
    At(usize),
    /// Into each element of a list.
    All,
}

impl FieldPath {
    /// Reads a path.
    ///
    /// # Errors
    /// See [`ParametersError`].
    pub fn parse(text: &str) -> Result<Self, ParametersError> {
        let steps = steps(text).ok_or_else(|| ParametersError::NotAPath(text.to_owned()))?;
        match steps.first() {
            Some(Step::Name(name)) => refuse_own(name)?,
            _ => return Err(ParametersError::NotAPath(text.to_owned())),
        }
        Ok(Self(steps))
    }

    /// From the body to the field.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.0
    }
}

fn steps(text: &str) -> Option<Vec<Step>> {
    let mut steps = Vec::new();
    for word in text.split('.') {
        let (name, indexes) = word.find('[').map_or((word, ""), |at| word.split_at(at));
        // Dots and opening brackets are cut off already.
        if name.is_empty() || name.contains(|c: char| c == ']' || c.is_whitespace() || c.is_control()) {
            return None;
        }
        steps.push(Step::Name(name.to_owned()));
        for index in indexes.split_inclusive(']') {
            let index = index.strip_prefix('[')?.strip_suffix(']')?;
            steps.push(if index == "*" { Step::All } else { Step::At(at(index)?) });
        }
    }
    matches!(steps.last(), Some(Step::Name(_))).then_some(steps)
}

fn at(index: &str) -> Option<usize> {
    index.bytes().all(|byte| byte.is_ascii_digit()).then(|| index.parse().ok())?
}

fn refuse_own(name: &str) -> Result<(), ParametersError> {
    if OWN_FIELDS.contains(&name) { Err(ParametersError::OwnField(name.to_owned())) } else { Ok(()) }
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, step) in self.0.iter().enumerate() {
            match step {
                Step::Name(name) if place == 0 => f.write_str(name)?,
                Step::Name(name) => write!(f, ".{name}")?,
                Step::At(index) => write!(f, "[{index}]")?,
                Step::All => f.write_str("[*]")?,
            }
        }
        Ok(())
    }
}

impl TryFrom<String> for FieldPath {
    type Error = ParametersError;
    fn try_from(text: String) -> Result<Self, ParametersError> {
        Self::parse(&text)
    }
}

impl From<FieldPath> for String {
    fn from(path: FieldPath) -> Self {
        path.to_string()
    }
}

/// A JSON merge patch (RFC 7396) over a body: objects are merged, other values replace, `null` deletes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Map<String, Value>", into = "Map<String, Value>")]
pub struct ExtraBody(Map<String, Value>);

impl ExtraBody {
    /// Takes a patch.
    ///
    /// # Errors
    /// [`ParametersError::OwnField`].
    pub fn new(patch: Map<String, Value>) -> Result<Self, ParametersError> {
        patch.keys().try_for_each(|name| refuse_own(name))?;
        Ok(Self(patch))
    }

    /// The patch.
    #[must_use]
    pub fn patch(&self) -> &Map<String, Value> {
        &self.0
    }

    /// Whether it changes nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl TryFrom<Map<String, Value>> for ExtraBody {
    type Error = ParametersError;
    fn try_from(patch: Map<String, Value>) -> Result<Self, ParametersError> {
        Self::new(patch)
    }
}

impl From<ExtraBody> for Map<String, Value> {
    fn from(body: ExtraBody) -> Self {
        body.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_read_and_written_alike() {
        for text in [
            "temperature",
            "metadata.trace",
            "tools[*].strict",
            "tools[0].function.strict",
            "a[1][*].b",
            "x-é",
        ] {
            assert_eq!(FieldPath::parse(text).map(|path| path.to_string()).as_deref(), Ok(text));
        }
        let path = FieldPath::parse("tools[0].strict").expect("sound");
        assert_eq!(path.steps(), [Step::Name("tools".into()), Step::At(0), Step::Name("strict".into())]);
    }

    #[test]
    fn what_is_no_path_is_refused_by_name() {
        for text in [
            "", ".", "a.", ".a", "a..b", "a[0]", "a[]", "a[x].b", "a[-1].b", "a[0.b", "a]0[.b", "a b",
            "[0].a",
        ] {
            assert_eq!(FieldPath::parse(text), Err(ParametersError::NotAPath(text.into())), "{text}");
        }
        assert_eq!(FieldPath::parse("a[99999999999999999999].b").map(drop).map_err(drop), Err(()));
    }

    #[test]
    fn what_is_the_gateways_own_is_refused_in_both() {
        for own in OWN_FIELDS {
            let refused = ParametersError::OwnField(own.into());
            assert_eq!(FieldPath::parse(&format!("{own}.x")), Err(refused.clone()));
            let patch = Map::from_iter([(own.to_owned(), Value::Null)]);
            assert_eq!(ExtraBody::new(patch), Err(refused));
        }
        assert!(FieldPath::parse("models").is_ok() && FieldPath::parse("x.model").is_ok());
        let written = serde_json::json!({"extra_body": {"stream": false}}).to_string();
        assert!(serde_json::from_str::<Parameters>(&written).is_err(), "nor is a config that says so read");
    }
}
