//! Leaves out fields by their paths. A path that leads nowhere changes nothing.

use super::Step;
use super::members::{Fate, begins_with, rewrite_list, rewrite_object};

/// `json` without what `paths` lead to; `None` if they lead nowhere. None of them is empty.
pub(super) fn drop_from(json: &str, paths: &[&[Step]]) -> Option<String> {
    if paths.is_empty() {
        return None;
    }
    if begins_with(json, '[') {
        return rewrite_list(json, |place, value| {
            fate(value, paths, |step| matches!(step, Step::All) || *step == Step::At(place))
        });
    }
    rewrite_object(json, |name, value| {
        fate(value, paths, |step| matches!(step, Step::Name(wanted) if wanted == name))
    })
}

/// What becomes of a `value` that lies on those `paths` whose first step `leads` to it.
fn fate(value: &str, paths: &[&[Step]], leads: impl Fn(&Step) -> bool) -> Fate {
    let mut below = Vec::new();
    for path in paths {
        match path.split_first() {
            Some((step, [])) if leads(step) => return Fate::Drop,
            Some((step, rest)) if leads(step) => below.push(rest),
            _ => {}
        }
    }
    drop_from(value, &below).map_or(Fate::Keep, Fate::Replace)
}
