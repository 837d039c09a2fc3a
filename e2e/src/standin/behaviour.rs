//! How the stand-in treats a call, told by the upstream model's name.

use std::time::Duration;

/// What happens to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Behaviour {
    /// Any other name: a plain answer that names the model.
    Answer,
    /// `tools…`: calls the tool `get_weather`.
    Tools,
    /// `slow-stream-20x100ms…`: that many chunks with that pause before each; unstreamed, all the pauses and one answer.
    Slow {
        /// How many chunks hold text.
        chunks: u32,
        /// Before each frame.
        pause: Duration,
    },
    /// `fail-<status>…`: an error in OpenAI's shape.
    Fail(u16),
    /// `hang`: takes the request and never answers.
    Hang,
    /// `hang-stream`: one frame, then nothing.
    HangStream,
    /// `cut-stream`: three frames (or half an answer), then the connection breaks.
    Cut,
    /// `garbage`: status 200 and HTML that calls itself JSON.
    Garbage,
}

impl Behaviour {
    /// Of the model `name`. What follows the behaviour's own name is free, so that tests can tell models apart.
    #[must_use]
    pub fn of(name: &str) -> Self {
        if let Some(shape) = name.strip_prefix("slow-stream-") {
            return slow(shape).unwrap_or(Self::Answer);
        }
        if let Some(code) = name.strip_prefix("fail-").and_then(|rest| number(rest).0) {
            return Self::Fail(u16::try_from(code).unwrap_or(500));
        }
        let known = [
            ("hang-stream", Self::HangStream),
            ("hang", Self::Hang),
            ("cut-stream", Self::Cut),
            ("garbage", Self::Garbage),
            ("tools", Self::Tools),
        ];
        known
            .iter()
            .find(|(prefix, _)| name.starts_with(prefix))
            .map_or(Self::Answer, |(_, behaviour)| *behaviour)
    }
}

/// `20x100ms`, and whatever follows.
fn slow(shape: &str) -> Option<Behaviour> {
    let (chunks, rest) = number(shape);
    let (millis, rest) = number(rest.strip_prefix('x')?);
    rest.strip_prefix("ms")?;
    Some(Behaviour::Slow { chunks: chunks?, pause: Duration::from_millis(millis?.into()) })
}

fn number(text: &str) -> (Option<u32>, &str) {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    (digits.parse().ok(), rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_says_how_it_behaves() {
        let slow = Behaviour::Slow { chunks: 20, pause: Duration::from_millis(100) };
        assert_eq!(Behaviour::of("slow-stream-20x100ms"), slow);
        assert_eq!(Behaviour::of("slow-stream-20x100ms-b"), slow);
        assert_eq!(Behaviour::of("fail-429"), Behaviour::Fail(429));
        assert_eq!(Behaviour::of("hang"), Behaviour::Hang);
        assert_eq!(Behaviour::of("hang-stream"), Behaviour::HangStream);
        assert_eq!(Behaviour::of("gpt-4o"), Behaviour::Answer);
    }
}
