//! Requests to servers that speak OpenAI's chat dialect. The body is the client's; only the model's name
//! is spliced. Nothing of the client's headers goes along: its key is for us.

use protocol::splice;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderValue, USER_AGENT};
use reqwest::{Client, RequestBuilder, Url};

use crate::pipeline::Ask;
use crate::snapshot::Deployment;

/// Appended to the base URL.
const PATH: [&str; 2] = ["chat", "completions"];

const AGENT: &str = concat!("fairlead/", env!("CARGO_PKG_VERSION"));

/// The request for `ask`, not sent yet. `headers` come last, so that a config may replace ours.
pub(super) fn request(
    client: &Client,
    base: &Url,
    headers: &HeaderMap,
    deployment: &Deployment,
    ask: &Ask,
) -> RequestBuilder {
    let accept = if ask.envelope.stream { "text/event-stream" } else { "application/json" };
    let mut all = HeaderMap::new();
    all.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    all.insert(ACCEPT, HeaderValue::from_static(accept));
    all.insert(USER_AGENT, HeaderValue::from_static(AGENT));
    for (name, value) in headers {
        all.insert(name, value.clone());
    }
    let body = splice::with_model(&ask.body, &ask.envelope, &deployment.upstream_model);
    client.post(url(base)).headers(all).body(body)
}

/// `base` with the path appended; a query stays behind it (Azure's `api-version`).
fn url(base: &Url) -> Url {
    let mut url = base.clone();
    if let Ok(mut segments) = url.path_segments_mut() {
        segments.pop_if_empty().extend(PATH);
    }
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_is_appended_and_the_query_stays() {
        let built = |base: &str| url(&Url::parse(base).expect("URL")).to_string();
        assert_eq!(built("https://a.example/v1"), "https://a.example/v1/chat/completions");
        assert_eq!(built("https://a.example"), "https://a.example/chat/completions");
        assert_eq!(built("https://a.example/v1/"), "https://a.example/v1/chat/completions");
        assert_eq!(
            built("https://a.example/o?api-version=1"),
            "https://a.example/o/chat/completions?api-version=1"
        );
    }
}
