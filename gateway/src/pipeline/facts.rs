//! The facts of a request that routes' conditions may name: `config::FACTS` lists them. What is in its content is found
//! out only if a condition asks for it.

use std::sync::OnceLock;

use cel::Value;
use cel::context::VariableResolver;
use protocol::hub::{Body, Format, MediaKind, Request};

use super::{Ask, Caller, Task};
use crate::admission::{self, Forecast};
use crate::snapshot::Needs;

/// Of one request.
pub(super) struct Facts<'f> {
    ask: &'f Ask,
    caller: &'f Caller,
    content: OnceLock<Needs>,
}

impl<'f> Facts<'f> {
    pub(super) fn new(ask: &'f Ask, caller: &'f Caller) -> Self {
        Self { ask, caller, content: OnceLock::new() }
    }

    /// What it asks of a model. Found out once, since all of the body must be read.
    pub(super) fn needs(&self) -> Needs {
        *self.content.get_or_init(|| {
            let text = std::str::from_utf8(self.ask.to_translate()).unwrap_or_default();
            let is_talk = !matches!(self.ask.task, Task::Embed(_));
            let request = is_talk.then(|| self.ask.hub_of(text).ok()).flatten();
            let needs = request.map(|request| of_content(&request)).unwrap_or_default();
            Needs { tokens: Forecast::input_of(self.ask), ..needs }
        })
    }
}

fn of_content(request: &Request) -> Needs {
    let media = request.turns.iter().flat_map(|turn| &turn.parts).filter_map(|part| match &part.body {
        Body::Media(media) => Some(media.kind),
        _ => None,
    });
    let kinds: Vec<_> = media.collect();
    Needs {
        tokens: 0,
        tools: !request.tools.is_empty(),
        images: kinds.contains(&MediaKind::Image),
        audio: kinds.contains(&MediaKind::Audio),
        documents: kinds.contains(&MediaKind::Document),
        json_schema: matches!(request.format, Some(Format::Schema { .. })),
    }
}

impl VariableResolver for Facts<'_> {
    fn resolve(&self, name: &str) -> Option<Value> {
        let (said, key) = (&self.ask.said, self.caller.key());
        let number = |number: u64| Value::Int(i64::try_from(number).unwrap_or(i64::MAX));
        let text = |text: Option<&str>| Value::from(text.unwrap_or_default());
        Some(match name {
            "model" => Value::from(self.ask.model.as_str()),
            "tags" => Value::from(admission::tags(self.caller, said)),
            "tokens" => number(Forecast::input_of(self.ask)),
            "max_tokens" => number(said.most_output.unwrap_or_default()),
            "stream" => Value::Bool(self.ask.stream),
            "tools" => Value::Bool(self.needs().tools),
            "images" => Value::Bool(self.needs().images),
            "json_schema" => Value::Bool(self.needs().json_schema),
            "customer" => text(said.customer.as_deref()),
            "key" => Value::from(self.caller.label()),
            "team" => text(key.and_then(|key| key.team.as_deref())),
            "user" => text(key.and_then(|key| key.user.as_deref())),
            "language" => Value::from(self.ask.dialect.name()),
            _ => return None,
        })
    }
}
