//! What a gateway's egress may say.

use crds::ConditionType;
use render::Reason;

use crate::support::{after, render, world};

fn told(egress: &str) -> Vec<(ConditionType, Reason, String)> {
    let findings = render(&world(&gateway(egress))).findings;
    findings.into_iter().map(|finding| (finding.condition, finding.reason, finding.message)).collect()
}

#[test]
fn what_cannot_be_is_told_by_its_field_and_never_shown() {
    for (egress, why) in [
        ("{proxy: 'ftp://proxy.example'}", "egress.proxy is not an http"),
        ("{proxy: 'http://ann:s3cret@proxy.example'}", "egress.proxy is not an http"),
        ("{proxy: 'http://proxy.example/path'}", "egress.proxy is not an http"),
        ("{caCertificates: [nothing]}", "egress.caCertificates[0] has no certificate in PEM"),
        (
            "{caCertificates: ['-----BEGIN CERTIFICATE----- -----BEGIN PRIVATE KEY-----']}",
            "has a private key",
        ),
    ] {
        let told = told(egress);
        let (condition, reason, message) = told.first().unwrap_or_else(|| panic!("{egress} is taken"));
        assert_eq!((*condition, *reason), (ConditionType::Accepted, Reason::InvalidSpec), "{egress}");
        assert!(message.contains(why) && !message.contains("s3cret"), "{egress}: {message}");
    }
    assert!(told("{proxy: 'http://proxy.example:3128/', noProxy: ['*']}").is_empty());
}

fn gateway(egress: &str) -> String {
    format!(
        "apiVersion: fairlead.dev/v1alpha1\nkind: ModelGateway\nmetadata: {{name: main, namespace: ai}}\nspec: {{egress: {egress}}}\n"
    )
}

fn deployment(url: &str) -> String {
    format!(
        "---\napiVersion: fairlead.dev/v1alpha1\nkind: ModelDeployment\nmetadata: {{name: d, namespace: ai, uid: u}}\nspec: {{gatewayRef: {{name: main}}, provider: {{type: custom, baseURL: '{url}'}}}}\n"
    )
}

/// Whoever writes such an address harms nobody else.
#[test]
fn a_local_address_is_refused_by_itself_in_any_spelling() {
    for url in ["http://2130706433/v1", "http://[::ffff:169.254.169.254]/v1", "http://localhost:11434/v1"] {
        let rendered = render(&world(&[gateway("{}"), deployment(url)].concat()));
        let finding = rendered.findings.first().unwrap_or_else(|| panic!("{url} is taken"));
        assert_eq!((finding.reason, finding.condition), (Reason::InvalidSpec, ConditionType::Accepted));
        assert!(finding.message.contains("egress.localAddresses"), "{}", finding.message);
        let allowed = gateway("{localAddresses: Allowed}");
        assert!(render(&world(&[allowed, deployment(url)].concat())).findings.is_empty(), "{url}");
    }
}

#[test]
fn what_was_allowed_before_is_not_served_once_it_is_refused() {
    let local = deployment("http://127.0.0.1:11434/v1");
    let allowed = render(&world(&[gateway("{localAddresses: Allowed}"), local.clone()].concat()));
    let refused = render(&after(&allowed, world(&[gateway("{}"), local].concat())));
    let models = refused.gateways.values().map(|gateway| gateway.config.models.len()).sum::<usize>();
    assert_eq!((models, refused.findings.len()), (0, 1), "{:?}", refused.findings);
}
