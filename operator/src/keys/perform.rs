//! Does what is due for one VirtualKey. Each write is bound to what the decision was made of: a Secret is created or
//! changed in the version that was read, never overwritten.

use std::sync::Arc;

use config::{KeyHash, ObjectName, Secret};
use crds::VirtualKey;
use k8s_openapi::api::core::v1::Secret as KubeSecret;
use k8s_openapi::jiff::Timestamp;
use kube::api::{Patch, PatchParams, PostParams};
use kube::core::PartialObjectMeta;
use kube::{Api, Resource as _};
use render::Order;
use tokio::time::timeout;

use super::decide::Deed;
use super::{Next, secret};
use crate::events::News;
use crate::leader::Context;
use crate::publish::{REQUEST, class_of};
use crate::{lease, names};

/// What is due for one VirtualKey.
pub(super) struct Work {
    pub name: ObjectName,
    pub object: Arc<VirtualKey>,
    pub order: Option<Order>,
    /// Of the Secret.
    pub version: String,
    pub next: Option<Next>,
    pub deeds: Vec<Deed>,
    pub now: Timestamp,
}

/// What the keeper must know of it.
pub(super) enum Done {
    Written,
    Prepared(Next),
    Forgotten,
}

/// Does it, in order, until one fails. The error is for people.
pub(super) async fn perform(context: &Context, work: Work) -> (ObjectName, Result<Done, String>) {
    let mut done = Done::Written;
    for deed in &work.deeds {
        match one(context, &work, deed).await {
            Ok(Done::Written) => {}
            Ok(other) => done = other,
            Err(failure) => {
                context.metrics.failed("VirtualKey", failure.class);
                tracing::warn!(key = %work.name, class = failure.class, "{}", failure.message);
                let (object, reason) = (work.object.object_ref(&()), "SecretNotWritten".to_owned());
                context.herald.tell(News { object, good: false, reason, note: failure.message.clone() });
                return (work.name, Err(failure.message));
            }
        }
    }
    (work.name, Ok(done))
}

async fn one(context: &Context, work: &Work, deed: &Deed) -> Result<Done, Failure> {
    if !lease::leads(&context.leadership) {
        return Err(Failure { class: "NotLeading", message: "another replica leads".into() });
    }
    match (deed, &work.order) {
        (Deed::Issue, Some(order)) => {
            let object = secret::new(&work.object, order, &secret::make_key(), work.now);
            let (api, params) = (api(context, order), params());
            let written = api.create(&params, &object);
            taken(context, order, timeout(REQUEST, written).await)?;
            tell(context, work, "KeyIssued", format!("made into Secret {}", order.secret.name));
        }
        (Deed::Reissue, Some(order)) => {
            let key = secret::make_key();
            patch(context, work, order, Some(&key), None).await?;
            tell(context, work, "KeyIssued", format!("made anew into Secret {}", order.secret.name));
        }
        (Deed::Amend, Some(order)) => patch(context, work, order, None, None).await?,
        (Deed::Prepare, Some(_)) => {
            let key = secret::make_key();
            let (uid, hash) =
                (work.object.metadata.uid.clone().unwrap_or_default(), KeyHash::of(key.expose()));
            return Ok(Done::Prepared(Next { uid, key, hash }));
        }
        (Deed::Replace { old }, Some(order)) => {
            let Some(next) = &work.next else { return Ok(Done::Written) };
            patch(context, work, order, Some(&next.key), Some(old)).await?;
            tell(context, work, "KeyRotated", format!("Secret {} holds the next key", order.secret.name));
        }
        (Deed::Forget, _) => return Ok(Done::Forgotten),
        (_, None) => {}
    }
    Ok(Done::Written)
}

/// Why something was not written.
struct Failure {
    class: &'static str,
    message: String,
}

fn api(context: &Context, order: &Order) -> Api<KubeSecret> {
    Api::namespaced(context.client.clone(), &order.secret.namespace)
}

fn params() -> PostParams {
    PostParams { field_manager: Some(names::MANAGER.into()), ..PostParams::default() }
}

async fn patch(
    context: &Context,
    work: &Work,
    order: &Order,
    key: Option<&Secret>,
    old: Option<&KeyHash>,
) -> Result<(), Failure> {
    let body = secret::patch(&work.object, order, &work.version, key.map(|key| (key, work.now)), old);
    let params = PatchParams { field_manager: Some(names::MANAGER.into()), ..PatchParams::default() };
    let api = api(context, order);
    let body = Patch::Merge(&body);
    let written = api.patch(&order.secret.name, &params, &body);
    taken(context, order, timeout(REQUEST, written).await)
}

/// The index learns of a write from its answer, which may come before the watch's word.
fn taken(
    context: &Context,
    order: &Order,
    written: Result<kube::Result<KubeSecret>, tokio::time::error::Elapsed>,
) -> Result<(), Failure> {
    let Order { secret, .. } = order;
    match written {
        Ok(Ok(written)) => {
            let metadata = written.metadata;
            context.index.apply(PartialObjectMeta::<KubeSecret> { metadata, ..PartialObjectMeta::default() });
            Ok(())
        }
        Ok(Err(error)) if class_of(&error) == "Denied" => Err(Failure {
            class: "Denied",
            message: format!(
                "the operator may not write Secret {secret}: add the namespace to operator.keyNamespaces of its chart"
            ),
        }),
        // The error's text may quote what was written.
        Ok(Err(error)) => {
            let class = class_of(&error);
            Err(Failure {
                class,
                message: format!("Secret {secret} was not written ({class}); it is tried again"),
            })
        }
        Err(_) => {
            let message =
                format!("Secret {secret}: the API server did not answer in time; it is tried again");
            Err(Failure { class: "Transport", message })
        }
    }
}

fn tell(context: &Context, work: &Work, reason: &str, note: String) {
    tracing::info!(key = %work.name, reason, "{note}");
    let object = work.object.object_ref(&());
    context.herald.tell(News { object, good: true, reason: reason.to_owned(), note });
}
