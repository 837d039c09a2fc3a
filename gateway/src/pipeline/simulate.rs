//! What would become of a request if it came now: who would be tried and in which order, against which limits, and why the
//! others are out. Nobody is asked, and nothing is counted.

use std::sync::Arc;

use serde::Serialize;
use tokio::time::Instant;

use super::{Ask, Call, Fault, Gateway, intake, work::Work};
use crate::admission::{Asked, Forecast, Room};
use crate::routing;
use crate::snapshot::{Deployment, Model};

/// The answer.
#[derive(Debug, Serialize)]
pub(crate) struct Simulation {
    /// As [`config::Model::name`]; the client may have used an alias.
    model: String,
    /// Whose key it came with.
    key: String,
    /// About how much it would use at most.
    input_tokens: u64,
    output_tokens: u64,
    /// Every limit that counts it.
    limits: Vec<Room>,
    /// In the order to try them; those that are out come last.
    deployments: Vec<Weighed>,
    /// Other models, for errors; other causes may have their own.
    fallbacks: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Weighed {
    id: String,
    provider: String,
    upstream_model: String,
    /// About how much it would cost at most. Absent where nobody knows.
    #[serde(skip_serializing_if = "Option::is_none")]
    cost_usd: Option<String>,
    /// It failed, and comes after the others until then.
    #[serde(skip_serializing_if = "Option::is_none")]
    left_alone_seconds: Option<f64>,
    /// Why it would not be tried.
    #[serde(skip_serializing_if = "Option::is_none")]
    out: Option<&'static str>,
}

/// Tells it of `call`, whose path is that of the endpoint that it would go to.
///
/// # Errors
/// Those that the client would get before anybody is asked; but a limit that is full is told in the answer.
pub(crate) async fn simulate(gateway: &Gateway, call: Call) -> Result<Simulation, Fault> {
    let now = gateway.snapshot()?;
    let caller = gateway.caller(&now, &call.headers, call.uri.path()).await?;
    let body = intake::read(&call.headers, call.body, now.limits.request_body_bytes).await?;
    let ask = Ask::scan(call.intent, &call.headers, body)?;
    let model = now.model(&ask.model).ok_or_else(|| Fault::UnknownModel(ask.model.clone()))?;
    caller.asks(model, &ask.model)?;
    let limits = gateway.desk.rooms(&now, Asked { caller: &caller, ask: &ask }, model).await?;
    let Forecast { input, output, .. } = Forecast::most(&ask, model);
    let on_error = model.fallbacks.on_error.iter().chain(&now.default_fallbacks);
    let fallbacks = ask.said.fallbacks.clone().unwrap_or_else(|| on_error.cloned().collect());
    Ok(Simulation {
        model: model.name.clone(),
        key: caller.label().to_owned(),
        input_tokens: input,
        output_tokens: output,
        limits,
        deployments: Work::new(gateway, &now, &caller, ask).weighed(model),
        fallbacks,
    })
}

impl Work<'_> {
    fn weighed(&self, model: &Model) -> Vec<Weighed> {
        let (filter, wish) = (self.filter(model, None), self.wish(model));
        let open = |choice: &_| filter.objection(choice).is_none();
        let order = routing::preview(&self.gateway.health, model, open, wish, &mut rand::rng());
        let now = Instant::now();
        let tried = order.into_iter().map(|(choice, cools)| Weighed {
            left_alone_seconds: cools.map(|until| until.saturating_duration_since(now).as_secs_f64()),
            ..self.weigh(model, &choice.deployment)
        });
        let out = model.choices.iter().filter_map(|choice| {
            let why = filter.objection(choice)?;
            Some(Weighed { out: Some(why), ..self.weigh(model, &choice.deployment) })
        });
        tried.chain(out).collect()
    }

    fn weigh(&self, model: &Model, deployment: &Arc<Deployment>) -> Weighed {
        let cost = deployment.tariff.cost(&self.most(model));
        let unpriced = (!self.now.lets_serve(deployment)).then_some("nobody knows its price");
        Weighed {
            id: deployment.label.clone(),
            provider: deployment.provider.clone(),
            upstream_model: deployment.upstream_model.clone(),
            cost_usd: cost.map(|cost| cost.to_string()),
            left_alone_seconds: None,
            out: unpriced,
        }
    }
}
