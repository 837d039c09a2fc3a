//! `GET /internal/config` of a gateway pod. The shape is in `ARCHITECTURE.md`.

use std::net::SocketAddr;
use std::time::Duration;

use serde::Deserialize;

/// How long a pod may wait for the revision before it answers.
const WAIT: Duration = Duration::from_secs(10);

/// The rest of the answer's time.
const GRACE: Duration = Duration::from_secs(3);

/// What a pod says about its config.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Answer {
    /// What serves.
    pub revision: Option<String>,
    /// Why what lies on disk does not.
    pub problem: Option<String>,
    /// The revision that was refused, where it could be read.
    pub rejected: Option<String>,
}

/// A client for pods' admin ports.
///
/// # Errors
/// If the TLS set-up fails; no TLS is used here.
pub(crate) fn client() -> reqwest::Result<reqwest::Client> {
    // Pods are reached directly, whatever proxy leads out of the cluster.
    reqwest::Client::builder()
        .no_proxy()
        .connect_timeout(Duration::from_secs(2))
        .timeout(WAIT + GRACE)
        .build()
}

/// Asks once. With `wait_for` the pod answers when it serves or refuses that revision.
///
/// # Errors
/// Why there is no answer, for people.
pub(super) async fn ask(
    http: &reqwest::Client,
    place: SocketAddr,
    wait_for: Option<&str>,
) -> Result<Answer, String> {
    let wait = wait_for
        .map(|revision| format!("?waitFor={revision}&timeout={}", WAIT.as_secs()))
        .unwrap_or_default();
    let answer = http
        .get(format!("http://{place}/internal/config{wait}"))
        .send()
        .await
        .map_err(|error| why(&error))?;
    if !answer.status().is_success() {
        return Err(format!("the admin port answers {}", answer.status().as_u16()));
    }
    answer.json().await.map_err(|error| why(&error))
}

fn why(error: &reqwest::Error) -> String {
    let what = if error.is_connect() {
        "the admin port cannot be reached"
    } else if error.is_timeout() {
        "the admin port does not answer in time"
    } else if error.is_decode() {
        "the admin port answers with something else than its config"
    } else {
        "the admin port breaks the connection off"
    };
    what.into()
}
