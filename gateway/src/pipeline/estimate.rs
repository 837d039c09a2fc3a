//! Usage is always known in the end: where no provider tells it, it is estimated here, and marked as an estimate.

use std::sync::Arc;

use protocol::usage::Usage;
use protocol::{count, dialects};

use super::{Ask, Gateway, Question, Reply, ReplyBody, Task, embed};
use crate::snapshot::Deployment;

/// Bodies up to here are not read for it.
const SHORT: usize = 32 << 10;

/// English text has about this many bytes in a token.
const BYTES_PER_TOKEN: u64 = 4;

impl Question {
    /// About how many tokens it has: a guess for those of whom nothing was heard.
    pub(crate) fn tokens(&self) -> u64 {
        let by_bytes = self.body.len() as u64 / BYTES_PER_TOKEN;
        let by_text = self.is_long().then(|| self.by_length()).flatten();
        by_text.map_or(by_bytes, |tokens| tokens.min(by_bytes))
    }

    /// Whether its bytes say little of it: pictures are long and have few tokens.
    pub(crate) fn is_long(&self) -> bool {
        self.body.len() > SHORT
    }

    /// See [`count::by_length`].
    pub(crate) fn by_length(&self) -> Option<u64> {
        *self.length.get_or_init(|| count::by_length(self.dialect, &self.body))
    }
}

/// The `reply` of `deployment` with its usage, or, of a stream, with what it takes to estimate that at its end.
pub(super) async fn complete(
    gateway: &Gateway,
    ask: &mut Ask,
    deployment: &Deployment,
    mut reply: Reply,
) -> Reply {
    match (ask.task, &reply.body) {
        (Task::Embed(form), _) => embed::estimated(gateway, ask, form, deployment, reply).await,
        (_, ReplyBody::Stream { .. }) => {
            reply.question = Some(Arc::clone(&ask.question));
            reply
        }
        (Task::Answer, ReplyBody::Whole { usage: None, .. }) => whole(gateway, ask, reply).await,
        _ => reply,
    }
}

/// The body stays as it is; the record and the cost get the estimate.
async fn whole(gateway: &Gateway, ask: &mut Ask, mut reply: Reply) -> Reply {
    let ReplyBody::Whole { body, usage } = &mut reply.body else { return reply };
    let text = std::str::from_utf8(body).unwrap_or_default();
    // A provider may well take and say what cannot be understood here.
    let Ok(answer) = dialects::decode_answer(ask.dialect, text) else { return reply };
    let Ok(request) = ask.hub() else { return reply };
    let fresh_input = gateway.tokenizer.count(Arc::new(std::mem::take(request))).await;
    let output = gateway.tokenizer.count(Arc::new(answer)).await;
    *usage = Some(Usage { fresh_input, output, ..Usage::default() });
    reply.is_estimate = true;
    reply
}

#[cfg(test)]
mod tests {
    use catalogue::Dialect;

    use super::*;

    fn question(text: &str) -> Question {
        let body = format!(r#"{{"model":"m","messages":[{{"role":"user","content":"{text}"}}]}}"#);
        Question::new(Dialect::OpenaiChat, body.into())
    }

    #[test]
    fn a_short_question_is_not_read_and_a_long_one_once() {
        let short = question("hi");
        assert_eq!((short.tokens(), short.length.get()), (short.body.len() as u64 / 4, None));
        let long = question(&"word".repeat(SHORT / 4));
        let tokens = long.tokens();
        assert!((8_192..8_220).contains(&tokens), "{tokens}");
        assert_eq!(long.length.get(), Some(&Some(tokens)), "for the next who asks");
        let other = Question { length: Some(7).into(), ..question(&"word".repeat(SHORT / 4)) };
        assert_eq!((other.tokens(), other.by_length()), (7, Some(7)), "what was read before");
    }
}
