//! What a gateway serves with, besides what is attached to it: as written, or as rendered last.

use config::{Limits, ObjectName, Routing, Secret, Settings, UserBudgets, WeakKey};
use crds::{ConditionType, GatewayRoutingSpec, LimitsSpec, ModelGateway, ModelGatewaySpec, UserKeys};

use super::egress::egress;
use crate::pricing::unknown_price;
use crate::routes::ModelEntry;
use crate::routing::{check_fallbacks, fallbacks, routing};
use crate::upstream::{DEFAULT_TIMEOUTS, Fault, invalid, on_loss, timeouts};
use crate::{Manifests, Reason, credentials};

/// Models that a gateway may name fallbacks of.
const ENTRIES: usize = 64;

/// What a gateway serves with.
pub(super) struct Base {
    /// Default fallbacks are as written.
    pub settings: Settings,
    /// Its material by file name.
    pub master_key: Option<(String, Secret)>,
    /// As written.
    pub model_fallbacks: Vec<ModelEntry>,
    /// Whether this is the version before.
    pub is_last_good: bool,
}

/// The settings as written.
pub(super) fn fresh(
    manifests: &Manifests,
    object: &ModelGateway,
    name: &ObjectName,
) -> Result<Base, (ConditionType, Fault)> {
    let spec = &object.spec;
    let accepted = |fault| (ConditionType::Accepted, fault);
    let settings = settings(spec).map_err(accepted)?;
    let model_fallbacks = model_fallbacks(&spec.routing).map_err(accepted)?;
    let base = Base { settings, master_key: None, model_fallbacks, is_last_good: false };
    let Some(reference) = &spec.auth.master_key_secret_ref else { return Ok(base) };
    let secret = ObjectName { namespace: name.namespace.clone(), name: reference.name.clone() };
    let id = credentials::credential_id("mgw", name, "masterKey");
    let found = credentials::lookup(manifests, &secret, &reference.key, id)
        .map_err(|missing| (ConditionType::ResolvedRefs, (missing.reason, missing.message)))?;
    if let Some(why) = WeakKey::judge(found.material.expose()) {
        let message = format!("the master key in Secret {secret} is refused: {why}");
        return Err((ConditionType::ResolvedRefs, (Reason::WeakMasterKey, message)));
    }
    let file = found.reference.file();
    let settings = Settings { master_key: Some(found.reference), ..base.settings };
    Ok(Base { settings, master_key: Some((file, found.material)), ..base })
}

/// All but the master key.
fn settings(spec: &ModelGatewaySpec) -> Result<Settings, Fault> {
    let in_routing = |(reason, why): Fault| (reason, format!("routing.{why}"));
    check_fallbacks("fallbacks", &spec.routing.fallbacks).map_err(in_routing)?;
    Ok(Settings {
        master_key: None,
        limits: limits(&spec.limits)?,
        timeouts: timeouts(&spec.timeouts, DEFAULT_TIMEOUTS)?,
        on_loss: on_loss(&spec.translation, config::OnLoss::default()),
        unknown_price: unknown_price(spec.pricing.unknown_model),
        user_budgets: match spec.budgets.users {
            UserKeys::AllKeys => UserBudgets::AllKeys,
            UserKeys::PersonalKeys => UserBudgets::PersonalKeys,
        },
        routing: routing(&spec.routing.routing(), Routing::default()).map_err(in_routing)?,
        default_fallbacks: spec.routing.fallbacks.clone(),
        egress: egress(&spec.egress)?,
    })
}

fn model_fallbacks(spec: &GatewayRoutingSpec) -> Result<Vec<ModelEntry>, Fault> {
    if spec.models.len() > ENTRIES {
        return Err(invalid(format!("routing.models has more than {ENTRIES} entries: leave some out")));
    }
    let each = spec.models.iter().map(|entry| {
        let located = |(reason, why): Fault| (reason, format!("routing.models[{}].{why}", entry.model));
        let fallbacks = fallbacks(&entry.fallbacks).map_err(located)?;
        Ok(ModelEntry { model: entry.model.clone(), fallbacks })
    });
    each.collect()
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
pub(super) fn last(manifests: &Manifests, name: &ObjectName) -> Option<Base> {
    let previous = manifests.previous.get(name)?;
    let settings = previous.config.settings.clone();
    let with_fallbacks = previous.config.models.iter().filter(|model| !model.fallbacks.is_empty());
    let model_fallbacks = with_fallbacks
        .map(|model| ModelEntry { model: model.name.clone(), fallbacks: model.fallbacks.clone() })
        .collect();
    let master_key = match &settings.master_key {
        Some(reference) => {
            let file = reference.file();
            let material = previous.credentials.get(&file)?.clone();
            Some((file, material))
        }
        None => None,
    };
    Some(Base { settings, master_key, model_fallbacks, is_last_good: true })
}
