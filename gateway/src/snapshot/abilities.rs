//! What a deployment's model takes, as far as the catalogue knows. It may know too little, so it is only asked whom to prefer.

use catalogue::prices::{Capability, Listing};

/// Of one model. What is not known is taken for granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Abilities {
    /// The longest prompt, in tokens.
    most_input: u64,
    tools: bool,
    images: bool,
    audio: bool,
    documents: bool,
    json_schema: bool,
}

/// What a request asks of a model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Needs {
    /// About how many tokens its input has.
    pub(crate) tokens: u64,
    pub(crate) tools: bool,
    pub(crate) images: bool,
    pub(crate) audio: bool,
    pub(crate) documents: bool,
    pub(crate) json_schema: bool,
}

impl Default for Abilities {
    fn default() -> Self {
        let (tools, images, audio, documents, json_schema) = (true, true, true, true, true);
        Self { most_input: u64::MAX, tools, images, audio, documents, json_schema }
    }
}

impl Abilities {
    pub(super) fn of(listing: Option<&Listing>) -> Self {
        let Some(listing) = listing else { return Self::default() };
        Self {
            most_input: listing.most_input.unwrap_or(u64::MAX),
            tools: listing.can(Capability::Tools),
            images: listing.can(Capability::Vision),
            audio: listing.can(Capability::AudioInput),
            documents: listing.can(Capability::Pdf),
            json_schema: listing.can(Capability::Schema),
        }
    }

    /// Whether a request that needs this can be answered.
    pub(crate) fn meet(&self, needs: &Needs) -> bool {
        needs.tokens <= self.most_input
            && (self.tools || !needs.tools)
            && (self.images || !needs.images)
            && (self.audio || !needs.audio)
            && (self.documents || !needs.documents)
            && (self.json_schema || !needs.json_schema)
    }
}

#[cfg(test)]
mod tests {
    use catalogue::prices;

    use super::*;

    #[test]
    fn what_the_catalogue_knows_counts_and_all_else_is_taken_for_granted() {
        let of = |name| Abilities::of(prices::listing(name).as_ref());
        let (old, new) = (of("gpt-3.5-turbo"), of("gpt-4o"));
        let images = Needs { images: true, ..Needs::default() };
        assert!(!old.meet(&images) && new.meet(&images));
        let long = Needs { tokens: 100_000, ..Needs::default() };
        assert!(!old.meet(&long) && new.meet(&long));
        let unknown = of("a model of my own");
        assert!(unknown.meet(&images) && unknown.meet(&Needs { tokens: u64::MAX, ..Needs::default() }));
    }
}
