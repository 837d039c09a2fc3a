//! `Delivery` to `Snapshot`. All that can be wrong with a config is found here, before it serves.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use catalogue::Auth;
use config::{ConditionError, CredentialRef, Delivery, HttpUpstream, ObjectName, Secret, WeakKey};
use protocol::amend::{self, Amendment};
use protocol::loss::OnLoss;
use protocol::plan::Spoken;
use protocol::response::Tag;
use reqwest::Url;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue, InvalidHeaderValue};
use sha2::{Digest, Sha256};

use super::alerts::Alerts;
use super::budgets::{BudgetError, Budgets};
use super::choices;
use super::keys::Keys;
use super::tariff::{abilities, tariff};
use super::{
    Api, Choice, Deployment, Identity, Limits, MasterKey, Model, Seat, Snapshot, Timeouts, Upstream,
    UserBudgets,
};
use crate::egress::{Dns, Egress, EgressError};

/// Why a delivery cannot serve. Names the object and never the material.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CompileError {
    #[error("there is no master key: set masterKeySecretRef of the ModelGateway, or FAIRLEAD_MASTER_KEY")]
    NoMasterKey,
    #[error("the master key is refused: {0}")]
    WeakMasterKey(#[from] WeakKey),
    #[error("{file} is not in the delivery")]
    CredentialMissing { file: String },
    #[error("the credential of {deployment} has characters that no HTTP header can carry")]
    CredentialUnusable { deployment: ObjectName },
    #[error("{deployment}: '{name}' is not a header that can be sent")]
    Header { deployment: ObjectName, name: String },
    #[error("{deployment}: the base URL '{url}' is not an http or https URL")]
    BaseUrl { deployment: ObjectName, url: String },
    #[error(
        "{deployment}: '{host}' in its base URL is a local address, which this gateway does not call: give another, or set egress.localAddresses of the ModelGateway to Allowed"
    )]
    LocalAddress { deployment: ObjectName, host: String },
    #[error("the way out of the gateway: {0}")]
    Egress(#[from] EgressError),
    #[error("{deployment} speaks no wire language: the rendered config is broken")]
    NoDialect { deployment: ObjectName },
    #[error("{key}: a hash is no SHA-256 in hex: the rendered config is broken")]
    KeyHash { key: ObjectName },
    #[error("{key}: another key has the same material: the rendered config is broken")]
    KeyTwice { key: ObjectName },
    #[error("{route}: the condition of target '{target}' {error}")]
    Condition { route: ObjectName, target: String, error: ConditionError },
    #[error("two models answer to the name '{name}'")]
    NameTwice { name: String },
    #[error("{deployment}: a minute cannot be told: {error}")]
    Minute { deployment: ObjectName, error: limits::WindowError },
    #[error("model '{name}' has no deployment")]
    NoDeployment { name: String },
    #[error(
        "{route}: its target '{target}' is model '{model}', which is not there: the rendered config is broken"
    )]
    NoTarget { route: ObjectName, target: String, model: String },
    #[error("budget {budget}: the webhook of its alert at {at_percent} % is no http or https URL")]
    Webhook { budget: ObjectName, at_percent: u16 },
    /// The address is a secret.
    #[error(
        "budget {budget}: the webhook of its alert at {at_percent} % is at a local address, which this gateway does not call: give another, or set egress.localAddresses of the ModelGateway to Allowed"
    )]
    LocalWebhook { budget: ObjectName, at_percent: u16 },
    #[error(transparent)]
    Budget(#[from] BudgetError),
}

/// Compiles `delivery`. `own` is the master key that boot brought, for configs that name none; `dns` looks up names.
pub(super) fn compile(
    delivery: &Delivery,
    own: Option<&MasterKey>,
    dns: &Dns,
) -> Result<Snapshot, CompileError> {
    let config = &delivery.config;
    let master_key = match &config.settings.master_key {
        Some(reference) => MasterKey::new(credential(delivery, reference)?)?,
        None => own.cloned().ok_or(CompileError::NoMasterKey)?,
    };
    let egress = Arc::new(Egress::new(&config.settings.egress, dns.clone())?);
    let mut models = Vec::new();
    for model in &config.models {
        models.push(Arc::new(compile_model(delivery, model, &egress)?));
    }
    let by_tag = by_tag(&models);
    let routes = config.routes.iter().map(|route| choices::route(route, &models).map(Arc::new));
    let routes: Vec<_> = routes.collect::<Result<_, _>>()?;
    models.extend(routes);
    models.sort_by(|a, b| a.name.cmp(&b.name));
    let by_name = by_name(&models)?;
    Ok(Snapshot {
        by_tag,
        revision: delivery.revision.clone(),
        gateway: config.gateway.to_string(),
        master_key,
        keys: Keys::compile(&config.keys)?,
        limits: limits(config.settings.limits),
        unknown_price: config.settings.unknown_price,
        user_budgets: user_budgets(config.settings.user_budgets),
        default_fallbacks: config.settings.default_fallbacks.clone(),
        models,
        budgets: Budgets::compile(&config.budgets)?,
        alerts: Alerts::compile(delivery, &egress)?,
        listing: listing(&by_name),
        by_name,
    })
}

