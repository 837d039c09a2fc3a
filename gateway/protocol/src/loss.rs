//! What a translation could not carry. Nothing is dropped without one of these.

/// A field that the other language has no place for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loss {
    /// Where it stood in the client's request or the provider's answer: `messages[2].content[0].detail`. No content.
    pub field: String,
    /// How bad it is.
    pub weight: Weight,
    /// What happened to it, in a few words.
    pub note: &'static str,
}

/// How bad a loss is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// The answer means the same: a tuning hint, an id, a spelling.
    Hint,
    /// The answer may mean something else: an image, a tool, a second candidate. Refused by default.
    Meaning,
}

/// Fields of whole requests that the hub does not model and without which the model reads or does something else, or
/// the answer is of another kind: state that one provider keeps, other media, tools in forms that no decoder reads.
const MEANING: [&str; 16] = [
    "audio",
    "background",
    "cachedContent",
    "container",
    "conversation",
    "echo",
    "function_call",
    "functions",
    "mcp_servers",
    "modalities",
    "previous_response_id",
    "prompt",
    "response_format",
    "suffix",
    "thread",
    "tools",
];

impl Weight {
    /// How bad it is to leave out a field of another dialect's request that nobody models.
    #[must_use]
    pub fn of_unmodelled(field: &str) -> Self {
        // `prompt[1]` is of `prompt`.
        let name = field.split('[').next().unwrap_or(field);
        if MEANING.contains(&name) { Self::Meaning } else { Self::Hint }
    }
}

/// What to do about losses. LiteLLM's `drop_params: true` is `Ignore`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnLoss {
    /// Hints are told in a header and the log; what changes meaning is refused.
    #[default]
    Report,
    /// Any loss is refused.
    Reject,
    /// All is sent as far as it can be; losses are still told.
    Ignore,
}

/// The losses of one translation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Losses(Vec<Loss>);

impl Losses {
    /// A tuning hint that is not carried.
    pub fn hint(&mut self, field: impl Into<String>, note: &'static str) {
        self.0.push(Loss { field: field.into(), weight: Weight::Hint, note });
    }

    /// Something that changes meaning is not carried.
    pub fn meaning(&mut self, field: impl Into<String>, note: &'static str) {
        self.0.push(Loss { field: field.into(), weight: Weight::Meaning, note });
    }

    /// The same of a stream, which has no end in sight: each field is told once, and no more than a few.
    pub fn once(&mut self, field: impl Into<String>, note: &'static str) {
        const MOST: usize = 64;
        let field = field.into();
        if self.0.len() < MOST && !self.0.iter().any(|loss| loss.field == field) {
            self.hint(field, note);
        }
    }

    /// All, in the order they were met.
    #[must_use]
    pub fn all(&self) -> &[Loss] {
        &self.0
    }

    /// The first loss that `on_loss` does not accept.
    #[must_use]
    pub fn refused(&self, on_loss: OnLoss) -> Option<&Loss> {
        match on_loss {
            OnLoss::Ignore => None,
            OnLoss::Reject => self.0.first(),
            OnLoss::Report => self.0.iter().find(|loss| loss.weight == Weight::Meaning),
        }
    }
}

/// A body for the other side, and what did not fit in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encoded {
    /// JSON text.
    pub body: String,
    /// What it lacks.
    pub losses: Losses,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_tells_each_loss_once_and_not_without_end() {
        let mut losses = Losses::default();
        for field in ["a", "b", "a"] {
            losses.once(field, "no place");
        }
        assert_eq!(losses.all().iter().map(|loss| loss.field.as_str()).collect::<Vec<_>>(), ["a", "b"]);
        (0..1000).for_each(|at| losses.once(format!("f{at}"), "no place"));
        assert_eq!(losses.all().len(), 64);
    }
}
