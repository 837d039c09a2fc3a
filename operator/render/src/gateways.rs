//! ModelGateways: their settings, who is attached, and the assembly of each config.

use std::collections::{BTreeMap, BTreeSet};

use catalogue::Catalogue;
use config::{Config, KeyHash, Limits, ObjectName, Secret, Settings, UserBudgets, WeakKey};
use crds::{BudgetPolicy, ConditionType, GatewayRef, LimitsSpec, ModelGateway, NamespaceSelection, UserKeys};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use crate::credentials::Resolved;
use crate::deployments::{Candidate, Context, candidate};
use crate::pricing::{own, unknown_price};
use crate::upstream::{DEFAULT_TIMEOUTS, Fault, invalid, on_loss, timeouts};
use crate::{
    Effect, Finding, GatewayConfig, Kind, Manifests, ObjectRef, Reason, Rendered, budgets, credentials,
    groups, keys, permission,
};

/// A gateway that can serve.
#[derive(Debug)]
pub(crate) struct Gateway {
    pub name: ObjectName,
    pub settings: Settings,
    /// Where clients reach it.
    pub base_url: Option<String>,
    master_key: Option<(String, Secret)>,
    group_across_namespaces: bool,
    /// The owner's.
    pub prices: own::Prices,
    /// Of budgets that have none.
    failure_mode: config::FailureMode,
}

/// A ModelGateway as what attaches to it sees it.
struct Attachable<'a> {
    object: &'a ModelGateway,
    /// `None` if it cannot serve.
    gateway: Option<Gateway>,
}

/// What is attached to one gateway.
#[derive(Default)]
struct Attached<'a> {
    candidates: Vec<Candidate>,
    policies: Vec<&'a BudgetPolicy>,
    keys: Vec<keys::Candidate>,
}

pub(crate) fn render(manifests: &Manifests, catalogue: &Catalogue) -> Rendered {
    let mut findings = Vec::new();
    let credentials = credentials::resolve_all(manifests, &mut findings);
    let gateways = gateways(manifests, &mut findings);
    let context = Context { manifests, catalogue, credentials: &credentials };
    let mut all: BTreeMap<&ObjectName, Attached<'_>> = BTreeMap::new();
    let mut attached = BTreeMap::new();
    for object in &manifests.deployments {
        let own = reference(Kind::ModelDeployment, &object.metadata);
        let found = attach(manifests, &gateways, (&own.name, &object.spec.gateway_ref), Consent::Models);
        let Some(gateway) = judge(found, &own, &mut findings) else { continue };
        attached.insert(own, gateway.name.clone());
        let here = all.entry(&gateway.name).or_default();
        here.candidates.extend(candidate(&context, gateway, object, &mut findings));
    }
    for object in &manifests.budget_policies {
        let own = reference(Kind::BudgetPolicy, &object.metadata);
        let found = attach(manifests, &gateways, (&own.name, &object.spec.gateway_ref), Consent::Models);
        let Some(gateway) = judge(found, &own, &mut findings) else { continue };
        attached.insert(own, gateway.name.clone());
        all.entry(&gateway.name).or_default().policies.push(object);
    }
    let mut plans = BTreeMap::new();
    // One that is being deleted has lost its place.
    for object in manifests.keys.iter().filter(|object| object.metadata.deletion_timestamp.is_none()) {
        let own = reference(Kind::VirtualKey, &object.metadata);
        let found = attach(manifests, &gateways, (&own.name, &object.spec.gateway_ref), Consent::Keys);
        let Some(gateway) = judge(found, &own, &mut findings) else { continue };
        let (plan, candidate) = keys::candidate(manifests, gateway, object, &mut findings);
        attached.insert(own.clone(), gateway.name.clone());
        plans.insert(own.name, plan);
        all.entry(&gateway.name).or_default().keys.extend(candidate);
    }
    let mut configs = BTreeMap::new();
    for gateway in gateways.values().filter_map(|attachable| attachable.gateway.as_ref()) {
        let own = all.remove(&gateway.name).unwrap_or_default();
        configs.insert(gateway.name.clone(), assemble(manifests, gateway, own, &mut findings));
    }
    findings.sort();
    findings.dedup();
    Rendered { gateways: configs, findings, attached, users: users(manifests, &credentials), keys: plans }
}

fn reference(kind: Kind, metadata: &ObjectMeta) -> ObjectRef {
    ObjectRef { kind, name: object_name(metadata) }
}

/// The gateway that `object` may attach to. One that cannot serve says so itself.
fn judge<'a>(
    found: Result<Option<&'a Gateway>, Fault>,
    object: &ObjectRef,
    findings: &mut Vec<Finding>,
) -> Option<&'a Gateway> {
    found.unwrap_or_else(|(reason, message)| {
        let (object, condition) = (object.clone(), ConditionType::Accepted);
        findings.push(Finding { object, condition, reason, message, effect: Effect::NotServed });
        None
    })
}

