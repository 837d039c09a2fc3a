//! The options of a web search, which dialects spell much alike, and those that one of them lacks.

use crate::hub::{Location, Search};
use crate::json::{Fields, Writer, string};
use crate::loss::{Losses, Weight};

/// An option of [`Search`], that a dialect may know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Known {
    Context,
    Location,
    Allowed,
    Blocked,
    MaxUses,
}

/// Takes `user_location`, whose fields stand in an object `inner` of their own in chat. One that says more stays.
pub(super) fn take_location(fields: &mut Fields<'_>, inner: Option<&str>) -> Option<Location> {
    let mut outer = Fields::read(fields.get("user_location")?)?;
    if outer.take_string("type").as_deref() != Some("approximate") {
        return None;
    }
    let mut place = match inner {
        Some(inner) => outer.take_object(inner).filter(|_| outer.is_empty())?,
        None => outer,
    };
    let location = Location {
        city: place.take_string("city"),
        region: place.take_string("region"),
        country: place.take_string("country"),
        timezone: place.take_string("timezone"),
    };
    if !place.is_empty() {
        return None;
    }
    fields.take("user_location");
    Some(location)
}

/// Writes it.
pub(super) fn write_location(object: &mut Writer<'_>, location: Option<&Location>, inner: Option<&str>) {
    let Some(location) = location else { return };
    let fill = |place: &mut Writer<'_>| {
        place.string_if("city", location.city.as_deref()).string_if("region", location.region.as_deref());
        place.string_if("country", location.country.as_deref());
        place.string_if("timezone", location.timezone.as_deref());
    };
    object.nested("user_location", |outer| {
        outer.string("type", "approximate");
        match inner {
            Some(inner) => _ = outer.nested(inner, fill),
            None => fill(outer),
        }
    });
}

/// Takes a list of domains. A list of anything else stays.
pub(super) fn take_domains(fields: &mut Fields<'_>, key: &str) -> Option<Vec<String>> {
    let domains: Vec<String> = serde_json::from_str(fields.get(key)?.get()).ok()?;
    fields.take(key);
    Some(domains)
}

/// Writes it.
pub(super) fn write_domains(object: &mut Writer<'_>, key: &str, domains: Option<&Vec<String>>) {
    if let Some(domains) = domains {
        object.list_of(key, domains, |out, domain| out.push_str(&string(domain)));
    }
}

/// Tells the options that a dialect which has only `known` leaves out. An answer may rest on what the client ruled
/// out by domains; all else only steers.
pub(super) fn tell(search: &Search, path: &str, known: &[Known], losses: &mut Losses) {
    const WHY: &str = "the provider's web search has no such option";
    let options = [
        (Known::Context, search.context.is_some(), "search_context_size", Weight::Hint),
        (Known::Location, search.location.is_some(), "user_location", Weight::Hint),
        (Known::Allowed, search.allowed.is_some(), "allowed_domains", Weight::Meaning),
        (Known::Blocked, search.blocked.is_some(), "blocked_domains", Weight::Meaning),
        (Known::MaxUses, search.max_uses.is_some(), "max_uses", Weight::Hint),
    ];
    for (_, _, name, weight) in
        options.iter().filter(|(option, is_set, ..)| *is_set && !known.contains(option))
    {
        match weight {
            Weight::Hint => losses.hint(format!("{path}.{name}"), WHY),
            Weight::Meaning => losses.meaning(format!("{path}.{name}"), WHY),
        }
    }
}
