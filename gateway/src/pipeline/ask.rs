//! A request that was understood as far as the gateway must. Its body stays bytes; the hub's form of it is made
//! for those who need it, and once.

use std::ops::Range;

use bytes::Bytes;
use catalogue::Dialect;
use protocol::count;
use protocol::dialects::{self, DecodeError, Echo};
use protocol::embeddings::{self, Form};
use protocol::hub::Request;
use protocol::scan::{self, Envelope};
use reqwest::header::{HeaderMap, HeaderName};

use super::{Fault, Intent, Task};

/// Headers that are part of a language: Anthropic's version and betas.
const SPOKEN_HEADERS: [&str; 2] = ["anthropic-version", "anthropic-beta"];

/// What a client asks.
#[derive(Debug)]
pub(crate) struct Ask {
    pub(crate) dialect: Dialect,
    pub(crate) task: Task,
    /// As the client named it.
    pub(crate) model: String,
    pub(crate) stream: bool,
    pub(crate) body: Bytes,
    /// Absent in languages that name the model in the path.
    pub(crate) envelope: Option<Envelope>,
    /// Those of the client that are part of its language.
    pub(crate) headers: HeaderMap,
    /// Where a body names its model once more than the path, in Gemini's requests for vectors.
    pub(crate) name_places: Vec<Range<usize>>,
    hub: Option<Result<Request, DecodeError>>,
    texts: Option<Result<embeddings::Request, DecodeError>>,
}

impl Ask {
    /// Reads what the gateway must know of `body`.
    ///
    /// # Errors
    /// [`Fault::Unreadable`].
    pub(crate) fn scan(intent: Intent, headers: &HeaderMap, body: Bytes) -> Result<Self, Fault> {
        let mut name_places = Vec::new();
        let (model, stream, envelope) = if let Some(named) = intent.named {
            match intent.task {
                Task::Embed(form) => name_places = embeddings::name_places(form, &body, &named.model)?,
                Task::Answer | Task::Count => scan::check_object(&body)?,
            }
            (named.model, named.stream, None)
        } else {
            let envelope = Envelope::scan(&body)?;
            // Vectors are never a stream, whatever else a body may say.
            let stream = envelope.stream && !matches!(intent.task, Task::Embed(_));
            (envelope.model.clone(), stream, Some(envelope))
        };
        Ok(Self {
            dialect: intent.dialect,
            task: intent.task,
            model,
            stream,
            body,
            envelope,
            headers: spoken(intent.dialect, headers),
            name_places,
            hub: None,
            texts: None,
        })
    }

    /// The hub's form. It is the caller's to change: what the client wrote is in the body.
    ///
    /// # Errors
    /// [`Fault::Undecodable`].
    pub(crate) fn hub(&mut self) -> Result<&mut Request, Fault> {
        let (dialect, task, body) = (self.dialect, self.task, &self.body);
        let hub = self.hub.get_or_insert_with(|| decode(dialect, task, body));
        hub.as_mut().map_err(|error| Fault::Undecodable(error.clone()))
    }

    /// The same of a request for vectors, which is written in `form`.
    ///
    /// # Errors
    /// [`Fault::Undecodable`].
    pub(crate) fn texts(&mut self, form: Form) -> Result<&mut embeddings::Request, Fault> {
        let body = &self.body;
        let texts = self.texts.get_or_insert_with(|| embeddings::decode_request(form, text_of(body)));
        texts.as_mut().map_err(|error| Fault::Undecodable(error.clone()))
    }

    /// The same, when nothing else needs it.
    pub(crate) fn take_texts(&mut self, form: Form) -> Option<embeddings::Request> {
        self.texts(form).ok()?;
        self.texts.take()?.ok()
    }

    /// The hub's form of another body than the client's own, made from it for one deployment.
    ///
    /// # Errors
    /// [`Fault::Undecodable`].
    pub(crate) fn hub_of(&self, body: &str) -> Result<Request, Fault> {
        dialects::decode_request(self.dialect, body).map_err(Fault::Undecodable)
    }

    /// What an answer repeats of the request.
    pub(crate) fn echo(&self, id: &str, created: u64) -> Echo {
        // Only OpenAI's streams of chunks let their clients choose; the others always tell.
        let stream_usage = match (self.dialect, &self.envelope) {
            (Dialect::OpenaiChat | Dialect::OpenaiCompletions, Some(envelope)) => envelope.wants_usage,
            _ => true,
        };
        Echo { model: self.model.clone(), id: id.to_owned(), created, stream_usage }
    }
}

fn decode(dialect: Dialect, task: Task, body: &Bytes) -> Result<Request, DecodeError> {
    let text = text_of(body);
    let question = match task {
        Task::Count => count::question(dialect, text),
        Task::Answer | Task::Embed(_) => text,
    };
    dialects::decode_request(dialect, question)
}

/// The scan has refused what is not UTF-8.
fn text_of(body: &Bytes) -> &str {
    std::str::from_utf8(body).unwrap_or_default()
}

fn spoken(dialect: Dialect, headers: &HeaderMap) -> HeaderMap {
    if dialect != Dialect::Anthropic {
        return HeaderMap::new();
    }
    let names = SPOKEN_HEADERS.map(HeaderName::from_static);
    let all = names.iter().flat_map(|name| headers.get_all(name).iter().map(move |value| (name, value)));
    all.fold(HeaderMap::new(), |mut kept, (name, value)| {
        kept.append(name, value.clone());
        kept
    })
}
