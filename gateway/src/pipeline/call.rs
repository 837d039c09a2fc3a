//! The types that the stages of the pipeline pass along.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, UNIX_EPOCH};

use axum::body::Body;
use axum::http::Uri;
use bytes::Bytes;
use catalogue::Dialect;
use futures::stream::BoxStream;
use protocol::dialects::DecodeError;
use protocol::embeddings::Form;
use protocol::fault::FaultClass;
use protocol::loss::Loss;
use protocol::passage::Passage;
use protocol::scan::ScanError;
use protocol::usage::Usage;
use reqwest::header::HeaderMap;

use super::OverLimit;
use super::kept::Keep;
use crate::snapshot::{Deployment, Shut, Whose};

/// A request as it came in: nothing is read yet.
pub(crate) struct Call {
    pub(crate) headers: HeaderMap,
    pub(crate) uri: Uri,
    pub(crate) body: Body,
    pub(crate) intent: Intent,
}

/// What the path of a request says.
#[derive(Clone, Debug)]
pub(crate) struct Intent {
    /// The client's language.
    pub(crate) dialect: Dialect,
    pub(crate) task: Task,
    /// In languages that name the model in the path.
    pub(crate) named: Option<Named>,
}

/// What to do with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Task {
    /// Have it answered.
    Answer,
    /// Tell how many tokens it has.
    Count,
    /// Have its texts made into vectors. It is written in this form.
    Embed(Form),
}

/// What other languages say in the body.
#[derive(Clone, Debug)]
pub(crate) struct Named {
    pub(crate) model: String,
    pub(crate) stream: bool,
}

impl Intent {
    /// A path that names nothing.
    pub(crate) fn of(dialect: Dialect, task: Task) -> Self {
        Self { dialect, task, named: None }
    }
}

/// An answer that has begun.
pub(crate) struct Reply {
    /// Those of the provider that concern the client.
    pub(crate) headers: HeaderMap,
    pub(crate) body: ReplyBody,
    /// Who answers, as in [`Deployment::label`]. Absent where no one was asked.
    pub(crate) deployment: Option<String>,
    /// The fields that a translation could not carry.
    pub(crate) losses: Vec<String>,
    /// What was asked, for a stream that may never tell its usage.
    pub(crate) question: Option<Arc<Question>>,
    /// Nobody has told the usage: it is estimated.
    pub(crate) is_estimate: bool,
}

impl Reply {
    /// One that nobody has told more of.
    pub(crate) fn new(headers: HeaderMap, body: ReplyBody) -> Self {
        Self { headers, body, deployment: None, losses: Vec::new(), question: None, is_estimate: false }
    }
}

/// A request's language and body, shared by all who guess how long it is: it is read for that once at most.
pub(crate) struct Question {
    pub(super) dialect: Dialect,
    pub(super) body: Bytes,
    /// See [`Self::by_length`].
    pub(super) length: OnceLock<Option<u64>>,
}

impl Question {
    pub(super) fn new(dialect: Dialect, body: Bytes) -> Self {
        Self { dialect, body, length: OnceLock::new() }
    }
}

/// Without what it says.
impl std::fmt::Debug for Question {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Question").field("dialect", &self.dialect).finish_non_exhaustive()
    }
}

/// The answer itself.
pub(crate) enum ReplyBody {
    /// Complete and checked.
    Whole { body: Bytes, usage: Option<Usage> },
    /// Its first frame has arrived and is an event.
    Stream {
        pieces: Pieces,
        passage: Box<Passage>,
        /// What is to be kept of it at its end.
        keep: Option<Box<Keep>>,
    },
}

/// What a stream brings. After `Tail` or `Failed` nothing comes.
pub(crate) type Pieces = BoxStream<'static, Piece>;

/// One part of a stream.
pub(crate) enum Piece {
    /// Complete, its blank line included.
    Frame(Bytes),
    /// The stream ended after these bytes, with no blank line.
    Tail(Bytes),
    /// The stream broke.
    Failed(UpstreamFault),
}

/// Why a call is not answered. `http/fault.rs` makes the client's answer of it.
#[derive(Debug)]
pub(crate) enum Fault {
    /// There is no configuration yet.
    NotReady,
    /// The spool has no place for its record.
    Unaccountable,
    /// No header has a key.
    KeyMissing,
    /// `Authorization` is not `Bearer <key>`.
    KeyMalformed,
    /// Nobody's key.
    KeyWrong,
    /// A virtual key, as people call it, that does not open the gateway now.
    KeyShut { key: String, shut: Shut },
    /// The database does not say whose key it is.
    KeysAway,
    /// Only the master key may do this, and it is another.
    MasterOnly { key: String },
    /// The key may not ask the model, as the client named it, by the list of somebody.
    ModelDenied { key: String, model: String, whose: Whose },
    /// The key may not call the path.
    RouteDenied { key: String, path: String },
    /// The customer that the request is for, whom the gateway's owner has blocked.
    CustomerBlocked(String),
    /// More bytes than the limit, which it names.
    BodyTooLarge(u64),
    /// The client stopped sending, or sent too slowly.
    BodyCut,
    /// Not a request.
    Unreadable(ScanError),
    /// Not what the client's language allows; found only where it must be translated.
    Undecodable(DecodeError),
    /// No deployment of the model can carry all of the request.
    Lossy(Lossy),
    /// No deployment of the model has an embeddings endpoint.
    CannotEmbed(CannotEmbed),
    /// Nobody knows what the deployment tried last costs, and that matters here.
    Unpriced {
        /// As in [`Deployment::label`].
        deployment: String,
        /// The model's name at the provider.
        upstream_model: String,
    },
    /// A budget or rate limit has no room for it.
    OverLimit(Box<OverLimit>),
    /// Nobody can tell whether a limit has room, and its owner, which it names, wants no request unchecked.
    LimitsAway(String),
    /// No model of that name or alias.
    UnknownModel(String),
    /// A response that the client names cannot be had.
    NoResponse(NoResponse),
    /// The database that keeps responses does not answer.
    StoreAway,
    /// A deployment, as in [`Deployment::label`], that cannot answer in the background.
    NoBackground(String),
    /// Only what is made in the background can be cancelled; the response's id.
    NotCancellable(String),
    /// A parameter of the query says nothing that can be done.
    Query {
        /// Its name.
        name: &'static str,
        /// What is wrong and what would be right.
        why: String,
    },
    /// No target of the route, which it names, is one of the request.
    NoTarget(String),
    /// The deployment tried last could not answer.
    Upstream {
        /// As in [`Deployment::label`].
        deployment: String,
        /// What it said.
        fault: UpstreamFault,
    },
}