fn gateways<'a>(
    manifests: &'a Manifests,
    findings: &mut Vec<Finding>,
) -> BTreeMap<ObjectName, Attachable<'a>> {
    let each = manifests.gateways.iter().map(|object| {
        let name = object_name(&object.metadata);
        let gateway = gateway(manifests, object, &name, findings);
        (name, Attachable { object, gateway })
    });
    each.collect()
}

fn assemble(
    manifests: &Manifests,
    gateway: &Gateway,
    own: Attached<'_>,
    findings: &mut Vec<Finding>,
) -> GatewayConfig {
    let before = manifests.previous.get(&gateway.name).map(|previous| &*previous.config);
    let groups = groups::form(own.candidates, before, gateway.group_across_namespaces, findings);
    let master = gateway.master_key.as_ref().map(|(_, material)| KeyHash::of(material.expose()));
    let mut keys = keys::form(own.keys, master, findings);
    let context =
        budgets::Context::new(manifests, &gateway.name, gateway.failure_mode, (&groups.models, &keys));
    let formed = budgets::form(&context, &own.policies, findings);
    keys::resolve_budgets(&mut keys, &formed, findings);
    let mut credentials = groups.credentials;
    credentials.extend(formed.credentials);
    credentials.extend(gateway.master_key.clone());
    let config = Config {
        gateway: gateway.name.clone(),
        settings: gateway.settings.clone(),
        models: groups.models,
        budgets: formed.budgets,
        keys,
        routes: Vec::new(),
    };
    GatewayConfig { config, credentials }
}

/// What a gateway's owner lets other namespaces do.
#[derive(Clone, Copy)]
enum Consent {
    Models,
    Keys,
}

impl Consent {
    fn given_by(self, gateway: &ModelGateway) -> &NamespaceSelection {
        match self {
            Self::Models => &gateway.spec.models.namespaces,
            Self::Keys => &gateway.spec.keys.namespaces,
        }
    }

    fn field(self) -> &'static str {
        match self {
            Self::Models => "models.namespaces",
            Self::Keys => "keys.namespaces",
        }
    }
}

/// The gateway that an object of this name attaches to; `None` if that one cannot serve at all.
fn attach<'a>(
    manifests: &Manifests,
    gateways: &'a BTreeMap<ObjectName, Attachable<'_>>,
    (object, reference): (&ObjectName, &GatewayRef),
    consent: Consent,
) -> Result<Option<&'a Gateway>, Fault> {
    let own = &object.namespace;
    let namespace = reference.namespace.clone().unwrap_or_else(|| own.clone());
    let wanted = ObjectName { namespace, name: reference.name.clone() };
    let known = manifests.namespaces.as_ref();
    match gateways.get(&wanted) {
        Some(found) if permission::allows(consent.given_by(found.object), &wanted.namespace, own, known) => {
            Ok(found.gateway.as_ref())
        }
        _ => {
            let message = format!(
                "ModelGateway {wanted} does not exist, or does not let namespace {own} attach: \
                 create it, or set its {}",
                consent.field()
            );
            Err((Reason::GatewayNotFound, message))
        }
    }
}

/// What `object` serves with, as far as it can, with its findings.
fn gateway(
    manifests: &Manifests,
    object: &ModelGateway,
    name: &ObjectName,
    findings: &mut Vec<Finding>,
) -> Option<Gateway> {
    let allowed = manifests.gateway_namespaces.as_ref();
    if allowed.is_some_and(|allowed| !allowed.contains(&name.namespace)) {
        let message = format!(
            "this operator serves no gateways in namespace {}: add it to gatewayNamespaces",
            name.namespace
        );
        findings.push(finding(name, ConditionType::Accepted, (Reason::GatewayNamespaceNotServed, message)));
        return None;
    }
    let unclear = [Consent::Models, Consent::Keys]
        .into_iter()
        .find(|consent| !permission::can_judge(consent.given_by(object), manifests.namespaces.as_ref()));
    if let Some(consent) = unclear {
        let message = format!(
            "{}.from Selector needs an operator of cluster scope; only the gateway's own namespace attaches",
            consent.field()
        );
        findings.push(finding(name, ConditionType::Accepted, (Reason::SelectorNeedsClusterScope, message)));
    }
    let (settings, master_key) = match fresh_settings(manifests, object, name) {
        Ok(settings) => settings,
        Err((condition, fault)) => {
            let before = last_settings(manifests, name);
            let mut finding = finding(name, condition, fault);
            finding.effect = if before.is_some() { Effect::LastGoodServes } else { Effect::NotServed };
            findings.push(finding);
            before?
        }
    };
    let prices = own::prices(manifests, object, name).unwrap_or_else(|fault| {
        let finding = finding(name, ConditionType::ResolvedRefs, fault);
        findings.push(Finding { effect: Effect::Partly, ..finding });
        own::Prices::new()
    });
    let group_across_namespaces = object.spec.models.group_across_namespaces;
    let failure_mode = budgets::failure_mode(object.spec.budgets.failure_mode);
    let (name, base_url) = (name.clone(), object.spec.base_url.clone());
    Some(Gateway { name, settings, base_url, master_key, group_across_namespaces, prices, failure_mode })
}

