//! Fields of another dialect's answer that a client cannot be told. Every dialect has usage in its own words, which
//! the hub's buckets carry; but not the words beside the counts.

use catalogue::Dialect;

use crate::hub::Extras;
use crate::json::Fields;
use crate::loss::Losses;

/// Tells, once each, the fields that a stream of `home` has no place for. `place` stands before their names.
pub(super) fn tell(extras: &Extras, home: Dialect, place: &str, losses: &mut Losses) {
    for (name, _) in extras.foreign_to(home).iter().filter(|(_, raw)| raw.get() != "null") {
        if !is_usage(name) {
            losses.once(format!("{place}{name}"), "the client's language has no such field");
        }
    }
    tell_usage(extras, home, losses);
}

/// Tells the words beside the counts of another dialect's usage: its tier, its place.
pub(super) fn tell_usage(extras: &Extras, home: Dialect, losses: &mut Losses) {
    let usages = extras.foreign_to(home).iter().filter(|(name, _)| is_usage(name));
    for fields in usages.filter_map(|(_, raw)| Fields::parse(raw.get())) {
        for (name, _) in fields.rest().iter().filter(|(_, raw)| raw.get().starts_with('"')) {
            losses.once(format!("usage.{name}"), "the client's language does not tell it there");
        }
    }
}

fn is_usage(name: &str) -> bool {
    matches!(name, "usage" | "usageMetadata")
}
