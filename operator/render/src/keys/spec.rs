//! What a VirtualKey asks for, read and checked: all but its material.

use std::time::Duration;

use config::{Access, Key, KeyLimits, ObjectName};
use crds::{
    AccessSpec, DeletionPolicy, DurationText, KeyLimitsSpec, RotationSpec, VirtualKey, VirtualKeySpec,
};

use super::{Order, Rotation};
use crate::gateways::{Gateway, object_name};
use crate::upstream::{Fault, invalid};

/// No key needs to live, or be in use, for longer.
const LONGEST: Duration = Duration::from_secs(10 * 366 * 24 * 3600);

/// The shortest interval between two keys: each of them takes a round to every pod.
const SHORTEST: Duration = Duration::from_secs(10);

/// Of what people write on a key: it travels to every pod.
const TEXT_BYTES: usize = 1_024;

/// The key in a Secret's data that is not for the `sk-...`.
const BASE_URL: &str = "baseURL";

/// The key without hashes.
pub(super) fn key(object: &VirtualKey) -> Result<Key, Fault> {
    let (spec, id) = (&object.spec, object_name(&object.metadata));
    if spec.import_from.is_some() && (spec.secret.is_some() || spec.rotation.is_some()) {
        return Err(invalid(
            "an imported key is neither made nor rotated: leave importFrom out, or secret and rotation"
                .into(),
        ));
    }
    for (field, text) in [("team", &spec.team), ("user", &spec.user)] {
        let is_name = |text: &String| !text.is_empty() && !text.contains(char::is_whitespace);
        if text.as_ref().is_some_and(|text| !is_name(text) || text.len() > TEXT_BYTES) {
            return Err(invalid(format!("{field} is empty, has white space, or is too long")));
        }
    }
    let written = spec.metadata.iter().map(|(key, value)| key.len() + value.len());
    if spec.metadata.len() > 16
        || written.chain([spec.display_name.as_ref().map_or(0, String::len)]).any(|bytes| bytes > TEXT_BYTES)
    {
        return Err(invalid(format!(
            "metadata has more than 16 entries, or an entry or displayName has more than {TEXT_BYTES} bytes"
        )));
    }
    let mut budgets: Vec<_> = spec.budget_refs.iter().map(|budget| budget.name.clone()).collect();
    budgets.sort();
    budgets.dedup();
    let in_namespace = |name| ObjectName { namespace: id.namespace.clone(), name };
    Ok(Key {
        uid: object.metadata.uid.clone().unwrap_or_default(),
        hashes: Vec::new(),
        display_name: spec.display_name.clone(),
        team: spec.team.clone(),
        user: spec.user.clone(),
        models: access(&spec.models)?,
        expires_at: expires_at(object)?,
        suspended: spec.suspend,
        limits: limits(&spec.limits)?,
        budgets: budgets.into_iter().map(in_namespace).collect(),
        metadata: spec.metadata.clone(),
        id,
    })
}

/// The Secret that the key of `object` is made into, and which key of its data; `None` where the key is imported.
#[must_use]
pub fn key_secret(object: &VirtualKey) -> Option<(ObjectName, String)> {
    if object.spec.import_from.is_some() {
        return None;
    }
    let id = object_name(&object.metadata);
    let secret = object.spec.secret.clone().unwrap_or_default();
    let name = secret.name.unwrap_or_else(|| format!("{}-key", id.name));
    Some((ObjectName { namespace: id.namespace, name }, secret.key))
}

/// The Secret that is to be made, unless the key is imported.
pub(super) fn order(object: &VirtualKey, gateway: &Gateway) -> Result<Option<Order>, Fault> {
    let Some((name, key)) = key_secret(object) else { return Ok(None) };
    let spec = &object.spec;
    let secret = spec.secret.clone().unwrap_or_default();
    let base_url = match (&gateway.base_url, secret.extra_data.base_url) {
        (_, false) => None,
        (Some(url), true) if key != BASE_URL => Some(url.clone()),
        (Some(_), true) => {
            return Err(invalid(format!("secret.key {BASE_URL} is taken by extraData: choose another")));
        }
        (None, true) => {
            return Err(invalid(format!(
                "secret.extraData.baseURL needs the baseURL of ModelGateway {}: set it there",
                gateway.name
            )));
        }
    };
    Ok(Some(Order {
        secret: name,
        key,
        base_url,
        retain: secret.deletion_policy == DeletionPolicy::Retain,
        rotation: spec.rotation.as_ref().map(rotation).transpose()?,
    }))
}

fn access(written: &AccessSpec) -> Result<Access, Fault> {
    let patterns = |field: &str, written: &[String]| {
        let bad = |one: &&String| one.is_empty() || one.len() > 253 || one.contains(char::is_whitespace);
        if let Some(bad) = written.iter().find(bad) {
            return Err(invalid(format!(
                "models.{field}: {bad:?} is no model's name or pattern: 1 to 253 characters, no white space"
            )));
        }
        let mut patterns = written.to_vec();
        patterns.sort();
        patterns.dedup();
        Ok(patterns)
    };
    Ok(Access { allow: patterns("allow", &written.allow)?, deny: patterns("deny", &written.deny)? })
}

fn limits(written: &KeyLimitsSpec) -> Result<KeyLimits, Fault> {
    let limit = |field: &str, written: Option<i64>| {
        let Some(number) = written else { return Ok(None) };
        let fits = u64::try_from(number).ok().filter(|number| (1..=config::MAX_AMOUNT).contains(number));
        fits.map(Some).ok_or_else(|| {
            invalid(format!("limits.{field} {number} is not above 0: to refuse a key, set suspend"))
        })
    };
    Ok(KeyLimits {
        requests_per_minute: limit("requestsPerMinute", written.requests_per_minute)?,
        tokens_per_minute: limit("tokensPerMinute", written.tokens_per_minute)?,
        max_concurrent: limit("maxConcurrent", written.max_concurrent)?,
    })
}

/// A `ttl` counts from the birth of the object, so that nothing but the object says when it ends.
fn expires_at(object: &VirtualKey) -> Result<Option<u64>, Fault> {
    let VirtualKeySpec { expires_at, ttl, .. } = &object.spec;
    let seconds = |at: i64| u64::try_from(at).unwrap_or(0);
    match (expires_at, ttl) {
        (Some(_), Some(_)) => {
            Err(invalid("a key ends at expiresAt or after ttl: leave one of them out".into()))
        }
        (Some(at), None) => Ok(Some(seconds(at.0.as_second()))),
        (None, Some(ttl)) => {
            let ttl = span("ttl", ttl)?;
            let born = object.metadata.creation_timestamp.as_ref();
            Ok(born.map(|born| seconds(born.0.as_second()).saturating_add(ttl.as_secs())))
        }
        (None, None) => Ok(None),
    }
}

fn rotation(written: &RotationSpec) -> Result<Rotation, Fault> {
    let (interval, overlap) =
        (span("rotation.interval", &written.interval)?, span("rotation.overlap", &written.overlap)?);
    if interval < SHORTEST || overlap >= interval {
        return Err(invalid(
            "rotation.interval is less than 10s, or not longer than rotation.overlap".into(),
        ));
    }
    Ok(Rotation { interval, overlap })
}

fn span(field: &str, text: &DurationText) -> Result<Duration, Fault> {
    text.parse().filter(|span| *span <= LONGEST).ok_or_else(|| {
        invalid(format!("{field} {:?} is not a duration of at most ten years: write it as 720h", text.0))
    })
}
