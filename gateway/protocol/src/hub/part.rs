//! The blocks that turns and answers are made of.

use catalogue::Dialect;

use super::Extras;
use crate::json::RawJson;

/// One block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// What it is.
    pub body: Body,
    /// The provider shall cache the prompt up to and including this block.
    pub cache: Option<CacheHint>,
    /// What the text rests on.
    pub citations: Vec<Citation>,
    /// What nobody models.
    pub extras: Extras,
}

/// What a block is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// Plain text.
    Text(String),
    /// The model will not answer, and says so.
    Refusal(String),
    /// A picture, a sound, a document.
    Media(Media),
    /// What the model thought. Empty text with a seal is one that was redacted or is kept secret.
    Thinking {
        /// As far as the provider shows it.
        text: String,
        /// Must come back unchanged, or the provider refuses the next turn.
        seal: Option<Seal>,
    },
    /// The model asks for a tool of the client's.
    ToolCall {
        /// Unique in the conversation. Empty where the dialect has none; encoders that need one make it.
        id: String,
        /// As in the tools of the request.
        name: String,
        /// JSON text, as the model wrote it: it may be no valid JSON.
        arguments: String,
        /// Gemini signs calls.
        seal: Option<Seal>,
    },
    /// What a tool gave.
    ToolResult {
        /// The id of the call.
        call: String,
        /// The name of the tool, where the dialect gives it (Gemini matches by it).
        name: Option<String>,
        /// Text and media.
        parts: Vec<Part>,
        /// The tool failed.
        failed: bool,
    },
    /// A block that nobody models.
    Foreign {
        /// Whose.
        dialect: Dialect,
        /// As it stood.
        json: RawJson,
    },
}

/// A picture, a sound, a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Media {
    /// What it is.
    pub kind: MediaKind,
    /// Where it is.
    pub source: Source,
    /// The file's name or the document's title.
    pub name: Option<String>,
    /// How closely to look at a picture: `low`, `high`, `auto`.
    pub detail: Option<String>,
}

/// What a medium is. Its exact type is in [`Source::Inline`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MediaKind {
    /// A still picture.
    Image,
    /// Sound.
    Audio,
    /// Moving pictures.
    Video,
    /// A PDF or a text.
    Document,
}

/// Where a medium is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// The provider fetches it. `mime` where the dialect says it.
    Url {
        /// `https://`, `gs://` ...
        url: String,
        /// `image/png` ...
        mime: Option<String>,
    },
    /// In the request.
    Inline {
        /// `image/png` ...
        mime: String,
        /// Base64, as it came.
        data: String,
    },
    /// In the request, as plain text.
    Text(String),
    /// Uploaded to the provider before; only that one knows it.
    File {
        /// Whose.
        dialect: Dialect,
        /// The provider's name for it.
        id: String,
    },
}

/// State that only its author can read: a signature, encrypted reasoning. Returned unchanged or not at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seal {
    /// Whose.
    pub dialect: Dialect,
    /// As it came.
    pub bytes: String,
}

/// The provider shall cache the prompt up to here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CacheHint {
    /// As the dialect wrote it: `5m`, `1h`. `None` is the provider's default.
    pub ttl: Option<String>,
}

/// A source that a text names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Citation {
    /// Of a page.
    pub url: Option<String>,
    /// Of a page or document.
    pub title: Option<String>,
    /// The words that are cited.
    pub quote: Option<String>,
    /// First and past-the-last character of the text that rests on it, in code points.
    pub span: Option<(u64, u64)>,
    /// What nobody models.
    pub extras: Extras,
}

impl Seal {
    /// As one text that a client of dialect `client` sends back untouched: as it came if that is its author's
    /// language, else with the author's name before it.
    #[must_use]
    pub fn to_token(&self, client: Dialect) -> String {
        if self.dialect == client {
            return self.bytes.clone();
        }
        format!("{TOKEN}{}:{}", self.dialect.name(), self.bytes)
    }

    /// Reads what a client of dialect `client` sent back.
    #[must_use]
    pub fn from_token(token: &str, client: Dialect) -> Self {
        let tagged = token.strip_prefix(TOKEN).and_then(|rest| rest.split_once(':'));
        let author =
            tagged.and_then(|(name, _)| Dialect::ALL.into_iter().find(|dialect| dialect.name() == name));
        match (author, tagged) {
            (Some(dialect), Some((_, bytes))) => Self { dialect, bytes: bytes.to_owned() },
            _ => Self { dialect: client, bytes: token.to_owned() },
        }
    }
}

/// No base64 begins like this, so no provider's own seal does.
const TOKEN: &str = "fairlead:";

impl Part {
    /// A block with nothing but a body.
    #[must_use]
    pub fn new(body: Body) -> Self {
        Self { body, cache: None, citations: Vec::new(), extras: Extras::default() }
    }

    /// A block of plain text.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self::new(Body::Text(text.into()))
    }
}
