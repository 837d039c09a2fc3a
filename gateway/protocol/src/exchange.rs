//! One call between a client and a provider: which language each speaks, and what that makes of the answer.

use bytes::Bytes;
use catalogue::Dialect;

use crate::answer::{self, Answer};
use crate::dialects::{self, Echo};
use crate::fault::Reading;
use crate::loss::Losses;
use crate::passage::{Passage, UsageFrame};
use crate::response::Stamp;
use crate::usage::Usage;

/// Who speaks what.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// The client's language.
    pub client: Dialect,
    /// The provider's.
    pub provider: Dialect,
    /// What the answer repeats of the request.
    pub echo: Echo,
    /// What becomes of the extra frame of a relayed stream of chunks.
    pub usage_frame: UsageFrame,
    /// What is written into an answer in OpenAI's responses.
    pub stamp: Option<Stamp>,
}

/// What a buffered `200` answer is.
#[derive(Debug)]
pub enum Judged {
    /// An answer, in the client's language.
    Answer {
        /// JSON.
        body: Bytes,
        /// If it said.
        usage: Option<Usage>,
        /// What the translation could not carry.
        losses: Losses,
    },
    /// An error: some providers say 200 and mean it not.
    Refusal(Reading),
    /// Nothing that could be read.
    Garbage,
}

impl Exchange {
    /// Whether both sides speak the same language.
    #[must_use]
    pub fn is_relay(&self) -> bool {
        self.client == self.provider
    }

    /// Judges the body of a buffered answer and puts it into the client's language.
    #[must_use]
    pub fn judge(&self, body: Bytes) -> Judged {
        match self.judged(body) {
            Judged::Answer { body, usage, losses } => {
                Judged::Answer { body: self.stamped(body), usage, losses }
            }
            other => other,
        }
    }

    /// A whole answer in the client's language, with its stamp if it gets one.
    #[must_use]
    pub fn stamped(&self, body: Bytes) -> Bytes {
        match &self.stamp {
            Some(stamp) => stamp.object(&body),
            None => body,
        }
    }

    fn judged(&self, body: Bytes) -> Judged {
        match answer::check(self.provider, &body) {
            Answer::Garbage => Judged::Garbage,
            Answer::Refusal(reading) => Judged::Refusal(reading),
            Answer::Sound { usage } if self.is_relay() => {
                Judged::Answer { body, usage, losses: Losses::default() }
            }
            Answer::Sound { .. } => self.translated(&body),
        }
    }

    /// The way of a stream.
    #[must_use]
    pub fn passage(&self) -> Passage {
        let passage = if self.is_relay() {
            Passage::relay(self.client, self.echo.clone(), self.usage_frame)
        } else {
            Passage::translation(self.provider, self.client, self.echo.clone())
        };
        match &self.stamp {
            Some(stamp) => passage.stamped(stamp.clone()),
            None => passage,
        }
    }

    fn translated(&self, body: &[u8]) -> Judged {
        let text = std::str::from_utf8(body).unwrap_or_default();
        let Ok(answer) = dialects::decode_answer(self.provider, text) else { return Judged::Garbage };
        let encoded = dialects::encode_answer(self.client, &answer, &self.echo);
        Judged::Answer { body: encoded.body.into(), usage: answer.usage, losses: encoded.losses }
    }
}
