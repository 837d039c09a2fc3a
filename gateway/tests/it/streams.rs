//! Streams: forwarded as they come, and never made to look whole when they are not.

use futures::StreamExt;
use serde_json::json;

use crate::harness::{Gateway, logged, mock, model};
use crate::upstream::{Exchange, Upstream};

const ASK: &str = r#"{"model":"fast","stream":true,"messages":[]}"#;
const FIRST: &str =
    "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"é漢\"},\"finish_reason\":null}]}\n\n";
const LAST: &str = "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":4,\"completion_tokens\":2}}\r\n\r\n: bye\n\ndata: [DONE]\n\n";

async fn started(timeout_ms: Option<u64>) -> (Gateway, Upstream) {
    let upstream = Upstream::start().await;
    let mut fast = model("fast", &[&upstream.url()]);
    if let Some(ms) = timeout_ms {
        fast.deployments[0].timeouts.stream_idle_ms = ms;
        fast.deployments[0].timeouts.first_byte_ms = 15_000;
    }
    (Gateway::start(vec![fast]).await, upstream)
}

/// The client's view of a stream that `script` plays.
async fn played(
    timeout_ms: Option<u64>,
    script: impl AsyncFnOnce(&mut Exchange),
) -> (String, serde_json::Value) {
    let (gateway, upstream) = started(timeout_ms).await;
    let answer = async {
        let answer = gateway.chat(ASK).send().await.expect("an answer");
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        let id = answer.headers()["x-fairlead-request-id"].to_str().expect("text").to_owned();
        (answer.text().await.expect("a clean end of the response"), id)
    };
    let play = async {
        let mut exchange = upstream.next().await;
        assert!(exchange.head.contains("accept: text/event-stream"));
        script(&mut exchange).await;
        // Held open where the script asks for silence.
        if timeout_ms.is_some() {
            exchange.closed().await;
        }
    };
    let ((text, id), ()) = tokio::join!(answer, play);
    (text, logged(&id).await)
}

#[tokio::test]
async fn chunks_of_any_size_come_out_as_the_same_bytes() {
    let whole = format!("{FIRST}{LAST}");
    for size in [1, 3, 50, 10_000] {
        let (text, line) = played(None, async |exchange| {
            exchange.begin_chunked().await;
            for chunk in whole.as_bytes().chunks(size) {
                exchange.chunk(chunk).await;
            }
            exchange.chunk(b"").await;
        })
        .await;
        assert_eq!(text, whole, "chunks of {size}");
        assert_eq!((line["outcome"].as_str(), line["output_tokens"].as_u64()), (Some("answered"), Some(2)));
    }
}

#[tokio::test]
async fn a_frame_goes_out_before_the_next_one_comes() {
    let (gateway, upstream) = started(None).await;
    let (answer, mut exchange) = tokio::join!(gateway.chat(ASK).send(), async {
        let mut exchange = upstream.next().await;
        exchange.begin_stream().await;
        exchange.send(FIRST.as_bytes()).await;
        exchange
    });
    let mut body = answer.expect("an answer").bytes_stream();
    assert_eq!(body.next().await.expect("a frame").expect("bytes"), FIRST);
    exchange.send(LAST.as_bytes()).await;
    drop(exchange);
    let rest: Vec<_> = body.map(|chunk| chunk.expect("bytes")).collect().await;
    assert_eq!(rest.concat(), LAST.as_bytes());
}

fn assert_cut(text: &str, line: &serde_json::Value, code: &str) {
    let rest = text.strip_prefix(FIRST).unwrap_or_else(|| panic!("no first frame: {text}"));
    let event = rest.strip_prefix("data: ").and_then(|rest| rest.strip_suffix("\n\n")).expect("one event");
    let event: serde_json::Value = serde_json::from_str(event).expect("JSON");
    assert_eq!(
        (event["error"]["code"].as_str(), event["error"]["type"].as_str()),
        (Some(code), Some("upstream_error"))
    );
    assert!(!text.contains("[DONE]"));
    assert_eq!(line["outcome"], "stream_cut");
}

