//! Writes a gateway's config: credentials, then shards, then the index, each only if it changed. The index
//! commits: it is replaced in the version that this leader read, so a leader of yesterday cannot commit.
//! A crash between two writes leaves what the old index names untouched. `publish/plan.rs` decides,
//! `publish/children.rs` reads and writes.

mod children;
mod plan;

pub(crate) use children::{Children, Scribe};

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use config::{Bundle, Config, Secret};
use futures::{StreamExt as _, TryStreamExt as _};
use render::{GatewayConfig, Previous};
use tokio::time::Instant;

/// Of one request. Shorter than the time between the end of a leadership and the next one's start.
pub(crate) const REQUEST: Duration = Duration::from_secs(4);

/// Writes at a time.
const WRITES: usize = 8;

/// Why a config was not published. What was published before stays.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PublishError {
    /// Only fewer models help.
    #[error("{0}")]
    TooLarge(String),
    /// An object of somebody else has a name that we need.
    #[error("{0} exists and is not the operator's: rename or delete it")]
    Foreign(String),
    /// Somebody wrote what we thought we knew: read it again and start over.
    #[error("{0} was changed by somebody else")]
    Conflict(String),
    /// Another replica may lead by now.
    #[error("the lease was lost")]
    NotLeading,
    /// The API server did not answer in time; whether it did it is not known.
    #[error("{0}: the API server did not answer in time")]
    TimedOut(String),
    /// The API server did not do it.
    #[error("{object}: {error}")]
    Api {
        /// Which one.
        object: String,
        /// Boxed for its size.
        error: Box<kube::Error>,
    },
}

impl PublishError {
    /// For metrics.
    pub(crate) fn class(&self) -> &'static str {
        match self {
            Self::TooLarge(_) | Self::Foreign(_) => "InvalidSpec",
            Self::Conflict(_) => "Conflict",
            Self::NotLeading => "NotLeading",
            Self::TimedOut(_) => "Transport",
            Self::Api { error, .. } => class_of(error),
        }
    }
}

/// What a publish did.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// All was there; perhaps one of our objects was repaired.
    Unchanged,
    /// The index is new.
    Committed {
        /// First to last write.
        took: Duration,
    },
}

/// The index as it stands: which files it names, and what they say.
#[derive(Debug, Default)]
pub(crate) struct Committed {
    /// `None` before the first publish.
    pub revision: Option<String>,
    /// Of shards and credentials.
    pub files: BTreeSet<String>,
    /// `None` if it cannot be read: then `files` may lack some.
    pub config: Option<Arc<Config>>,
    /// Material of the credentials that are there.
    pub credentials: BTreeMap<String, Secret>,
    /// Bytes of each shard and of the index.
    pub bytes: usize,
    /// Shards in use.
    pub shards: usize,
}

impl Committed {
    /// What a rendering needs to know of it.
    pub(crate) fn previous(&self) -> Option<Previous> {
        let config = Arc::clone(self.config.as_ref()?);
        Some(Previous { config, credentials: self.credentials.clone() })
    }

    fn of(bundle: &Bundle, rendered: &GatewayConfig) -> Self {
        let credentials = rendered.config.credential_refs().into_iter().map(config::CredentialRef::file);
        Self {
            revision: Some(bundle.revision.clone()),
            files: bundle.shards.keys().cloned().chain(credentials).collect(),
            config: Some(Arc::new(rendered.config.clone())),
            credentials: rendered.credentials.clone(),
            bytes: size(bundle),
            shards: bundle.shards.len(),
        }
    }
}

fn size(bundle: &Bundle) -> usize {
    bundle.shards.values().map(Vec::len).sum::<usize>() + bundle.index.len()
}

/// Writes what differs between `children` and `rendered`, and keeps `children` what the API server has.
///
/// # Errors
/// Whatever it is, the API server has a state that the next attempt can go on from. After
/// [`PublishError::TooLarge`] and [`PublishError::NotLeading`] `children` still holds; after the others it
/// must be read again first.
pub(crate) async fn publish(
    scribe: &Scribe,
    children: &mut Children,
    rendered: &GatewayConfig,
) -> Result<Outcome, PublishError> {
    let started = Instant::now();
    let bundle = Bundle::pack(&rendered.config).map_err(|error| PublishError::TooLarge(error.to_string()))?;
    let plan = plan::plan(children, &bundle, &rendered.credentials);
    if let Some(files) = plan.credentials {
        children.credentials = Some(scribe.write_credentials(children.credentials.as_ref(), files).await?);
    }
    let writes = plan
        .shards
        .into_iter()
        .map(|(slot, files)| scribe.write_shard(slot, children.shards.get(&slot), files));
    let written: Vec<_> = futures::stream::iter(writes).buffer_unordered(WRITES).try_collect().await?;
    children.shards.extend(written);
    let Some(index) = plan.index else { return Ok(Outcome::Unchanged) };
    children.index = Some(scribe.write_index(children.index.as_ref(), index).await?);
    children.committed = Committed::of(&bundle, rendered);
    Ok(Outcome::Committed { took: started.elapsed() })
}

/// What an error is, for logs and metrics.
pub(crate) fn class_of(error: &kube::Error) -> &'static str {
    match error {
        kube::Error::Api(status) => match status.code {
            401 | 403 => "Denied",
            404 => "NotFound",
            409 => "Conflict",
            413 | 422 | 400 => "Invalid",
            429 => "Throttled",
            _ => "Server",
        },
        kube::Error::SerdeError(_) | kube::Error::FromUtf8(_) => "Format",
        _ => "Transport",
    }
}

#[cfg(test)]
mod tests;