/// One entry of a model listing. `created` is LiteLLM's constant, since clients insist on a number.
pub(super) fn entry(name: &str, model: &Model) -> serde_json::Value {
    let owner = model.deployments.first().map_or("fairlead", |deployment| deployment.provider.as_str());
    serde_json::json!({"id": name, "object": "model", "created": 1_677_610_602, "owned_by": owner})
}

/// A listing of these models, by name.
pub(super) fn listing<'a>(models: impl IntoIterator<Item = (&'a String, &'a Arc<Model>)>) -> Bytes {
    let sorted: BTreeMap<_, _> = models.into_iter().collect();
    let data: Vec<_> = sorted.into_iter().map(|(name, model)| entry(name, model)).collect();
    serde_json::json!({"object": "list", "data": data}).to_string().into()
}

fn by_name(models: &[Arc<Model>]) -> Result<HashMap<String, Arc<Model>>, CompileError> {
    let mut by_name = HashMap::new();
    for model in models {
        for name in model.names() {
            if by_name.insert(name.to_owned(), Arc::clone(model)).is_some() {
                return Err(CompileError::NameTwice { name: name.to_owned() });
            }
        }
    }
    Ok(by_name)
}

fn by_tag(models: &[Arc<Model>]) -> HashMap<Tag, Seat> {
    let seats = models.iter().flat_map(|model| {
        model.deployments.iter().map(|deployment| {
            let seat = Seat { model: Arc::clone(model), deployment: Arc::clone(deployment) };
            (deployment.tag, seat)
        })
    });
    seats.collect()
}

/// The name alone: one that is made anew under its name, or in another cluster, still finds what its provider keeps.
fn tag(id: &ObjectName) -> Tag {
    let digest = Sha256::digest(id.to_string());
    Tag(digest.first_chunk().copied().unwrap_or_default())
}

pub(super) fn credential<'a>(
    delivery: &'a Delivery,
    reference: &CredentialRef,
) -> Result<&'a Secret, CompileError> {
    let file = reference.file();
    delivery.credentials.get(&file).ok_or(CompileError::CredentialMissing { file })
}

fn compile_model(
    delivery: &Delivery,
    model: &config::Model,
    egress: &Arc<Egress>,
) -> Result<Model, CompileError> {
    if model.deployments.is_empty() {
        return Err(CompileError::NoDeployment { name: model.name.clone() });
    }
    let choices = model.deployments.iter().map(|from| {
        let deployment = Arc::new(compile_deployment(delivery, from, egress)?);
        Ok(Choice { deployment, tier: (0, from.priority), weight: f64::from(from.weight), target: 0 })
    });
    let choices: Vec<_> = choices.collect::<Result<_, CompileError>>()?;
    Ok(Model {
        name: model.name.clone(),
        aliases: model.aliases.clone(),
        deployments: choices.iter().map(|choice| Arc::clone(&choice.deployment)).collect(),
        choices,
        conditions: Vec::new(),
        legs: Vec::new(),
        via: None,
        routing: delivery.config.settings.routing,
        fallbacks: model.fallbacks.clone(),
    })
}

fn compile_deployment(
    delivery: &Delivery,
    from: &config::Deployment,
    egress: &Arc<Egress>,
) -> Result<Deployment, CompileError> {
    let upstream = match &from.upstream {
        config::Upstream::Mock => Upstream::Mock,
        config::Upstream::Http(http) => {
            let key =
                http.credential.as_ref().map(|reference| credential(delivery, reference)).transpose()?;
            let spoken = Spoken::new(&http.dialects);
            let spoken = spoken.ok_or_else(|| CompileError::NoDialect { deployment: from.id.clone() })?;
            let (base, headers) = (base_url(&from.id, http, egress)?, headers(&from.id, http, key)?);
            let egress = Arc::clone(egress);
            let (embeds, keeps_responses) = (http.embeds, http.keeps_responses);
            Upstream::Http(Box::new(Api { base, egress, headers, spoken, embeds, keeps_responses }))
        }
    };
    Ok(Deployment {
        identity: Identity { id: from.id.clone(), uid: from.uid.clone() },
        tag: tag(&from.id),
        label: from.id.to_string(),
        provider: from.provider.clone(),
        upstream_model: from.upstream_model.clone(),
        quirks: Arc::new(from.quirks.clone()),
        upstream,
        capacity: choices::capacity(&from.id, from.capacity)?,
        timeouts: timeouts(from.timeouts),
        on_loss: on_loss(from.on_loss),
        abilities: abilities(&from.provider, &from.upstream_model, &from.pricing),
        tariff: Arc::new(tariff(&from.provider, &from.upstream_model, &from.pricing)),
        amendment: amendment(&from.parameters),
    })
}

