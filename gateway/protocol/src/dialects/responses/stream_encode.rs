//! Writes a stream. Blocks become items as in a buffered answer, so an item is only done when the next begins or
//! the answer ends: more blocks may go on in it.

use super::answer_encode::{self, State};
use super::context::Context;
use super::fault;
use super::segments::{Kind, Segment, kind};
use super::stream_frames::Frames;
use super::stream_open::{OpenItem, push_item};
use super::{HOME, is_home, item_encode};
use crate::dialects::{Echo, StreamEncoder, untold};
use crate::fault::Reading;
use crate::hub::{Answer, At, Event, Extras, Finish, Opening, Part, Role};
use crate::loss::Losses;

/// Writes a stream.
#[derive(Debug)]
pub struct Encoder {
    echo: Echo,
    frames: Frames,
    /// All but what is said.
    answer: Answer,
    open: Vec<(usize, OpenItem)>,
    /// The items; those that are open are empty.
    output: Vec<String>,
    finish: Option<Finish>,
    losses: Losses,
    started: bool,
    ended: bool,
}

impl Encoder {
    /// A writer for one stream.
    #[must_use]
    pub fn new(echo: Echo) -> Self {
        Self {
            frames: Frames::new(Context::answer(None, &echo.id)),
            echo,
            answer: Answer::default(),
            open: Vec::new(),
            output: Vec::new(),
            finish: None,
            losses: Losses::default(),
            started: false,
            ended: false,
        }
    }
}

impl StreamEncoder for Encoder {
    fn push(&mut self, event: &Event, out: &mut String) {
        if self.ended {
            return;
        }
        if let Event::Start { id, model, created, extras } = event {
            self.answer.id.clone_from(id);
            self.answer.model.clone_from(model);
            self.answer.created = *created;
            self.answer.extras = extras.clone();
        }
        self.start(out);
        match event {
            Event::Start { extras, .. } => untold::tell(extras, HOME, "", &mut self.losses),
            Event::Open(at, opening) => self.open(*at, opening, out),
            Event::Usage(usage) => self.answer.usage = Some(*usage),
            Event::Finish { candidate: 0, finish, stop, extras } => {
                untold::tell(extras, HOME, "candidates.", &mut self.losses);
                if stop.is_some() {
                    self.losses.once("candidates.stop_sequence", "a response does not tell it");
                }
                self.end_items(out);
                self.finish = Some(finish.clone());
            }
            Event::Finish { .. } => self.losses.once("candidates", "a response has one answer"),
            Event::Extras(extras) => self.merge(extras),
            Event::Fault(reading) => self.fail(reading, out),
            Event::Text(at, _)
            | Event::Arguments(at, _)
            | Event::Sealed(at, _)
            | Event::Cited(at, _)
            | Event::Close(at) => self.go_on(*at, event, out),
        }
        self.collect();
    }

    fn end(&mut self, out: &mut String) {
        if self.ended {
            return;
        }
        self.start(out);
        self.end_items(out);
        self.collect();
        self.ended = true;
        let state = State::of(self.finish.as_ref(), is_home(&self.answer.extras));
        self.push_response(&state, state.event(), out);
    }

    fn losses(&self) -> &Losses {
        &self.losses
    }
}

impl Encoder {
    fn start(&mut self, out: &mut String) {
        if !std::mem::replace(&mut self.started, true) {
            self.push_response(&State::Running, "response.created", out);
            self.push_response(&State::Running, "response.in_progress", out);
        }
    }

    fn push_response(&mut self, state: &State, kind: &str, out: &mut String) {
        let response = answer_encode::response(&self.answer, &self.echo, state, &self.output);
        self.frames.push(out, kind, |frame| {
            frame.raw("response", &response);
        });
    }

