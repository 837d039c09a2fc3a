//! A channel on which pods tell each other what cannot wait. What is said while somebody is not there is lost to them, so
//! it may only make things quicker: what must not be missed is read elsewhere.

use std::future::Future;
use std::time::Duration;

use futures::StreamExt;
use redis::aio::{PubSubSink, PubSubStream};
use redis::{AsyncConnectionConfig, Client, RedisError, RedisResult};
use tokio::time::timeout;

use super::address::{self, UrlError};
use super::link::CONNECTING;
use crate::backend::Away;

/// A listener that hears nothing for so long asks whether the line still stands.
const QUIET: Duration = Duration::from_secs(5);

/// A channel by its name, in one gateway's space.
#[derive(Clone, Debug)]
pub struct Channel {
    /// Of a cluster, any node will do: they pass on what is said.
    nodes: Vec<Client>,
    place: String,
    name: String,
}

/// Hears what is said from now on.
pub struct Listener {
    sink: PubSubSink,
    heard: PubSubStream,
}

impl Channel {
    /// Where the counters are, by the same URL and space. Nothing is connected yet.
    ///
    /// # Errors
    /// [`UrlError`].
    pub fn new(url: &str, space: &str, topic: &str) -> Result<Self, UrlError> {
        let (nodes, place) = address::nodes(url)?;
        Ok(Self { nodes, place, name: format!("fairlead:{space}:{topic}") })
    }

    /// Says `message` to all who listen. Takes two seconds at most for each node.
    ///
    /// # Errors
    /// [`Away`], when no node takes it.
    pub async fn say(&self, message: &str) -> Result<(), Away> {
        let mut publish = redis::cmd("PUBLISH");
        publish.arg(&self.name).arg(message);
        self.at_any(|node| {
            let publish = publish.clone();
            async move {
                let config = AsyncConnectionConfig::new().set_response_timeout(Some(CONNECTING));
                let mut line = node.get_multiplexed_async_connection_with_config(&config).await?;
                publish.query_async::<()>(&mut line).await
            }
        })
        .await
    }

    /// Listens.
    ///
    /// # Errors
    /// [`Away`], when no node answers.
    pub async fn listen(&self) -> Result<Listener, Away> {
        self.at_any(|node| {
            let name = self.name.clone();
            async move {
                let (mut sink, heard) = node.get_async_pubsub().await?.split();
                sink.subscribe(name).await?;
                Ok(Listener { sink, heard })
            }
        })
        .await
    }

    async fn at_any<T, F>(&self, work: impl Fn(Client) -> F) -> Result<T, Away>
    where
        F: Future<Output = RedisResult<T>>,
    {
        let mut last: Option<RedisError> = None;
        for node in &self.nodes {
            match timeout(CONNECTING, work(node.clone())).await {
                Ok(Ok(done)) => return Ok(done),
                Ok(Err(error)) => last = Some(error),
                Err(_) => {}
            }
        }
        let reason =
            last.map_or("does not answer in time".to_owned(), |error| format!("does not answer: {error}"));
        Err(Away { place: self.place.as_str().into(), reason: reason.into() })
    }
}

impl Listener {
    /// What is said next. `None` when the line is broken: listen anew, and look for what was missed.
    ///
    /// Dropping the future loses nothing.
    pub async fn next(&mut self) -> Option<String> {
        loop {
            if let Ok(message) = timeout(QUIET, self.heard.next()).await {
                // What is no text is not ours.
                return message.map(|message| message.get_payload().unwrap_or_default());
            }
            let alive = timeout(CONNECTING, self.sink.ping::<redis::Value>()).await;
            if !matches!(alive, Ok(Ok(_))) {
                return None;
            }
        }
    }
}

impl std::fmt::Debug for Listener {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Listener").finish_non_exhaustive()
    }
}