fn finding(name: &ObjectName, condition: ConditionType, (reason, message): Fault) -> Finding {
    let object = ObjectRef { kind: Kind::ModelGateway, name: name.clone() };
    Finding { object, condition, reason, message, effect: Effect::NotServed }
}

type SettingsAndKey = (Settings, Option<(String, Secret)>);

fn fresh_settings(
    manifests: &Manifests,
    object: &ModelGateway,
    name: &ObjectName,
) -> Result<SettingsAndKey, (ConditionType, Fault)> {
    let spec = &object.spec;
    let timeouts =
        timeouts(&spec.timeouts, DEFAULT_TIMEOUTS).map_err(|fault| (ConditionType::Accepted, fault))?;
    let limits = limits(&spec.limits).map_err(|fault| (ConditionType::Accepted, fault))?;
    let on_loss = on_loss(&spec.translation, config::OnLoss::default());
    let unknown_price = unknown_price(spec.pricing.unknown_model);
    let user_budgets = match spec.budgets.users {
        UserKeys::AllKeys => UserBudgets::AllKeys,
        UserKeys::PersonalKeys => UserBudgets::PersonalKeys,
    };
    let settings = Settings {
        master_key: None,
        limits,
        timeouts,
        on_loss,
        unknown_price,
        user_budgets,
        default_fallbacks: Vec::new(),
        routing: config::Routing::default(),
    };
    let Some(reference) = &spec.auth.master_key_secret_ref else { return Ok((settings, None)) };
    let secret = ObjectName { namespace: name.namespace.clone(), name: reference.name.clone() };
    let id = credentials::credential_id("mgw", name, "masterKey");
    let found = credentials::lookup(manifests, &secret, &reference.key, id)
        .map_err(|missing| (ConditionType::ResolvedRefs, (missing.reason, missing.message)))?;
    if let Some(why) = WeakKey::judge(found.material.expose()) {
        let message = format!("the master key in Secret {secret} is refused: {why}");
        return Err((ConditionType::ResolvedRefs, (Reason::WeakMasterKey, message)));
    }
    let file = found.reference.file();
    let settings = Settings { master_key: Some(found.reference), ..settings };
    Ok((settings, Some((file, found.material))))
}

fn limits(spec: &LimitsSpec) -> Result<Limits, Fault> {
    let bytes = |field: &str, written: i64| {
        let bytes = u64::try_from(written).ok().filter(|bytes| (1 << 10..=1 << 30).contains(bytes));
        bytes.ok_or_else(|| invalid(format!("limits.{field} {written} is not between 1024 and 1073741824")))
    };
    Ok(Limits {
        request_body_bytes: bytes("maxRequestBodyBytes", spec.max_request_body_bytes)?,
        answer_bytes: bytes("maxAnswerBytes", spec.max_answer_bytes)?,
        stream_event_bytes: bytes("maxStreamEventBytes", spec.max_stream_event_bytes)?,
    })
}

/// The settings as rendered last, if their master key is still at hand.
fn last_settings(manifests: &Manifests, name: &ObjectName) -> Option<SettingsAndKey> {
    let previous = manifests.previous.get(name)?;
    let settings = previous.config.settings.clone();
    let Some(reference) = &settings.master_key else { return Some((settings, None)) };
    let file = reference.file();
    let material = previous.credentials.get(&file)?.clone();
    Some((settings, Some((file, material))))
}

/// The deployments that name each ProviderSecret and may, resolved or not.
fn users(
    manifests: &Manifests,
    owners: &BTreeMap<ObjectName, Resolved<'_>>,
) -> BTreeMap<ObjectName, BTreeSet<ObjectName>> {
    let mut users: BTreeMap<ObjectName, BTreeSet<ObjectName>> = BTreeMap::new();
    for object in &manifests.deployments {
        let Some(reference) = &object.spec.credentials_ref else { continue };
        let user = object_name(&object.metadata);
        let namespace = reference.namespace.clone().unwrap_or_else(|| user.namespace.clone());
        let owner = ObjectName { namespace, name: reference.name.clone() };
        let Some(found) = owners.get(&owner) else { continue };
        let consent = &found.object.spec.consumers.namespaces;
        if permission::allows(consent, &owner.namespace, &user.namespace, manifests.namespaces.as_ref()) {
            users.entry(owner).or_default().insert(user);
        }
    }
    users
}

/// Objects read from files may lack a namespace: they live in `default`.
pub(crate) fn object_name(metadata: &ObjectMeta) -> ObjectName {
    ObjectName {
        namespace: metadata.namespace.clone().unwrap_or_else(|| "default".into()),
        name: metadata.name.clone().unwrap_or_default(),
    }
}