/// What the deployment tried last could not carry.
#[derive(Debug)]
pub(crate) struct Lossy {
    /// As in [`Deployment::label`].
    pub(crate) deployment: String,
    /// The name of its language.
    pub(crate) language: &'static str,
    pub(crate) loss: Loss,
}

/// A deployment with no embeddings endpoint that is known.
#[derive(Debug)]
pub(crate) struct CannotEmbed {
    /// The model, as the client named it.
    pub(crate) model: String,
    /// As in [`Deployment::label`].
    pub(crate) deployment: String,
    pub(crate) provider: String,
}

/// A response that cannot be had.
#[derive(Debug)]
pub(crate) struct NoResponse {
    /// As the client named it.
    pub(crate) id: String,
    pub(crate) wanted: Wanted,
    pub(crate) why: Why,
}

/// What for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// To go on from it.
    Previous,
    /// For its own sake.
    Itself,
}

/// Why it cannot be had.
#[derive(Debug)]
pub(crate) enum Why {
    /// It is not there, or not there any more, or somebody else's.
    Unknown,
    /// The gateway has no database.
    NoStore,
    /// The deployment that keeps it is not in the config.
    DeploymentGone,
    /// Kept at this deployment's provider, where the model that is asked has none.
    OtherModel(String),
    /// A provider's own id, and there are several providers who could have made it.
    ManyProviders,
}

impl From<ScanError> for Fault {
    fn from(error: ScanError) -> Self {
        Self::Unreadable(error)
    }
}

impl Fault {
    /// That nobody knows what `deployment` costs.
    pub(crate) fn unpriced(deployment: &Deployment) -> Self {
        let (label, model) = (&deployment.label, &deployment.upstream_model);
        Self::Unpriced { deployment: label.clone(), upstream_model: model.clone() }
    }

    /// What `deployment` could not do.
    pub(crate) fn upstream(deployment: &Deployment, fault: UpstreamFault) -> Self {
        Self::Upstream { deployment: deployment.label.clone(), fault }
    }
}

/// What went wrong at a deployment.
#[derive(Debug)]
pub(crate) struct UpstreamFault {
    pub(crate) class: FaultClass,
    /// For the client. Has no secret: neither URL nor credential.
    pub(crate) message: String,
    /// The provider's own answer, if there was one.
    pub(crate) answer: Option<Box<UpstreamAnswer>>,
}

/// A provider's error answer.
#[derive(Debug)]
pub(crate) struct UpstreamAnswer {
    /// Absent where it said success and meant it not.
    pub(crate) status: Option<u16>,
    /// Those that concern the client.
    pub(crate) headers: HeaderMap,
    /// A JSON object; absent where it was something else.
    pub(crate) json: Option<Bytes>,
}

impl UpstreamFault {
    /// A fault that the gateway saw itself.
    pub(crate) fn new(class: FaultClass, message: impl Into<String>) -> Self {
        Self { class, message: message.into(), answer: None }
    }

    /// How long the provider says to stay away. `now` is in seconds since 1970.
    ///
    /// Source: RFC 9110, 10.2.3; `retry-after-ms` is Azure's, as recorded by 2026-11-21.
    pub(crate) fn retry_after(&self, now: u64) -> Option<Duration> {
        let headers = &self.answer.as_ref()?.headers;
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
        if let Some(millis) = text("retry-after-ms").and_then(|text| text.parse::<u64>().ok()) {
            return Some(Duration::from_millis(millis));
        }
        let text = text("retry-after")?;
        let seconds = text.parse::<f64>().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        seconds.or_else(|| {
            let at = httpdate::parse_http_date(text).ok()?.duration_since(UNIX_EPOCH).ok()?;
            Some(at.saturating_sub(Duration::from_secs(now)))
        })
    }

    /// The same, for a client of another language than the provider's: it can read neither the body nor a status that
    /// only the provider has, such as Anthropic's 529. The headers are in its own words already.
    pub(crate) fn retold(mut self) -> Self {
        if let Some(answer) = &mut self.answer {
            answer.json = None;
            answer.status = answer.status.filter(|status| *status <= 504);
        }
        self
    }
}
