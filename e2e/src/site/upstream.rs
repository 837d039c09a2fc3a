//! The stand-in's pod, as the tests steer and question it. What it does is in `standin`.

use anyhow::{Result, ensure};
use serde_json::Value;

use crate::calls::{Reuse, client};
use crate::cluster::Reach;
use crate::standin::{Entry, Override};

/// The way to the stand-in.
pub struct Upstream {
    reach: Reach,
    http: reqwest::Client,
}

impl Upstream {
    /// # Errors
    /// When TLS cannot be set up.
    pub fn new(reach: Reach) -> Result<Self> {
        Ok(Self { reach, http: client(Reuse::Never)? })
    }

    /// All calls after the one with that number.
    ///
    /// # Errors
    /// When the stand-in does not answer.
    pub async fn log(&self, after: u64) -> Result<Vec<Entry>> {
        let url = format!("{}/_log?after={after}", self.reach.url);
        Ok(self.http.get(url).send().await?.error_for_status()?.json().await?)
    }

    /// The number of the latest call.
    ///
    /// # Errors
    /// When the stand-in does not answer.
    pub async fn mark(&self) -> Result<u64> {
        Ok(self.log(0).await?.last().map_or(0, |entry| entry.number))
    }

    /// The calls for `model` (the upstream's name) after that number.
    ///
    /// # Errors
    /// When the stand-in does not answer.
    pub async fn calls_for(&self, model: &str, after: u64) -> Result<Vec<Entry>> {
        let is_for = |entry: &Entry| {
            let body: Option<Value> = serde_json::from_str(&entry.body).ok();
            body.is_some_and(|body| body.get("model").and_then(Value::as_str) == Some(model))
        };
        Ok(self.log(after).await?.into_iter().filter(is_for).collect())
    }

    /// Makes `model` behave as a model of the name `behaviour` would.
    ///
    /// # Errors
    /// When the stand-in does not answer.
    pub async fn behave(&self, model: &str, behaviour: &str) -> Result<()> {
        let wanted = Override { model: model.into(), behaviour: behaviour.into() };
        let url = format!("{}/_control/behaviour", self.reach.url);
        let status = self.http.post(url).json(&wanted).send().await?.status();
        ensure!(status.is_success(), "the stand-in said {status}");
        Ok(())
    }

    /// Forgets what it received and was told.
    ///
    /// # Errors
    /// When the stand-in does not answer.
    pub async fn reset(&self) -> Result<()> {
        let status = self.http.post(format!("{}/_control/reset", self.reach.url)).send().await?.status();
        ensure!(status.is_success(), "the stand-in said {status}");
        Ok(())
    }
}
