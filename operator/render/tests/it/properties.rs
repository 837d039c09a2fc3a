//! Whatever people write, in whatever order it arrives: the same bytes, and no harm to the sound.

use proptest::prelude::*;

use crate::support::{GATEWAY, mock, render, served, world};

fn any_spec() -> impl Strategy<Value = String> {
    let name = prop_oneof!["[a-c]", Just(String::new()), Just("a b".to_owned())];
    (name, -2i64..40, proptest::collection::vec("[a-d]", 0..3), any::<bool>()).prop_map(
        |(model, number, aliases, suspend)| {
            format!(
                "modelName: '{model}', priority: {number}, aliases: [{}], suspend: {suspend}",
                aliases.join(", ")
            )
        },
    )
}

proptest! {
    #[test]
    fn order_does_not_matter_and_the_sound_is_served(
        specs in proptest::collection::vec(any_spec(), 0..12),
        seed in any::<prop::sample::Index>(),
    ) {
        let mut manifests = world(GATEWAY);
        for (n, spec) in specs.iter().enumerate() {
            manifests.deployments.extend(world(&mock(&format!("d{n}"), spec)).deployments);
        }
        let sound = world(&mock("sound", "modelName: sound"));
        manifests.deployments.extend(sound.deployments);
        let rendered = render(&manifests);
        prop_assert!(served(&rendered, "sound").is_some());

        let cut = seed.index(manifests.deployments.len());
        manifests.deployments.rotate_left(cut);
        let again = render(&manifests);
        prop_assert_eq!(&again, &rendered);
        for gateway in again.gateways.values() {
            let names: Vec<_> = gateway.config.models.iter()
                .flat_map(|model| model.aliases.iter().chain([&model.name])).collect();
            let unique: std::collections::BTreeSet<_> = names.iter().collect();
            prop_assert_eq!(unique.len(), names.len(), "a public name stands for one model");
        }
    }
}