fn limits(from: config::Limits) -> Limits {
    // Where addresses are shorter, so is what can be held.
    let bytes = |bytes: u64| usize::try_from(bytes).unwrap_or(usize::MAX);
    Limits {
        request_body_bytes: from.request_body_bytes,
        answer_bytes: bytes(from.answer_bytes),
        stream_event_bytes: bytes(from.stream_event_bytes),
    }
}

fn user_budgets(from: config::UserBudgets) -> UserBudgets {
    match from {
        config::UserBudgets::AllKeys => UserBudgets::OfAllKeys,
        config::UserBudgets::PersonalKeys => UserBudgets::OfPersonalKeys,
    }
}

fn timeouts(from: config::Timeouts) -> Timeouts {
    Timeouts {
        connect: Duration::from_millis(from.connect_ms),
        first_byte: Duration::from_millis(from.first_byte_ms),
        stream_idle: Duration::from_millis(from.stream_idle_ms),
        request: Duration::from_millis(from.request_ms),
    }
}

fn on_loss(from: config::OnLoss) -> OnLoss {
    match from {
        config::OnLoss::Report => OnLoss::Report,
        config::OnLoss::Reject => OnLoss::Reject,
        config::OnLoss::Ignore => OnLoss::Ignore,
    }
}

fn amendment(from: &config::Parameters) -> Option<Amendment> {
    let step = |step: &config::Step| match step {
        config::Step::Name(name) => amend::Step::Name(name.clone()),
        config::Step::At(place) => amend::Step::At(*place),
        config::Step::All => amend::Step::All,
    };
    let drops = from.drop.iter().map(|path| path.steps().iter().map(step).collect());
    Amendment::new(drops.collect(), from.extra_body.patch())
}

fn base_url(id: &ObjectName, http: &HttpUpstream, egress: &Egress) -> Result<Url, CompileError> {
    let url = Url::parse(&http.base_url).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    // User info would be a secret in the config, and reqwest would turn it into a header.
    let url = url.filter(|url| url.username().is_empty() && url.password().is_none());
    let bad = || CompileError::BaseUrl { deployment: id.clone(), url: without_userinfo(&http.base_url) };
    let url = url.ok_or_else(bad)?;
    if egress.refuses(&url) {
        let host = url.host_str().unwrap_or_default().to_owned();
        return Err(CompileError::LocalAddress { deployment: id.clone(), host });
    }
    Ok(url)
}

fn without_userinfo(url: &str) -> String {
    url.rsplit_once('@').map_or(url, |(_, rest)| rest).to_owned()
}

fn headers(id: &ObjectName, http: &HttpUpstream, key: Option<&Secret>) -> Result<HeaderMap, CompileError> {
    let mut headers = HeaderMap::new();
    if let Some(key) = key {
        let unusable = |_: InvalidHeaderValue| CompileError::CredentialUnusable { deployment: id.clone() };
        // People make Secrets with `echo`, which ends the key with a line feed.
        let material = key.expose().trim_ascii();
        let (name, mut value) = match &http.auth {
            Auth::Bearer => {
                (AUTHORIZATION, HeaderValue::from_bytes(&[b"Bearer ", material].concat()).map_err(unusable)?)
            }
            Auth::Header(name) => {
                (header_name(id, name)?, HeaderValue::from_bytes(material).map_err(unusable)?)
            }
        };
        value.set_sensitive(true);
        headers.insert(name, value);
    }
    for header in &http.headers {
        let bad = |_| CompileError::Header { deployment: id.clone(), name: header.name.clone() };
        headers.insert(header_name(id, &header.name)?, HeaderValue::from_str(&header.value).map_err(bad)?);
    }
    Ok(headers)
}

fn header_name(id: &ObjectName, name: &str) -> Result<HeaderName, CompileError> {
    HeaderName::from_bytes(name.as_bytes())
        .map_err(|_| CompileError::Header { deployment: id.clone(), name: name.to_owned() })
}
