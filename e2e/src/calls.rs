//! Calls to a gateway as a client would make them, with no SDK in between.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use futures::StreamExt as _;
use futures::stream::BoxStream;
use serde_json::{Value, json};

/// Connections that are used once: each call may go to another pod.
#[derive(Clone)]
pub struct Caller {
    http: reqwest::Client,
    base: String,
    key: String,
}

/// A whole answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// The body as it came.
    pub text: String,
}

/// A client with no proxy and no retries. `reuse` keeps connections open between calls.
///
/// # Errors
/// When TLS cannot be set up.
pub fn client(reuse: Reuse) -> Result<reqwest::Client> {
    let idle = match reuse {
        Reuse::Never => 0,
        Reuse::KeepAlive => 64,
    };
    let builder = reqwest::Client::builder().no_proxy().connect_timeout(Duration::from_secs(5));
    Ok(builder.pool_max_idle_per_host(idle).timeout(Duration::from_secs(120)).build()?)
}

/// Whether connections live on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reuse {
    /// One connection per call.
    Never,
    /// As SDKs do.
    KeepAlive,
}

impl Caller {
    /// `base` is a gateway's address without a path.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn new(base: &str, key: &str, reuse: Reuse) -> Result<Self> {
        Ok(Self { http: client(reuse)?, base: base.to_owned(), key: key.to_owned() })
    }

    /// The same gateway with another key.
    #[must_use]
    pub fn with_key(&self, key: &str) -> Self {
        Self { key: key.to_owned(), ..self.clone() }
    }

    /// The gateway's address without a path.
    #[must_use]
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Asks `model` for a plain answer.
    ///
    /// # Errors
    /// When no whole answer comes; an error status is an answer.
    pub async fn ask(&self, model: &str) -> Result<Answer> {
        self.send(&question(model, false)).await
    }

    /// Sends any body to `/v1/chat/completions`.
    ///
    /// # Errors
    /// When no whole answer comes.
    pub async fn send(&self, body: &Value) -> Result<Answer> {
        let response = self.post(body).await?;
        let status = response.status().as_u16();
        Ok(Answer { status, text: response.text().await.context("the answer broke off")? })
    }

    /// Gets any path, with the key.
    ///
    /// # Errors
    /// When no whole answer comes.
    pub async fn get(&self, path: &str) -> Result<Answer> {
        let url = format!("{}{path}", self.base);
        let response = self.http.get(url).bearer_auth(&self.key).send().await?;
        let status = response.status().as_u16();
        Ok(Answer { status, text: response.text().await? })
    }

    /// Opens a stream from `model`.
    ///
    /// # Errors
    /// When the status is not 200.
    pub async fn open(&self, model: &str) -> Result<Events> {
        let response = self.post(&question(model, true)).await?;
        let status = response.status();
        if !status.is_success() {
            anyhow::bail!("status {status}: {}", response.text().await.unwrap_or_default());
        }
        Ok(Events { bytes: response.bytes_stream().boxed(), pending: Vec::new() })
    }

    /// Asks `model` for a stream and reads it to its proper end.
    ///
    /// # Errors
    /// When it does not end with `[DONE]`.
    pub async fn stream(&self, model: &str) -> Result<Vec<String>> {
        self.open(model).await?.rest().await
    }

    async fn post(&self, body: &Value) -> Result<reqwest::Response> {
        let url = format!("{}/v1/chat/completions", self.base);
        let request = self.http.post(&url).bearer_auth(&self.key).json(body);
        request.send().await.with_context(|| format!("no answer from {url}"))
    }
}

/// The request that most tests send.
#[must_use]
pub fn question(model: &str, stream: bool) -> Value {
    json!({"model": model, "stream": stream, "messages": [{"role": "user", "content": "who are you?"}]})
}

impl Answer {
    /// The first choice's text, or an error that shows the whole answer.
    ///
    /// # Errors
    /// When the status is not 200 or there is no text.
    pub fn content(&self) -> Result<String> {
        ensure!(self.status == 200, "status {}: {}", self.status, self.text);
        let content =
            self.json()?.pointer("/choices/0/message/content").and_then(Value::as_str).map(String::from);
        content.with_context(|| format!("no content in {}", self.text))
    }

    /// `error.code` of an OpenAI error.
    #[must_use]
    pub fn error_code(&self) -> String {
        let code = self.json().ok().and_then(|json| Some(json.pointer("/error/code")?.as_str()?.to_owned()));
        code.unwrap_or_default()
    }

    /// The body, parsed.
    ///
    /// # Errors
    /// When it is not JSON.
    pub fn json(&self) -> Result<Value> {
        serde_json::from_str(&self.text).with_context(|| format!("not JSON: {}", self.text))
    }
}

/// A stream of server-sent events.
pub struct Events {
    bytes: BoxStream<'static, reqwest::Result<bytes::Bytes>>,
    pending: Vec<u8>,
}

impl Events {
    /// What stands after the next `data:`, or `None` at the connection's orderly end.
    ///
    /// # Errors
    /// When the connection breaks.
    pub async fn next(&mut self) -> Result<Option<String>> {
        loop {
            if let Some(end) = self.pending.windows(2).position(|pair| pair == b"\n\n") {
                let frame: Vec<u8> = self.pending.drain(..end + 2).collect();
                let text = String::from_utf8_lossy(&frame).into_owned();
                if let Some(data) = text.lines().find_map(|line| line.strip_prefix("data:")) {
                    return Ok(Some(data.trim().to_owned()));
                }
                continue;
            }
            let Some(chunk) = self.bytes.next().await else { return Ok(None) };
            self.pending.extend_from_slice(&chunk.context("the stream broke off")?);
        }
    }

    /// All that comes, in order, without the last `[DONE]`.
    ///
    /// # Errors
    /// When it does not end with `[DONE]`.
    pub async fn rest(mut self) -> Result<Vec<String>> {
        let mut events = Vec::new();
        while let Some(data) = self.next().await? {
            events.push(data);
        }
        let last = events.pop();
        ensure!(
            last.as_deref() == Some("[DONE]"),
            "the stream ended with {last:?} after {} events",
            events.len()
        );
        Ok(events)
    }
}

/// The text of all chunks together.
///
/// # Errors
/// When a chunk is not JSON.
pub fn text_of(events: &[String]) -> Result<String> {
    let mut text = String::new();
    for event in events {
        let json: Value = serde_json::from_str(event).with_context(|| format!("not JSON: {event}"))?;
        text.push_str(json.pointer("/choices/0/delta/content").and_then(Value::as_str).unwrap_or_default());
    }
    Ok(text)
}
