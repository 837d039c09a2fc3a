//! What may be changed in bodies, and what people are told of the rest.

use config::FieldPath;
use render::{Effect, Reason};

use crate::support::{GATEWAY, after, reasons, render, served, world};

fn deployment(parameters: &str) -> String {
    format!(
        "{GATEWAY}
kind: ModelDeployment
metadata: {{name: m, namespace: ai}}
spec:
  gatewayRef: {{name: main, namespace: ai}}
  provider: {{type: custom, baseURL: 'http://server.ai.svc/v1'}}
  parameters: {parameters}
"
    )
}

#[test]
fn drops_are_sorted_and_the_patch_keeps_its_nulls() {
    let rendered = render(&world(&deployment("{drop: [user, n, user], extraBody: {a: {b: null}, c: 1.5}}")));
    let parameters = &served(&rendered, "m").unwrap().parameters;
    assert_eq!(parameters.drop, ["n", "user"].map(|path| FieldPath::parse(path).unwrap()));
    let patch = serde_json::to_string(parameters.extra_body.patch()).unwrap();
    assert_eq!(patch, r#"{"a":{"b":null},"c":1.5}"#);
}

#[test]
fn what_may_not_be_changed_is_told_by_its_name_and_the_version_before_serves() {
    let before = render(&world(&deployment("{drop: [n]}")));
    for (parameters, sign) in [
        ("{extraBody: {stream: true}}", "parameters.extraBody: 'stream' is the gateway's own to set"),
        ("{extraBody: {model: x}}", "'model'"),
        ("{drop: [stream_options.include_usage]}", "parameters.drop: 'stream_options'"),
        ("{drop: ['tools[x].strict']}", "'tools[x].strict' is not the path of a field: write it as"),
        ("{drop: ['stop[0]']}", "'stop[0]'"),
    ] {
        let rendered = render(&after(&before, world(&deployment(parameters))));
        assert_eq!(reasons(&rendered, "m"), [(Reason::InvalidSpec, Effect::LastGoodServes)], "{parameters}");
        let message = &rendered.findings[0].message;
        assert!(message.contains(sign), "{message}");
        assert_eq!(served(&rendered, "m").unwrap().parameters.drop.len(), 1);
    }
}

#[test]
fn what_is_too_much_is_refused() {
    let long = format!("{{extraBody: {{a: '{}'}}}}", "x".repeat(17 << 10));
    let many: Vec<_> = (0..33).map(|n| format!("f{n}")).collect();
    for (parameters, sign) in
        [(long, "16384 bytes"), (format!("{{drop: [{}]}}", many.join(", ")), "32 fields")]
    {
        let rendered = render(&world(&deployment(&parameters)));
        assert_eq!(reasons(&rendered, "m"), [(Reason::InvalidSpec, Effect::NotServed)]);
        assert!(rendered.findings[0].message.contains(sign), "{:?}", rendered.findings);
    }
}

#[test]
fn the_mock_provider_has_no_body_to_change() {
    let yaml = deployment("{drop: [n]}").replace("custom, baseURL: 'http://server.ai.svc/v1'", "mock");
    assert_eq!(reasons(&render(&world(&yaml)), "m"), [(Reason::InvalidSpec, Effect::NotServed)]);
}
