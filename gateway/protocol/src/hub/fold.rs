//! Events to an answer and back. One path for streams and buffered answers, so neither can lack what the
//! other has.

use std::collections::BTreeMap;

use super::{Answer, At, Body, Candidate, Event, Extras, Opening, Part, Seal};
use crate::fault::Reading;

/// Gathers events to an answer.
#[derive(Debug, Default)]
pub struct Fold {
    answer: Answer,
    parts: BTreeMap<At, Part>,
    fault: Option<Reading>,
}

impl Fold {
    /// Takes one event. Those for blocks that were never opened are ignored.
    pub fn push(&mut self, event: Event) {
        match event {
            Event::Start { id, model, created, extras } => {
                self.answer.id = id;
                self.answer.model = model;
                self.answer.created = created;
                self.answer.extras = extras;
            }
            Event::Open(at, Opening { body, extras }) => {
                let part = Part { extras, ..Part::new(body) };
                self.parts.insert(at, part);
            }
            Event::Text(at, more) => self.change(at, |part| append_text(&mut part.body, &more)),
            Event::Arguments(at, more) => self.change(at, |part| {
                if let Body::ToolCall { arguments, .. } = &mut part.body {
                    arguments.push_str(&more);
                }
            }),
            Event::Sealed(at, more) => self.change(at, |part| append_seal(&mut part.body, more)),
            Event::Cited(at, citation) => self.change(at, |part| part.citations.push(citation)),
            Event::Close(_) => {}
            Event::Usage(usage) => self.answer.usage = Some(usage),
            Event::Finish { candidate, finish, stop, extras } => {
                let candidate = self.candidate(candidate);
                candidate.finish = Some(finish);
                candidate.stop = stop;
                candidate.extras = extras;
            }
            Event::Extras(extras) => merge(&mut self.answer.extras, extras),
            Event::Fault(reading) => self.fault = Some(reading),
        }
    }

    /// The answer, or the fault that ended it.
    ///
    /// # Errors
    /// What [`Event::Fault`] told.
    pub fn finish(mut self) -> Result<Answer, Reading> {
        if let Some(fault) = self.fault {
            return Err(fault);
        }
        for (at, part) in std::mem::take(&mut self.parts) {
            self.candidate(at.candidate).parts.push(part);
        }
        Ok(self.answer)
    }

    fn change(&mut self, at: At, change: impl FnOnce(&mut Part)) {
        if let Some(part) = self.parts.get_mut(&at) {
            change(part);
        }
    }

    /// Providers number candidates from 0; more than a few are nonsense, and are counted to the last.
    fn candidate(&mut self, index: usize) -> &mut Candidate {
        const MOST: usize = 128;
        let index = index.min(MOST - 1);
        let candidates = &mut self.answer.candidates;
        if candidates.len() <= index {
            candidates.resize_with(index + 1, Candidate::default);
        }
        // The list was just made long enough.
        #[expect(clippy::indexing_slicing, reason = "resized above")]
        &mut candidates[index]
    }
}

fn append_text(body: &mut Body, more: &str) {
    if let Body::Text(text) | Body::Refusal(text) | Body::Thinking { text, .. } = body {
        text.push_str(more);
    }
}

fn append_seal(body: &mut Body, more: Seal) {
    if let Body::Thinking { seal, .. } | Body::ToolCall { seal, .. } = body {
        match seal {
            Some(seal) if seal.dialect == more.dialect => seal.bytes.push_str(&more.bytes),
            _ => *seal = Some(more),
        }
    }
}

fn merge(into: &mut Extras, more: Extras) {
    into.dialect = into.dialect.or(more.dialect);
    into.notes.extend(more.notes);
    for (name, raw) in more.fields {
        match into.fields.iter_mut().find(|(known, _)| *known == name) {
            Some(known) => known.1 = raw,
            None => into.fields.push((name, raw)),
        }
    }
}

/// The events of a whole answer: what its stream would have been, in as few steps as can be.
pub fn unfold(answer: &Answer, mut push: impl FnMut(Event)) {
    push(Event::Start {
        id: answer.id.clone(),
        model: answer.model.clone(),
        created: answer.created,
        extras: answer.extras.clone(),
    });
    for (candidate, said) in answer.candidates.iter().enumerate() {
        for (part, block) in said.parts.iter().enumerate() {
            let at = At { candidate, part };
            push(Event::Open(at, Opening { body: block.body.clone(), extras: block.extras.clone() }));
            for citation in &block.citations {
                push(Event::Cited(at, citation.clone()));
            }
            push(Event::Close(at));
        }
        if let Some(finish) = said.finish.clone() {
            let (stop, extras) = (said.stop.clone(), said.extras.clone());
            push(Event::Finish { candidate, finish, stop, extras });
        }
    }
    if let Some(usage) = answer.usage {
        push(Event::Usage(usage));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hub::Finish;

    #[test]
    fn an_answer_is_the_fold_of_its_events() {
        let call = Body::ToolCall { id: "c".into(), name: "f".into(), arguments: "{}".into(), seal: None };
        let candidate = Candidate {
            parts: vec![Part::text("Hello"), Part::new(call)],
            finish: Some(Finish::ToolCalls),
            ..Candidate::default()
        };
        let answer = Answer { id: "a".into(), candidates: vec![candidate], ..Answer::default() };
        let mut fold = Fold::default();
        unfold(&answer, |event| fold.push(event));
        assert_eq!(fold.finish(), Ok(answer));
    }

    #[test]
    fn pieces_are_joined_and_strays_ignored() {
        let at = At { candidate: 0, part: 0 };
        let mut fold = Fold::default();
        let open = Opening { body: Body::Text("a".into()), extras: Extras::default() };
        for event in [
            Event::Open(at, open),
            Event::Text(at, "b".into()),
            Event::Text(At { candidate: 7, part: 3 }, "stray".into()),
            Event::Close(at),
        ] {
            fold.push(event);
        }
        let answer = fold.finish().expect("no fault");
        assert_eq!(answer.candidates, [Candidate { parts: vec![Part::text("ab")], ..Candidate::default() }]);
    }
}
