//! Messages of a request, written. `turns.rs` reads them.
//!
//! Results of tools are messages of their own and carry text only; what else they hold moves to a message of the
//! user after them. Source: platform.openai.com/docs/api-reference/chat/create, as recorded by 2026-11-21.

use catalogue::Dialect;

use super::content::{self, Caches, Place};
use super::losses::tell;
use super::message::{Reader, Said, is_kept};
use super::ways::{CHAT, all_but, has, write_cache};
use crate::hub::{Body, Part, Request, Role, Turn};
use crate::json::Writer;
use crate::loss::Losses;

mod ids;
mod results;

use ids::Ids;

/// Writes the list of messages.
pub(super) fn encode(out: &mut String, request: &Request, losses: &mut Losses) {
    let root = match request.extras.dialect {
        Some(Dialect::Gemini) => "contents",
        Some(Dialect::OpenaiResponses) => "input",
        Some(Dialect::OpenaiCompletions) => "prompt",
        _ => "messages",
    };
    let is_home = request.extras.dialect == Some(CHAT);
    let mut writing = Writing {
        list: Writer::list(out),
        root,
        losses,
        is_home,
        ids: Ids::default(),
        said: None,
        moved: Vec::new(),
    };
    for (at, turn) in request.turns.iter().enumerate() {
        writing.turn(turn, format!("{root}[{at}]"));
    }
    writing.utter();
    writing.flush();
    writing.list.end();
    // Anthropic's models go on from it.
    let last = request.turns.last().filter(|last| last.role == Role::Assistant);
    if last.is_some() && request.extras.dialect == Some(Dialect::Anthropic) {
        let note = "most chat providers answer anew and do not go on from it";
        losses.hint(format!("{root}[{}].content", request.turns.len() - 1), note);
    }
}

struct Writing<'w, 'r> {
    list: Writer<'w>,
    root: &'static str,
    losses: &'w mut Losses,
    is_home: bool,
    ids: Ids,
    /// What the assistant has said since anyone else spoke.
    said: Option<Utterance<'r>>,
    /// What tools gave that is no text: the id of the call, and the block.
    moved: Vec<(String, &'r Part)>,
}

/// A message of the assistant, not written yet. Other dialects have a turn for each thing that it says or calls (OpenAI's
/// responses), or for each event of a stream (Google's SDK); here the results must follow the one message with all calls.
#[derive(Debug)]
struct Utterance<'r> {
    turn: &'r Turn,
    path: String,
    parts: Vec<&'r Part>,
}

