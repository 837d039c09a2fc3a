//! The types that the stages of the pipeline pass along.

use axum::body::Body;
use bytes::Bytes;
use futures::stream::BoxStream;
use protocol::fault::FaultClass;
use protocol::scan::{Envelope, ScanError};
use protocol::usage::Usage;
use reqwest::header::HeaderMap;

use crate::snapshot::Deployment;

/// A request as it came in: nothing is read yet.
pub(crate) struct Call {
    pub(crate) headers: HeaderMap,
    pub(crate) body: Body,
}

/// A request that was understood as far as the gateway must. The body stays bytes.
pub(crate) struct Ask {
    pub(crate) body: Bytes,
    pub(crate) envelope: Envelope,
}

impl Ask {
    /// Reads what the gateway must know of `body`.
    ///
    /// # Errors
    /// [`Fault::Unreadable`].
    pub(crate) fn scan(body: Bytes) -> Result<Self, Fault> {
        let envelope = Envelope::scan(&body)?;
        Ok(Self { body, envelope })
    }
}

/// An answer that has begun.
pub(crate) struct Reply {
    /// Those of the provider that concern the client.
    pub(crate) headers: HeaderMap,
    pub(crate) body: ReplyBody,
    /// Who answers, as in [`Deployment::label`].
    pub(crate) deployment: String,
}

/// The answer itself.
pub(crate) enum ReplyBody {
    /// Complete and checked.
    Whole { body: Bytes, usage: Option<Usage> },
    /// Its first frame has arrived and is an event.
    Stream(Pieces),
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
    /// No header has a key.
    KeyMissing,
    /// `Authorization` is not `Bearer <key>`.
    KeyMalformed,
    /// Nobody's key.
    KeyWrong,
    /// More bytes than the limit, which it names.
    BodyTooLarge(u64),
    /// The client stopped sending, or sent too slowly.
    BodyCut,
    /// Not a request.
    Unreadable(ScanError),
    /// No model of that name or alias.
    UnknownModel(String),
    /// The deployment tried last could not answer.
    Upstream {
        /// As in [`Deployment::label`].
        deployment: String,
        /// What it said.
        fault: UpstreamFault,
    },
}

impl From<ScanError> for Fault {
    fn from(error: ScanError) -> Self {
        Self::Unreadable(error)
    }
}

impl Fault {
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
}
