//! Where a request in Google's form names its model. The path does already, but each request of a batch must say
//! it once more; with the name that a provider knows, all of them change and no other byte.

use std::ops::Range;

use bytes::{Bytes, BytesMut};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::Form;
use super::gemini::bare;
use crate::json;
use crate::scan::{ScanError, check_object, place_of};

/// The places of the names in `body`, quotes included, in order; each must be `model`, as the path has it.
/// OpenAI's form has none of these: its one name is in [`crate::scan::Envelope`].
///
/// # Errors
/// [`ScanError`]. A list of requests that is none is left for the provider to refuse.
pub fn name_places(form: Form, body: &[u8], model: &str) -> Result<Vec<Range<usize>>, ScanError> {
    check_object(body)?;
    let text = std::str::from_utf8(body).unwrap_or_default();
    let batch: Batch<'_> = serde_json::from_str(text).map_err(|_| twice())?;
    let mut found: Vec<_> = batch.model.map(|raw| ("model".to_owned(), raw)).into_iter().collect();
    if form == Form::GeminiBatch {
        let list = batch.requests.map(RawValue::get).filter(|raw| raw.starts_with('[')).unwrap_or("[]");
        let requests: Vec<&RawValue> = serde_json::from_str(list).unwrap_or_default();
        for (at, raw) in requests.into_iter().enumerate().filter(|(_, raw)| raw.get().starts_with('{')) {
            let one: One<'_> = serde_json::from_str(raw.get()).map_err(|_| twice())?;
            found.extend(one.model.map(|raw| (format!("requests[{at}].model"), raw)));
        }
    }
    // Texts alone: what is no name is left for the provider to refuse, too.
    found.retain(|(_, raw)| raw.get().starts_with('"'));
    found.iter().try_for_each(|(place, raw)| checked(place, raw, model))?;
    let mut places: Vec<_> = found.into_iter().map(|(_, raw)| place_of(raw, text)).collect();
    places.sort_by_key(|place| place.start);
    Ok(places)
}

fn checked(place: &str, raw: &RawValue, model: &str) -> Result<(), ScanError> {
    let name: String = serde_json::from_str(raw.get()).unwrap_or_default();
    if bare(&name) == bare(model) { Ok(()) } else { Err(ScanError::OtherModel { place: place.to_owned() }) }
}

fn twice() -> ScanError {
    // It is JSON, so nothing else can be wrong with a struct that takes any value.
    ScanError::DuplicateKey { key: "model".to_owned() }
}

#[derive(Deserialize)]
struct Batch<'a> {
    #[serde(borrow)]
    model: Option<&'a RawValue>,
    #[serde(borrow)]
    requests: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct One<'a> {
    #[serde(borrow)]
    model: Option<&'a RawValue>,
}

/// `body` with `model` at the `places` that were found in it. No copy is made where that is there already.
#[must_use]
pub fn with_model(body: &Bytes, places: &[Range<usize>], model: &str) -> Bytes {
    let name = json::string(&format!("models/{}", bare(model)));
    let is_there = |place: &Range<usize>| body.get(place.clone()) == Some(name.as_bytes());
    if places.iter().all(is_there) {
        return body.clone();
    }
    let mut spliced = BytesMut::with_capacity(body.len() + places.len() * name.len());
    let mut from = 0;
    for place in places {
        spliced.extend_from_slice(body.get(from..place.start).unwrap_or_default());
        spliced.extend_from_slice(name.as_bytes());
        from = place.end;
    }
    spliced.extend_from_slice(body.get(from..).unwrap_or_default());
    spliced.freeze()
}