impl<'r> Writing<'_, 'r> {
    fn turn(&mut self, turn: &'r Turn, path: String) {
        tell(self.losses, &turn.extras, &path);
        let all = turn.parts.iter().enumerate();
        let (results, rest): (Vec<_>, Vec<_>) =
            all.partition(|(_, part)| matches!(part.body, Body::ToolResult { .. }));
        let first_other = rest.first().map(|(at, _)| *at);
        if results.last().is_some_and(|(at, _)| first_other.is_some_and(|other| other < *at)) {
            self.losses
                .hint(format!("{path}.content"), "results of tools are sent before what was said with them");
        }
        let is_said = !rest.is_empty() || results.is_empty();
        if is_said && turn.role == Role::Assistant {
            self.flush();
            self.assistant(turn, &rest, &path);
        }
        for (at, part) in results {
            self.utter();
            self.result(turn, part, &format!("{path}.content[{at}]"));
        }
        if is_said && turn.role != Role::Assistant {
            self.utter();
            self.flush();
            self.plain(turn, &rest, path);
        }
    }

    /// A message of the system, the developer or the user.
    fn plain(&mut self, turn: &Turn, rest: &[(usize, &'r Part)], path: String) {
        let caches = self.caches(turn);
        let Self { list, losses, .. } = self;
        let mut place = Place { losses, path, caches };
        let parts = content::carried(rest.iter().copied(), &mut place);
        let (parts, strays): (Vec<&Part>, Vec<&Part>) = parts.into_iter().partition(|part| may_be_told(part));
        for _ in strays {
            place.losses.meaning(place.path.clone(), "only an assistant thinks and calls tools");
        }
        list.element(|out| {
            let mut object = Writer::object(out);
            object.string("role", role(turn));
            content::encode(&mut object, &parts, &turn.extras, "\"\"", &mut place);
            finish(object, turn, caches);
        });
    }

    fn assistant(&mut self, turn: &'r Turn, rest: &[(usize, &'r Part)], path: &str) {
        let caches = self.caches(turn);
        let mut place = Place { losses: self.losses, path: path.to_owned(), caches };
        let mut parts = content::carried(rest.iter().copied(), &mut place);
        for (at, part) in rest {
            tell_seal(part, &format!("{path}.content[{at}]"), place.losses);
            if !content::holds(part) {
                content::tell_part(part, *at, &mut place);
            }
        }
        parts.retain(|part| !is_empty_thought(part));
        if parts.is_empty() && !rest.is_empty() {
            return;
        }
        match &mut self.said {
            Some(said) if !self.is_home => said.parts.append(&mut parts),
            _ => {
                self.utter();
                self.said = Some(Utterance { turn, path: path.to_owned(), parts });
            }
        }
    }

    /// Writes what the assistant has said.
    fn utter(&mut self) {
        let Some(Utterance { turn, path, parts }) = self.said.take() else { return };
        let caches = self.caches(turn);
        let Self { list, losses, ids, .. } = self;
        let mut place = Place { losses, path, caches };
        let said = Said { parts, extras: &turn.extras, reader: Reader::Provider, caches };
        let nothing = if said.has_calls() { "null" } else { "\"\"" };
        list.element(|out| {
            let mut object = Writer::object(out);
            object.string("role", "assistant");
            content::encode(&mut object, &said.content(), &turn.extras, nothing, &mut place);
            said.write(&mut object, &mut |id, name| ids.of_call(id, name));
            finish(object, turn, caches);
        });
    }

    fn caches(&self, turn: &Turn) -> Caches {
        match self.is_home {
            true if turn.extras.notes(CHAT, "cache:message") => Caches::Message,
            true => Caches::Block,
            false => Caches::Lost,
        }
    }
}

/// Developers came late; a system message means the same, and all providers know it.
fn role(turn: &Turn) -> &'static str {
    match turn.role {
        Role::Developer if turn.extras.notes(CHAT, "role:developer") => "developer",
        Role::System | Role::Developer => "system",
        Role::User | Role::Tool | Role::Assistant => "user",
    }
}

fn may_be_told(part: &Part) -> bool {
    match part.body {
        Body::Thinking { .. } => content::holds(part),
        Body::ToolCall { .. } | Body::ToolResult { .. } => false,
        _ => true,
    }
}

/// A thought of which nothing may be sent: its seal is another provider's.
fn is_empty_thought(part: &Part) -> bool {
    match &part.body {
        Body::Thinking { text, seal: Some(seal) } => {
            text.is_empty() && seal.dialect != CHAT && !is_kept(part)
        }
        _ => false,
    }
}

fn tell_seal(part: &Part, path: &str, losses: &mut Losses) {
    let (Body::Thinking { seal: Some(seal), .. } | Body::ToolCall { seal: Some(seal), .. }) = &part.body
    else {
        return;
    };
    if seal.dialect == CHAT || is_kept(part) {
        return;
    }
    let key = match seal.dialect {
        // Google takes either spelling.
        Dialect::Gemini => "thoughtSignature (thought_signature)",
        Dialect::OpenaiResponses => "encrypted_content",
        // A redacted block has `data`, one whose text is kept secret a signature.
        Dialect::Anthropic if is_empty_thought(part) => "data (signature)",
        _ => "signature",
    };
    losses.hint(format!("{path}.{key}"), "sealed by another provider");
}

fn finish(mut object: Writer<'_>, turn: &Turn, caches: Caches) {
    if caches == Caches::Message {
        write_cache(&mut object, turn.parts.last().and_then(|part| part.cache.as_ref()));
    }
    object.all(all_but(&turn.extras, ""));
    object.end();
}

/// Whether the message had its own spelling of `key`.
fn told(turn: &Turn, key: &str) -> bool {
    has(&turn.extras, key)
}
