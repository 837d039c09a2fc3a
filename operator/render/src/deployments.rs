//! ModelDeployments to candidates: each as written, or the version before, or nothing but a finding.
//! Who of the candidates gets which model name is decided in `groups.rs`.

use std::collections::BTreeMap;

use catalogue::Catalogue;
use config::{Capacity, Config, Deployment, ObjectName, Secret, Upstream};
use crds::{CapacitySpec, ConditionType, CredentialsRef, ModelDeployment, OnSourceError};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use url::Url;

use crate::credentials::{Credential, Resolved};
use crate::gateways::{Gateway, object_name};
use crate::parameters::parameters;
use crate::pricing::pricing;
use crate::upstream::{Fault, invalid, on_loss, timeouts, upstream};
use crate::{Effect, Finding, Kind, Manifests, ObjectRef, Previous, Reason, permission};

/// A deployment that wants a place in a gateway's config.
#[derive(Debug)]
pub(crate) struct Candidate {
    pub name: ObjectName,
    /// Orders claims: who came first owns a name. Outside a cluster nobody did.
    pub created: Option<Time>,
    pub model: String,
    pub aliases: Vec<String>,
    /// `None` while suspended: it keeps its claim on the name.
    pub entry: Option<Deployment>,
    /// Material of the entry's credential by file name.
    pub credentials: BTreeMap<String, Secret>,
}

/// What the deployments are judged by.
pub(crate) struct Context<'a> {
    pub manifests: &'a Manifests,
    pub catalogue: &'a Catalogue,
    pub credentials: &'a BTreeMap<ObjectName, Resolved<'a>>,
}

/// What is wrong, where it shows, and whether the version before may stand in.
struct Objection {
    condition: ConditionType,
    fault: Fault,
    effect: Effect,
}

/// The candidate that `object` makes for `gateway`, if any.
pub(crate) fn candidate(
    context: &Context<'_>,
    gateway: &Gateway,
    object: &ModelDeployment,
    findings: &mut Vec<Finding>,
) -> Option<Candidate> {
    let name = object_name(&object.metadata);
    let objection = match fresh(context, gateway, object, &name) {
        Ok(candidate) if object.spec.suspend => {
            findings.push(suspended(&name));
            return Some(Candidate { entry: None, credentials: BTreeMap::new(), ..candidate });
        }
        Ok(candidate) => return Some(candidate),
        Err(objection) => objection,
    };
    let before = match objection.effect {
        Effect::LastGoodServes if !object.spec.suspend => {
            let before = last_good(context.manifests.previous.get(&gateway.name), object, &name);
            // What was allowed before may be so no more.
            before.filter(|before| {
                before.entry.as_ref().is_none_or(|one| local_host(&one.upstream, gateway).is_none())
            })
        }
        _ => None,
    };
    let effect = if before.is_some() { Effect::LastGoodServes } else { Effect::NotServed };
    let (reason, message) = objection.fault;
    let object = ObjectRef { kind: Kind::ModelDeployment, name };
    findings.push(Finding { object, condition: objection.condition, reason, message, effect });
    before
}

fn suspended(name: &ObjectName) -> Finding {
    Finding {
        object: ObjectRef { kind: Kind::ModelDeployment, name: name.clone() },
        condition: ConditionType::Accepted,
        reason: Reason::Suspended,
        message: "taken out of service by spec.suspend".into(),
        effect: Effect::NotServed,
    }
}

/// The candidate as written.
fn fresh(
    context: &Context<'_>,
    gateway: &Gateway,
    object: &ModelDeployment,
    name: &ObjectName,
) -> Result<Candidate, Objection> {
    let spec = &object.spec;
    let model = spec.model_name.clone().unwrap_or_else(|| name.name.clone());
    let mut aliases = spec.aliases.clone();
    aliases.sort();
    aliases.dedup();
    aliases.retain(|alias| *alias != model);
    for public in aliases.iter().chain([&model]) {
        check_public_name(public).map_err(not_accepted)?;
    }
    let credential = match &spec.credentials_ref {
        Some(reference) => Some(credential(context, reference, name)?),
        None => None,
    };
    let upstream_model = spec.provider.model.clone().unwrap_or_else(|| model.clone());
    let upstream = upstream(context.catalogue, spec, &upstream_model, credential).map_err(not_accepted)?;
    if let Some(host) = local_host(&upstream, gateway) {
        return Err(not_accepted(local(&host)));
    }
    let pricing =
        pricing(context.catalogue, (spec, &upstream_model), &gateway.prices).map_err(not_accepted)?;
    let entry = Deployment {
        id: name.clone(),
        uid: object.metadata.uid.clone().unwrap_or_default(),
        provider: spec.provider.type_.clone(),
        quirks: context.catalogue.quirks(&spec.provider.type_, &upstream_model),
        upstream,
        upstream_model,
        weight: in_range("weight", spec.weight, 1_000_000).map_err(not_accepted)?,
        priority: in_range("priority", spec.priority, 31).map_err(not_accepted)?,
        timeouts: timeouts(&spec.timeouts, gateway.settings.timeouts).map_err(not_accepted)?,
        on_loss: on_loss(&spec.translation, gateway.settings.on_loss),
        pricing,
        parameters: parameters(&spec.parameters).map_err(not_accepted)?,
        capacity: capacity(&spec.capacity).map_err(not_accepted)?,
    };
    let material = credential.map(|found| (found.reference.file(), found.material.clone()));
    Ok(Candidate {
        name: name.clone(),
        created: object.metadata.creation_timestamp.clone(),
        model,
        aliases,
        entry: Some(entry),
        credentials: material.into_iter().collect(),
    })
}