    fn open(&mut self, at: At, opening: &Opening, out: &mut String) {
        let part = Part { extras: opening.extras.clone(), ..Part::new(opening.body.clone()) };
        if at.candidate != 0 || !answer_encode::is_known(&part) {
            self.losses.once("candidates.content", "a stream of responses has no frame that could tell it");
            return;
        }
        untold::tell(&opening.extras, HOME, "candidates.content.", &mut self.losses);
        let Self { open, frames, .. } = self;
        if let Some((_, item)) = open.last_mut().filter(|(_, item)| item.takes(&part)) {
            item.add(at, part, frames, out);
            return;
        }
        self.end_closed(out);
        self.frames.context.count = self.output.len();
        if let Some(carrier) = answer_encode::carrier(&part, &self.frames.context) {
            self.whole(carrier, out);
        }
        if kind(&part, self.frames.context.side) == Kind::Whole {
            self.open_whole(&part, out);
            return;
        }
        let output = self.output.len();
        let mut item = OpenItem::begin(&part, output, &mut self.frames, out);
        item.add(at, part, &mut self.frames, out);
        self.output.push(String::new());
        self.open.push((output, item));
    }

    fn open_whole(&mut self, part: &Part, out: &mut String) {
        self.frames.context.count = self.output.len();
        let segment = Segment { kind: Kind::Whole, parts: vec![(0, part)], head: Extras::default() };
        if let Some(json) = item_encode::write(&segment, Role::Assistant, "", &mut self.frames.context) {
            self.whole(json, out);
        }
    }

    /// An item that comes at once.
    fn whole(&mut self, json: String, out: &mut String) {
        let output = self.output.len();
        push_item(&mut self.frames, out, "response.output_item.added", output, &json);
        push_item(&mut self.frames, out, "response.output_item.done", output, &json);
        self.output.push(json);
    }

    fn go_on(&mut self, at: At, event: &Event, out: &mut String) {
        let Self { open, frames, .. } = self;
        let Some((_, item)) = open.iter_mut().find(|(_, item)| item.has(at)) else { return };
        match event {
            Event::Text(_, more) | Event::Arguments(_, more) => item.say(at, more, frames, out),
            Event::Sealed(_, seal) => item.seal(at, seal),
            Event::Cited(_, citation) => item.cite(at, citation, frames, out),
            _ => item.close(at, frames, out),
        }
    }

    /// Ends the items whose blocks are all closed: calls of one step may come interleaved.
    fn end_closed(&mut self, out: &mut String) {
        let (closed, open) =
            std::mem::take(&mut self.open).into_iter().partition(|(_, item)| item.is_closed());
        self.open = open;
        self.end_these(closed, out);
    }

    fn end_items(&mut self, out: &mut String) {
        let all = std::mem::take(&mut self.open);
        self.end_these(all, out);
    }

    fn end_these(&mut self, items: Vec<(usize, OpenItem)>, out: &mut String) {
        for (output, mut item) in items {
            let json = item.end(&mut self.frames, out);
            if let Some(place) = self.output.get_mut(output) {
                *place = json;
            }
        }
    }

    /// What the writers of items told, in the words of this stream.
    fn collect(&mut self) {
        for loss in std::mem::take(&mut self.frames.context.losses).all() {
            self.losses.once(loss.field.clone(), loss.note);
        }
    }

    /// Each key replaces an earlier one of its name.
    fn merge(&mut self, more: &Extras) {
        untold::tell(more, HOME, "", &mut self.losses);
        let fields = &mut self.answer.extras.fields;
        for (name, raw) in more.of(HOME) {
            match fields.iter_mut().find(|(known, _)| known == name) {
                Some(known) => known.1 = raw.clone(),
                None => fields.push((name.clone(), raw.clone())),
            }
        }
    }

    /// What is open stays open: the answer was cut.
    fn fail(&mut self, reading: &Reading, out: &mut String) {
        self.frames.push(out, "error", |frame| fault::write_event(frame, reading));
        self.output.retain(|item| !item.is_empty());
        let state = State::Failed(fault::of_response(reading));
        self.push_response(&state, state.event(), out);
        self.ended = true;
    }
}
