//! Whether a request goes on in the client's own language or in another.

use catalogue::Dialect;

/// The wire languages of one upstream, the preferred one first. Never none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spoken {
    first: Dialect,
    others: Vec<Dialect>,
}

/// How a request goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plan {
    /// As bytes: both sides speak the client's language.
    Relay,
    /// Through the hub.
    Translate {
        /// The upstream's language.
        to: Dialect,
    },
}

impl Spoken {
    /// Takes a list in order of preference. `None` if it is empty.
    #[must_use]
    pub fn new(dialects: &[Dialect]) -> Option<Self> {
        let (first, others) = dialects.split_first()?;
        Some(Self { first: *first, others: others.to_vec() })
    }

    /// A relay wherever that can be, since it loses nothing; else a translation to the preferred language.
    #[must_use]
    pub fn plan(&self, client: Dialect) -> Plan {
        if self.first == client || self.others.contains(&client) {
            Plan::Relay
        } else {
            Plan::Translate { to: self.first }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Dialect::{Anthropic, Gemini, OpenaiChat, OpenaiResponses};

    #[test]
    fn the_clients_language_is_spoken_wherever_it_can_be() {
        let both = Spoken::new(&[OpenaiResponses, OpenaiChat]).expect("two");
        assert_eq!(both.plan(OpenaiChat), Plan::Relay);
        assert_eq!(both.plan(OpenaiResponses), Plan::Relay);
        assert_eq!(both.plan(Anthropic), Plan::Translate { to: OpenaiResponses });
        assert_eq!(
            Spoken::new(&[Gemini]).map(|one| one.plan(Anthropic)),
            Some(Plan::Translate { to: Gemini })
        );
        assert_eq!(Spoken::new(&[]), None);
    }
}
