//! The turns, written. Those of other dialects are put together as Google wants them: one content for all
//! results of a turn, and nothing but results in it.
//!
//! A content that mixes `functionResponse` with other parts is refused by Vertex ("Requests ending with a model
//! turn are not supported"). Source: github.com/Prism-Shadow/agenthub/pull/189 (read 2026-11-21).

use std::borrow::Cow;
use std::collections::HashMap;

use super::model::is_before_gemini_3;
use super::node::{is_home, own};
use super::part_encode::{Reader, encode};
use super::seal::UNSIGNED;
use super::tell::{Tell, join};
use super::{HOME, finish};
use crate::hub::{Body, Part, Request, Role, Seal, Turn};
use crate::json::Writer;

/// What may stand together in one content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    User,
    Results,
    Model,
}

/// The contents that are being written.
#[derive(Debug)]
pub(super) struct Contents<'r> {
    request: &'r Request,
    /// By the id of the call: results of other dialects do not name their tool, and Google wants it.
    names: HashMap<&'r str, &'r str>,
    done: Vec<String>,
    open: Option<(Kind, Vec<String>)>,
    /// Media of the open results.
    after: Vec<(String, Part)>,
    at: usize,
    systems: usize,
}

impl<'r> Contents<'r> {
    /// `systems`: how many turns have been written already.
    pub(super) fn new(request: &'r Request, systems: usize) -> Self {
        let names = HashMap::new();
        Self { request, names, done: Vec::new(), open: None, after: Vec::new(), at: systems, systems }
    }

    pub(super) fn turn(&mut self, turn: &'r Turn, tell: &mut Tell) {
        let path = tell.turn(self.at, self.systems);
        self.at += 1;
        for part in &turn.parts {
            if let Body::ToolCall { id, name, .. } = &part.body {
                self.names.insert(id, name);
            }
        }
        if is_home(&turn.extras) {
            self.after_results(tell);
            self.close();
            self.done.push(as_it_stood(turn, (&path, tell)));
            return;
        }
        tell.extras(&path, &turn.extras);
        if matches!(turn.role, Role::System | Role::Developer) {
            tell.hint(join(&path, "role"), "instructions inside a conversation are sent as the user's");
        }
        let unsigned = self.unsigned(turn);
        for (at, part) in turn.parts.iter().enumerate() {
            let path = format!("{path}.content[{at}]");
            let part =
                if unsigned == Some(at) { Cow::Owned(sign(part, &path, tell)) } else { Cow::Borrowed(part) };
            self.part(turn.role, &part, (&path, tell));
        }
    }

    pub(super) fn finish(mut self, tell: &mut Tell, out: &mut String) {
        self.after_results(tell);
        self.close();
        if let ([one], true) = (self.done.as_slice(), self.request.extras.notes(HOME, "contents:alone")) {
            out.push_str(one);
            return;
        }
        let mut list = Writer::list(out);
        for content in &self.done {
            list.element(|out| out.push_str(content));
        }
        list.end();
    }

    /// The first call of a turn if none of its calls has a signature of Google's: Gemini 3 wants one there.
    fn unsigned(&self, turn: &Turn) -> Option<usize> {
        let is_signed =
            |part: &Part| matches!(&part.body, Body::ToolCall { seal: Some(Seal { dialect: HOME, .. }), .. });
        if is_before_gemini_3(&self.request.model) || turn.parts.iter().any(is_signed) {
            return None;
        }
        turn.parts.iter().position(finish::is_call)
    }

    fn part(&mut self, role: Role, part: &Part, (path, tell): (&str, &mut Tell)) {
        match (&part.body, role) {
            (Body::ToolResult { .. }, _) => self.result(part.clone(), (path, tell)),
            (_, Role::Assistant) => self.push(Kind::Model, part, (path, tell)),
            _ => self.push(Kind::User, part, (path, tell)),
        }
    }

    fn result(&mut self, mut part: Part, (path, tell): (&str, &mut Tell)) {
        let mut moved = Vec::new();
        if let Body::ToolResult { call, name, parts, .. } = &mut part.body {
            if name.is_none() {
                *name = self.names.get(call.as_str()).map(|name| (*name).to_owned());
            }
            if name.is_none() {
                tell.hint(join(path, "name"), "no call has this id, so the id is sent as the tool's name");
            }
            if is_before_gemini_3(&self.request.model) {
                let is_media = |part: &mut Part| matches!(part.body, Body::Media(_));
                moved.extend(parts.extract_if(.., is_media));
            }
        }
        self.push(Kind::Results, &part, (path, tell));
        self.after.extend(moved.into_iter().map(|part| (path.to_owned(), part)));
    }

