//! Whole configs as people would review them: a rendering of the examples that travel with the CRDs.

use crate::support::{render, world};

const TWO_PROVIDERS: &str = include_str!("two_providers.yaml");

#[test]
fn a_gateway_with_two_providers_renders_to_this() {
    let rendered = render(&world(TWO_PROVIDERS));
    let configs: Vec<_> = rendered.gateways.values().map(|gateway| &gateway.config).collect();
    insta::assert_json_snapshot!(configs);
    assert_eq!(rendered.findings, []);
}

#[test]
fn no_material_is_in_what_goes_to_config_maps() {
    let rendered = render(&world(TWO_PROVIDERS));
    for gateway in rendered.gateways.values() {
        let bundle = config::Bundle::pack(&gateway.config).unwrap();
        let files = bundle.shards.values().chain([&bundle.index]);
        for text in files.map(|bytes| String::from_utf8_lossy(bytes)) {
            assert!(!text.contains("sk-"), "{text}");
        }
        assert_eq!(gateway.credentials.len(), 2, "the master key and OpenAI's");
    }
}
