//! ModelGateways: who is attached, and the assembly of each config. `gateways/settings.rs` has their settings.

mod egress;
mod settings;

use std::collections::{BTreeMap, BTreeSet};

use catalogue::Catalogue;
use config::{Config, KeyHash, ObjectName, Secret, Settings};
use crds::{BudgetPolicy, ConditionType, GatewayRef, ModelGateway, NamespaceSelection, NamespacesFrom};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};

use crate::credentials::Resolved;
use crate::deployments::{Candidate, Context, candidate};
use crate::pricing::own;
use crate::routes::ModelEntry;
use crate::upstream::Fault;
use crate::{
    Effect, Finding, GatewayConfig, Kind, Manifests, ObjectRef, Reason, Rendered, budgets, credentials,
    groups, keys, permission, routes,
};

/// A gateway that can serve.
#[derive(Debug)]
pub(crate) struct Gateway {
    pub name: ObjectName,
    pub settings: Settings,
    /// Where clients reach it.
    pub base_url: Option<String>,
    master_key: Option<(String, Secret)>,
    /// When it was made: who came first may fall back to whom they like.
    pub created: Option<Time>,
    /// Whether the settings are those of the version before.
    pub is_last_good: bool,
    /// Fallbacks of models, as written.
    pub model_fallbacks: Vec<ModelEntry>,
    pub group_across_namespaces: bool,
    /// Whether models of other namespaces may attach.
    pub is_shared: bool,
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
    routes: Vec<routes::Draft<'a>>,
    policies: Vec<&'a BudgetPolicy>,
    keys: Vec<keys::Candidate>,
}

pub(crate) fn render(manifests: &Manifests, catalogue: &Catalogue) -> Rendered {
    let mut findings = Vec::new();
    let credentials = credentials::resolve_all(manifests, &mut findings);
    let gateways = gateways(manifests, &mut findings);
    let context = Context { manifests, catalogue, credentials: &credentials };
    let routes = manifests.routes.iter().map(|object| (object_name(&object.metadata), object));
    let routes: Vec<_> = routes.collect();
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
    for (name, object) in &routes {
        let own = reference(Kind::ModelRoute, &object.metadata);
        let found = attach(manifests, &gateways, (name, &object.spec.gateway_ref), Consent::Models);
        let Some(gateway) = judge(found, &own, &mut findings) else { continue };
        attached.insert(own, gateway.name.clone());
        let before = before(manifests, gateway);
        let draft = routes::draft(gateway, (name, object), before, &mut findings);
        all.entry(&gateway.name).or_default().routes.extend(draft);
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

/// What a gateway was given last.
fn before<'a>(manifests: &'a Manifests, gateway: &Gateway) -> Option<&'a Config> {
    manifests.previous.get(&gateway.name).map(|previous| &*previous.config)
}

fn assemble(
    manifests: &Manifests,
    gateway: &Gateway,
    own: Attached<'_>,
    findings: &mut Vec<Finding>,
) -> GatewayConfig {
    let before = before(manifests, gateway);
    let wanted = (own.candidates, own.routes);
    let mut groups = groups::form(wanted, before, gateway.group_across_namespaces, findings);
    let routed = routes::form(gateway, (&mut groups.models, before), groups.routes, findings);
    let master = gateway.master_key.as_ref().map(|(_, material)| KeyHash::of(material.expose()));
    let mut keys = keys::form(own.keys, master, findings);
    let context = budgets::Context::new(
        manifests,
        &gateway.name,
        gateway.failure_mode,
        &gateway.settings.egress,
        (&groups.models, &routed.routes, &keys),
    );
    let formed = budgets::form(&context, &own.policies, findings);
    keys::resolve_budgets(&mut keys, &formed, findings);
    let mut credentials = groups.credentials;
    credentials.extend(formed.credentials);
    credentials.extend(gateway.master_key.clone());
    let config = Config {
        gateway: gateway.name.clone(),
        settings: Settings { default_fallbacks: routed.default_fallbacks, ..gateway.settings.clone() },
        models: groups.models,
        routes: routed.routes,
        budgets: formed.budgets,
        keys,
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
    let base = match settings::fresh(manifests, object, name) {
        Ok(base) => base,
        Err((condition, fault)) => {
            let before = settings::last(manifests, name);
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
    Some(Gateway {
        name: name.clone(),
        settings: base.settings,
        base_url: object.spec.base_url.clone(),
        master_key: base.master_key,
        created: object.metadata.creation_timestamp.clone(),
        is_last_good: base.is_last_good,
        model_fallbacks: base.model_fallbacks,
        group_across_namespaces: object.spec.models.group_across_namespaces,
        is_shared: object.spec.models.namespaces.from != NamespacesFrom::Same,
        prices,
        failure_mode: budgets::failure_mode(object.spec.budgets.failure_mode),
    })
}

fn finding(name: &ObjectName, condition: ConditionType, (reason, message): Fault) -> Finding {
    let object = ObjectRef { kind: Kind::ModelGateway, name: name.clone() };
    Finding { object, condition, reason, message, effect: Effect::NotServed }
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