fn not_accepted(fault: Fault) -> Objection {
    Objection { condition: ConditionType::Accepted, fault, effect: Effect::LastGoodServes }
}

fn capacity(written: &CapacitySpec) -> Result<Capacity, Fault> {
    let in_a_minute = |field: &str, written: Option<i64>| {
        let Some(number) = written else { return Ok(None) };
        let fits = u64::try_from(number).ok().filter(|number| (1..=config::MAX_AMOUNT).contains(number));
        fits.map(Some).ok_or_else(|| {
            invalid(format!("capacity.{field} {number} is not above 0: to take no requests, set suspend"))
        })
    };
    Ok(Capacity {
        requests_per_minute: in_a_minute("requestsPerMinute", written.requests_per_minute)?,
        tokens_per_minute: in_a_minute("tokensPerMinute", written.tokens_per_minute)?,
    })
}

/// The host that a gateway will not call, if it is one.
fn local_host(upstream: &Upstream, gateway: &Gateway) -> Option<String> {
    let Upstream::Http(http) = upstream else { return None };
    let url = Url::parse(&http.base_url).ok()?;
    let is_refused = gateway.settings.egress.refuses(&url);
    is_refused.then(|| url.host_str().unwrap_or_default().to_owned())
}

fn local(host: &str) -> Fault {
    invalid(format!(
        "'{host}' in its base URL is a local address: in a pod that is the gateway itself or its cloud; \
         egress.localAddresses of the ModelGateway allows it"
    ))
}

pub(crate) fn check_public_name(name: &str) -> Result<(), Fault> {
    if name.is_empty() || name.len() > 253 || name.contains(|c: char| c.is_whitespace() || c == '*') {
        return Err(invalid(format!("{name:?} is no model name: 1 to 253 characters, no white space, no *")));
    }
    Ok(())
}

pub(crate) fn in_range<T: TryFrom<i64>>(field: &str, value: i64, max: i64) -> Result<T, Fault> {
    let fits = (0..=max).contains(&value).then(|| T::try_from(value).ok()).flatten();
    fits.ok_or_else(|| invalid(format!("{field} {value} is not between 0 and {max}")))
}

/// What a credentialsRef comes to. Absent and not permitted read alike: the difference is the owner's.
fn credential<'a>(
    context: &Context<'a>,
    reference: &CredentialsRef,
    consumer: &ObjectName,
) -> Result<&'a Credential, Objection> {
    let namespace = reference.namespace.clone().unwrap_or_else(|| consumer.namespace.clone());
    let wanted = ObjectName { namespace, name: reference.name.clone() };
    let unresolved = |reason, message, effect| Objection {
        condition: ConditionType::ResolvedRefs,
        fault: (reason, message),
        effect,
    };
    let refused = |effect| {
        let message = format!(
            "ProviderSecret {wanted} does not exist, or does not let namespace {} use it: \
             create it, or set its consumers.namespaces",
            consumer.namespace
        );
        unresolved(Reason::RefNotPermitted, message, effect)
    };
    let Some(owner) = context.credentials.get(&wanted) else { return Err(refused(Effect::LastGoodServes)) };
    let consent = &owner.object.spec.consumers.namespaces;
    let known = context.manifests.namespaces.as_ref();
    if !permission::allows(consent, &wanted.namespace, &consumer.namespace, known) {
        // Withdrawn consent is meant: what was given must stop.
        return Err(refused(Effect::NotServed));
    }
    match &owner.credential {
        Ok(credential) => Ok(credential),
        Err(_) => Err(unresolved(
            Reason::CredentialNotReady,
            format!("ProviderSecret {wanted} has no material yet: see its conditions"),
            match owner.object.spec.on_source_error {
                OnSourceError::KeepLast => Effect::LastGoodServes,
                OnSourceError::Revoke => Effect::NotServed,
            },
        )),
    }
}

/// The candidate as it was rendered last, if it was: same object, and its material is still at hand.
fn last_good(previous: Option<&Previous>, object: &ModelDeployment, name: &ObjectName) -> Option<Candidate> {
    let previous = previous?;
    let (model, entry) = find_entry(&previous.config, name)?;
    if entry.uid != object.metadata.uid.clone().unwrap_or_default() {
        return None;
    }
    let mut credentials = BTreeMap::new();
    if let Upstream::Http(http) = &entry.upstream
        && let Some(reference) = &http.credential
    {
        let file = reference.file();
        credentials.insert(file.clone(), previous.credentials.get(&file)?.clone());
    }
    Some(Candidate {
        name: name.clone(),
        created: object.metadata.creation_timestamp.clone(),
        model: model.name.clone(),
        // Only the aliases that this object still asks for: those of its group are not its own.
        aliases: model.aliases.iter().filter(|alias| object.spec.aliases.contains(alias)).cloned().collect(),
        entry: Some(entry.clone()),
        credentials,
    })
}

fn find_entry<'a>(config: &'a Config, name: &ObjectName) -> Option<(&'a config::Model, &'a Deployment)> {
    config.models.iter().find_map(|model| {
        let entry = model.deployments.iter().find(|entry| entry.id == *name)?;
        Some((model, entry))
    })
}
