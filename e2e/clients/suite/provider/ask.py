"""What a request comes to, whichever language it is in, and what an answer is made of."""

import re
from dataclasses import dataclass, field

MARK = re.compile(r"<<(\w+)(?: ([^>]+))?>>")


@dataclass
class Call:
    """A call of a tool, asked for by the model."""

    id: str
    name: str
    arguments: dict
    seal: str | None = None


@dataclass
class Thought:
    """What the model thought; only it can read the seal."""

    text: str
    seal: str | None = None


@dataclass
class Ask:
    """A request, as far as scripts care. Calls, results and thoughts are those since the prompt."""

    dialect: str
    stream: bool = False
    prompt: str = ""
    calls: list[Call] = field(default_factory=list)
    results: dict[str, str] = field(default_factory=dict)
    thoughts: list[Thought] = field(default_factory=list)
    images: list[bytes] = field(default_factory=list)
    tools: dict[str, dict] = field(default_factory=dict)
    schema: dict | None = None
    thinks: bool = False
    # With a budget of thinking, Anthropic wants turns with calls to begin with thoughts.
    has_budget: bool = False
    # Gemini tells its thoughts only to those who ask for them.
    shows_thoughts: bool = True
    # Whether the provider shall keep the conversation.
    is_thread: bool = False
    cache_marks: int = 0
    system: str = ""

    def said(self, text: str) -> None:
        """Takes in a text of the user. One with a mark is a new prompt; what went before it is history."""
        if MARK.search(text):
            self.prompt = text
            self.calls, self.results, self.thoughts, self.images = [], {}, [], []

    def script(self) -> tuple[str, str]:
        """The name and the argument in the prompt's mark."""
        marks = MARK.findall(self.prompt)
        return marks[-1] if marks else ("", "")


@dataclass
class Turn:
    """An answer: texts, thoughts and calls in order."""

    parts: list[str | Thought | Call]

    def calls(self) -> list[Call]:
        return [part for part in self.parts if isinstance(part, Call)]

    def text(self) -> str:
        return "".join(part for part in self.parts if isinstance(part, str))

    def thoughts(self) -> list[Thought]:
        return [part for part in self.parts if isinstance(part, Thought)]


@dataclass
class Broken:
    """A stream that ends with an error after this much."""

    turn: Turn
    message: str


@dataclass
class Refusal:
    """An error instead of an answer."""

    status: int
    message: str
    retry_after: int | None = None
    # Anthropic's, for programs.
    details: dict | None = None


# What every answer is said to have cost. Thinking is part of the output.
INPUT, CACHED, OUTPUT, THINKING = 120, 20, 30, 10


def words(text: str) -> list[str]:
    """The pieces that a stream sends a text in."""
    return re.findall(r"\S+\s*|\s+", text)