#[tokio::test]
async fn a_stream_that_ends_early_ends_with_an_error() {
    let (text, line) = played(None, async |exchange| {
        exchange.begin_stream().await;
        exchange.send(format!("{FIRST}data: {{\"choi").as_bytes()).await;
    })
    .await;
    assert_cut(&text, &line, "upstream_stream_cut");
}

#[tokio::test]
async fn a_stream_whose_connection_breaks_ends_with_an_error() {
    let (text, line) = played(None, async |exchange| {
        exchange.begin_chunked().await;
        exchange.chunk(FIRST.as_bytes()).await;
    })
    .await;
    assert_cut(&text, &line, "upstream_stream_cut");
}

#[tokio::test]
async fn a_stream_that_falls_silent_ends_with_an_error() {
    let (text, line) = played(Some(50), async |exchange| {
        exchange.begin_stream().await;
        exchange.send(FIRST.as_bytes()).await;
    })
    .await;
    assert_cut(&text, &line, "upstream_timeout");
}

#[tokio::test]
async fn an_error_inside_a_stream_is_passed_on_and_told_once() {
    let error = "data: {\"error\":{\"message\":\"overloaded\",\"code\":503}}\n\n";
    let (text, line) = played(None, async |exchange| {
        exchange.begin_stream().await;
        exchange.send(format!("{FIRST}{error}").as_bytes()).await;
    })
    .await;
    assert_eq!(text, format!("{FIRST}{error}"));
    assert_eq!((line["outcome"].as_str(), line["fault"].as_str()), (Some("stream_cut"), Some("failed")));
}

#[tokio::test]
async fn an_error_where_clients_do_not_look_is_told_again_where_they_do() {
    let (text, line) = played(None, async |exchange| {
        exchange.begin_stream().await;
        exchange
            .send(format!("{FIRST}error: {{\"error\":{{\"message\":\"no memory\"}}}}\n\n").as_bytes())
            .await;
    })
    .await;
    assert!(text.contains("data: {\"error\"") && text.contains("upstream_stream_cut"), "{text}");
    assert_eq!(line["outcome"], "stream_cut");
}

#[tokio::test]
async fn what_is_no_stream_is_an_error_with_a_status() {
    for (body, status, code) in [
        ("<html>\n\nhello</html>", 502, json!("upstream_invalid_response")),
        ("", 502, json!("upstream_invalid_response")),
        ("{\"error\":{\"message\":\"slow down\",\"code\":429}}", 429, json!(429)),
        ("data: {\"error\":{\"message\":\"slow down\",\"code\":429}}\n\n", 429, json!(429)),
    ] {
        let (gateway, upstream) = started(None).await;
        let (answer, _) = tokio::join!(gateway.chat(ASK).send(), upstream.answer("200 OK", "", body));
        let answer = answer.expect("an answer");
        assert_eq!(answer.status(), status, "{body}");
        let error: serde_json::Value = answer.json().await.expect("JSON");
        let found = &error["error"]["code"];
        assert_eq!(found, &code, "{body}: {error}");
    }
}

#[tokio::test]
async fn the_mock_streams_and_tells_usage_if_asked() {
    let gateway = Gateway::start(vec![mock("m")]).await;
    let with = r#"{"model":"m","stream":true,"stream_options":{"include_usage":true},"messages":[]}"#;
    let text = gateway.chat(with).send().await.expect("an answer").text().await.expect("a stream");
    assert!(text.ends_with("data: [DONE]\n\n") && text.contains("\"usage\":{"), "{text}");
    let without = r#"{"model":"m","stream":true,"messages":[]}"#;
    let text = gateway.chat(without).send().await.expect("an answer").text().await.expect("a stream");
    assert!(text.ends_with("data: [DONE]\n\n") && !text.contains("usage"), "{text}");
}
