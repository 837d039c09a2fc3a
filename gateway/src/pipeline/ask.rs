//! A request that was understood as far as the gateway must. Its body stays bytes; the hub's form of it is made
//! for those who need it, and once.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use catalogue::Dialect;
use protocol::amend::{Amendment, Step};
use protocol::count;
use protocol::dialects::{self, DecodeError, Echo};
use protocol::embeddings::{self, Form};
use protocol::hub::Request;
use protocol::response::{Thoughts, continued, joined, resent, without_ids};
use protocol::scan::{self, Envelope, Remarks};
use reqwest::header::{HeaderMap, HeaderName};

use super::{Fault, Intent, Question, Said, Task};
use crate::snapshot::Deployment;

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
    /// The body, for those who guess how long it is.
    pub(crate) question: Arc<Question>,
    /// Absent in languages that name the model in the path.
    pub(crate) envelope: Option<Envelope>,
    /// Those of the client that are part of its language.
    pub(crate) headers: HeaderMap,
    /// What it says of itself, for limits and accounts.
    pub(crate) said: Said,
    /// Where a body names its model once more than the path, in Gemini's requests for vectors.
    pub(crate) name_places: Vec<Range<usize>>,
    /// What only OpenAI's responses have.
    pub(crate) keeping: Keeping,
    hub: Option<Result<Request, DecodeError>>,
    texts: Option<Result<embeddings::Request, DecodeError>>,
}

/// What a request in OpenAI's responses says of what is kept.
#[derive(Debug, Default)]
pub(crate) struct Keeping {
    /// `store`, if it is there.
    pub(crate) store: Option<bool>,
    /// Whether it shall be answered in the background.
    pub(crate) background: bool,
    /// What a provider calls the earlier response that the client named.
    pub(crate) previous_there: Option<String>,
    /// The body for providers that keep responses themselves, where it is another: they must not see ids of items that
    /// they never kept.
    for_keepers: Option<(Bytes, Envelope)>,
    /// The body to translate, where it is another: what the gateway added must not be told as lost.
    to_translate: Option<Bytes>,
}

impl Ask {
    /// Reads what the gateway must know of `body`.
    ///
    /// # Errors
    /// [`Fault::Unreadable`].
    pub(crate) fn scan(intent: Intent, headers: &HeaderMap, body: Bytes) -> Result<Self, Fault> {
        let (mut name_places, mut remarks) = (Vec::new(), Remarks::default());
        let (model, stream, envelope) = if let Some(named) = &intent.named {
            match intent.task {
                Task::Embed(form) => name_places = embeddings::name_places(form, &body, &named.model)?,
                Task::Answer | Task::Count => remarks = scan::scan_object(&body)?,
            }
            (named.model.clone(), named.stream, None)
        } else {
            let mut envelope = Envelope::scan(&body)?;
            remarks = std::mem::take(&mut envelope.remarks);
            // Vectors are never a stream, whatever else a body may say.
            let stream = envelope.stream && !matches!(intent.task, Task::Embed(_));
            (envelope.model.clone(), stream, Some(envelope))
        };
        if remarks.has_gateway_fields() {
            // Rare, so the body is read once more.
            let said = Said::read(headers, &body, &remarks);
            let ask = Self::scan(intent, headers, without_gateway_fields(body))?;
            return Ok(Self { said, ..ask });
        }
        let mut keeping = Keeping::default();
        if let (Dialect::OpenaiResponses, Some(envelope)) = (intent.dialect, &envelope) {
            keeping.store = envelope.store(&body)?;
            keeping.background = envelope.background(&body)?.unwrap_or(false);
        }
        Ok(Self {
            dialect: intent.dialect,
            task: intent.task,
            model,
            stream,
            envelope,
            headers: spoken(intent.dialect, headers),
            said: Said::read(headers, &body, &remarks),
            question: Arc::new(Question::new(intent.dialect, body.clone())),
            body,
            name_places,
            keeping,
            hub: None,
            texts: None,
        })
    }

    /// The earlier response that it goes on from, as the client named it.
    ///
    /// # Errors
    /// [`Fault::Unreadable`].
    pub(crate) fn previous(&self) -> Result<Option<String>, Fault> {
        match (self.dialect, &self.envelope) {
            (Dialect::OpenaiResponses, Some(envelope)) => Ok(envelope.previous(&self.body)?),
            _ => Ok(None),
        }
    }

    /// Whether somebody is to keep the answer. OpenAI's default is yes.
    pub(crate) fn wants_kept(&self) -> bool {
        self.dialect == Dialect::OpenaiResponses && self.keeping.store != Some(false)
    }

    /// Whether `deployment`, should it answer, keeps its answer itself.
    pub(crate) fn is_kept_by(&self, deployment: &Deployment) -> bool {
        self.dialect == Dialect::OpenaiResponses && deployment.keeps_responses()
    }

    /// How much the input is.
    pub(crate) fn input_bytes(&self) -> usize {
        let input = self.envelope.as_ref().and_then(|envelope| envelope.places.input.as_ref());
        input.map_or(0, ExactSizeIterator::len)
    }

    /// It goes on from what a provider keeps as `id`.
    pub(crate) fn goes_on_as(&mut self, id: String) {
        self.keeping.previous_there = Some(id);
    }

    /// It goes on from the items of `past`: they are put before those of `asked`.
    ///
    /// # Errors
    /// None that `asked` does not bring.
    pub(crate) fn goes_on_with(&mut self, past: &str, asked: &str) -> Result<(), Fault> {
        let Some(envelope) = &self.envelope else { return Ok(()) };
        let with = |past: &str| continued(&self.body, envelope, &joined(&[past, asked]));
        // Also where the model has no keepers: another that it falls back to may.
        let for_keepers = with(&without_ids(past, Thoughts::LeftOut));
        self.keeping.for_keepers = Some((for_keepers.clone(), Envelope::scan(&for_keepers)?));
        self.keeping.to_translate = Some(with(&without_ids(past, Thoughts::Kept)));
        let body = with(&resent(past));
        self.question = Arc::new(Question::new(self.dialect, body.clone()));
        (self.envelope, self.body, self.hub) = (Some(Envelope::scan(&body)?), body, None);
        Ok(())
    }

    /// The body, and where what stands in it, for a provider that keeps responses itself or does not.
    pub(crate) fn text(&self, keeps_responses: bool) -> (&Bytes, Option<&Envelope>) {
        match &self.keeping.for_keepers {
            Some((body, envelope)) if keeps_responses => (body, Some(envelope)),
            _ => (&self.body, self.envelope.as_ref()),
        }
    }

    /// The body, as it is to be read where it must be translated.
    pub(crate) fn to_translate(&self) -> &Bytes {
        self.keeping.to_translate.as_ref().unwrap_or(&self.body)
    }

    /// The hub's form. It is the caller's to change: what the client wrote is in the body.
    ///
    /// # Errors
    /// [`Fault::Undecodable`].
    pub(crate) fn hub(&mut self) -> Result<&mut Request, Fault> {
        let body = self.keeping.to_translate.as_ref().unwrap_or(&self.body);
        let (dialect, task) = (self.dialect, self.task);
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

/// What is for the gateway alone goes to no provider.
fn without_gateway_fields(body: Bytes) -> Bytes {
    let fields = scan::GATEWAY_FIELDS.map(|name| vec![Step::Name(name.to_owned())]);
    let amendment = Amendment::new(fields.into(), &serde_json::Map::new());
    let left = amendment.and_then(|amendment| amendment.without_dropped(&body));
    left.map_or(body, Bytes::from)
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