    /// Media that Gemini takes only beside results go behind all of them: nothing may stand between.
    fn after_results(&mut self, tell: &mut Tell) {
        for (path, part) in std::mem::take(&mut self.after) {
            tell.hint(&path, "media of a result are sent after it");
            self.push(Kind::User, &part, (&path, tell));
        }
    }

    fn push(&mut self, kind: Kind, part: &Part, at: (&str, &mut Tell)) {
        let mut wire = String::new();
        let (path, tell) = at;
        if kind != Kind::Results && !self.after.is_empty() {
            self.after_results(tell);
        }
        if !encode(part, Reader::Provider, (path, tell), &mut wire) {
            return;
        }
        if self.open.as_ref().is_some_and(|(open, _)| *open != kind) {
            self.close();
        }
        self.open.get_or_insert_with(|| (kind, Vec::new())).1.push(wire);
    }

    fn close(&mut self) {
        let Some((kind, parts)) = self.open.take() else { return };
        let mut out = String::new();
        let mut content = Writer::object(&mut out);
        content.string("role", if kind == Kind::Model { "model" } else { "user" });
        content.list_of("parts", &parts, |out, part| out.push_str(part));
        content.end();
        self.done.push(out);
    }
}

/// The call with Google's stand-in for a signature that another model could not give.
fn sign(part: &Part, path: &str, tell: &mut Tell) -> Part {
    let mut part = part.clone();
    if let Body::ToolCall { seal, .. } = &mut part.body {
        let note = "a call of another model, so sent with Google's stand-in for a signature";
        tell.hint(join(path, "signature (encrypted_content)"), note);
        *seal = Some(Seal { dialect: HOME, bytes: UNSIGNED.to_owned() });
    }
    part
}

/// `systemInstruction`: one content, of text only.
pub(super) fn system(head: &[Turn], tell: &mut Tell, out: &mut String) {
    if let [turn] = head
        && is_home(&turn.extras)
    {
        out.push_str(&as_it_stood(turn, ("system", tell)));
        return;
    }
    let mut content = Writer::object(out);
    content.field("parts", |out| {
        let mut list = Writer::list(out);
        for (at, turn) in head.iter().enumerate() {
            let path = tell.turn(at, 0);
            tell.extras(&path, &turn.extras);
            for (at, part) in turn.parts.iter().enumerate() {
                let path = format!("{path}.content[{at}]");
                let mut wire = String::new();
                if !matches!(part.body, Body::Text(_)) {
                    tell.meaning(&path, "instructions are text only");
                } else if encode(part, Reader::Provider, (&path, tell), &mut wire) {
                    list.element(|out| out.push_str(&wire));
                }
            }
        }
        list.end();
    });
    content.end();
}

/// A content of this dialect.
fn as_it_stood(turn: &Turn, (path, tell): (&str, &mut Tell)) -> String {
    let notes = |note| turn.extras.notes(HOME, note);
    let role = match turn.role {
        Role::Assistant => Some("model"),
        Role::Tool => Some("function"),
        Role::System => ["user", "model", "system"].into_iter().find(|role| notes(role)),
        Role::User | Role::Developer => (!notes("role:absent")).then_some("user"),
    };
    let mut out = String::new();
    let mut content = Writer::object(&mut out);
    content.string_if("role", role);
    let mut parts = Vec::new();
    for (at, part) in turn.parts.iter().enumerate() {
        let mut wire = String::new();
        if encode(part, Reader::Provider, (&format!("{path}.parts[{at}]"), tell), &mut wire) {
            parts.push(wire);
        }
    }
    match (parts.as_slice(), notes("parts:alone")) {
        ([one], true) => _ = content.raw("parts", one),
        ([], _) if notes("parts:absent") => {}
        _ => _ = content.list_of("parts", &parts, |out, part| out.push_str(part)),
    }
    content.all(own(&turn.extras, &[]));
    content.end();
    out
}
