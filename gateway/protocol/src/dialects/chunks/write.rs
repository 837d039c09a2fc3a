//! What a client's chunks say of the whole answer, written.

use catalogue::Dialect;

use crate::dialects::{Echo, chat};
use crate::fault::Reading;
use crate::hub::Extras;
use crate::json::{RawJson, Writer};
use crate::usage::Usage;

/// How one language names its chunks.
#[derive(Clone, Copy, Debug)]
pub(in crate::dialects) struct Kind {
    pub(in crate::dialects) dialect: Dialect,
    /// What `object` says.
    pub(in crate::dialects) object: &'static str,
    /// Made ids begin so.
    pub(in crate::dialects) prefix: &'static str,
}

/// Writes the frames of one stream.
#[derive(Debug)]
pub(in crate::dialects) struct Teller {
    pub(in crate::dialects) echo: Echo,
    kind: Kind,
    id: String,
    created: u64,
    /// The provider spoke this dialect too, so its words are the client's.
    pub(in crate::dialects) is_home: bool,
    /// Fields of the whole answer that the next chunk tells.
    news: Vec<(String, RawJson)>,
    usage: Option<Usage>,
    usage_as_told: Option<RawJson>,
    is_over: bool,
}

impl Kind {
    /// The provider's id, or one as OpenAI makes them.
    pub(in crate::dialects) fn id(&self, given: &str, echo: &Echo) -> String {
        if given.is_empty() { format!("{}-{}", self.prefix, echo.id) } else { given.to_owned() }
    }
}

impl Teller {
    /// A writer for one stream.
    pub(in crate::dialects) fn new(kind: Kind, echo: Echo) -> Self {
        Self {
            id: kind.id("", &echo),
            created: echo.created,
            echo,
            kind,
            is_home: false,
            news: Vec::new(),
            usage: None,
            usage_as_told: None,
            is_over: false,
        }
    }

    /// Whether nothing is to be written any more.
    pub(in crate::dialects) fn is_over(&self) -> bool {
        self.is_over
    }

    /// The answer begins.
    pub(in crate::dialects) fn start(&mut self, given: &str, created: Option<u64>, extras: &Extras) {
        self.id = self.kind.id(given, &self.echo);
        self.created = created.unwrap_or(self.created);
        self.is_home = extras.dialect == Some(self.kind.dialect);
        self.learn(extras);
    }

    /// Keeps the fields that are this dialect's; the usage comes last.
    pub(in crate::dialects) fn learn(&mut self, extras: &Extras) {
        for (name, raw) in extras.of(self.kind.dialect) {
            if name == "usage" {
                self.usage_as_told = Some(raw.clone());
            } else {
                self.news.retain(|(known, _)| known != name);
                self.news.push((name.clone(), raw.clone()));
            }
        }
    }

    /// Keeps the usage for the end.
    pub(in crate::dialects) fn used(&mut self, usage: Usage) {
        self.usage = Some(usage);
    }

    /// A chunk with one choice, which `fill` writes.
    pub(in crate::dialects) fn choice(&mut self, out: &mut String, fill: impl FnOnce(&mut Writer<'_>)) {
        self.frame(out, |object| {
            object.field("choices", |out| {
                let mut list = Writer::list(out);
                list.element(|out| {
                    let mut choice = Writer::object(out);
                    fill(&mut choice);
                    choice.end();
                });
                list.end();
            });
        });
    }

    /// The last frames, unless the stream is over.
    pub(in crate::dialects) fn end(&mut self, out: &mut String) {
        if std::mem::replace(&mut self.is_over, true) {
            return;
        }
        if self.echo.stream_usage && (self.usage.is_some() || self.usage_as_told.is_some()) {
            self.tell_usage(out);
        }
        out.push_str("data: [DONE]\n\n");
    }

    /// The provider failed: nothing comes after it.
    pub(in crate::dialects) fn fail(&mut self, reading: &Reading, out: &mut String) {
        self.is_over = true;
        let message = reading.message.as_deref().unwrap_or("the provider failed in the middle of the answer");
        out.push_str(&format!("data: {}\n\n", chat::encode_fault(reading.class, message)));
    }

    fn tell_usage(&mut self, out: &mut String) {
        let (told, usage) = (self.usage_as_told.take(), self.usage.unwrap_or_default());
        self.frame(out, |object| {
            object.raw("choices", "[]");
            match told {
                Some(told) => object.raw("usage", told.get()),
                None => object.field("usage", |out| chat::write_usage(out, &usage)),
            };
        });
    }

    fn frame(&mut self, out: &mut String, fill: impl FnOnce(&mut Writer<'_>)) {
        out.push_str("data: ");
        let mut object = Writer::object(out);
        object.string("id", &self.id).string("object", self.kind.object);
        object.number("created", self.created).string("model", &self.echo.model);
        fill(&mut object);
        object.all(&std::mem::take(&mut self.news));
        object.end();
        out.push_str("\n\n");
    }
}
