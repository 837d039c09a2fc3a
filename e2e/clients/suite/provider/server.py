"""The stand-in's paths, and what it remembers: all that it was asked and answered, and what it found wrong with it."""

import json
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from . import anthropic, chat, gemini, responses, vectors
from .ask import Broken, Refusal
from .rules import Bad, need
from .script import play

# The path's first part says whose API it is.
DIALECTS = {"chat": chat, "responses": responses, "anthropic": anthropic, "gemini": gemini}
ENDS = {"chat": "/chat/completions", "responses": "/responses", "anthropic": "/messages", "gemini": "enerateContent"}


@dataclass
class Seen:
    """One request, and what came of it."""

    path: str
    body: str
    headers: dict[str, str]
    at: float
    answer: str = ""
    status: int = 0
    # Why the provider would not have taken it.
    fault: str | None = None


@dataclass
class Journal:
    """All requests."""

    seen: list[Seen] = field(default_factory=list)
    attempts: dict[str, int] = field(default_factory=dict)


class Provider(ThreadingHTTPServer):
    """The stand-in, serving until it is closed."""

    daemon_threads = True
    # The gateway opens connections as it likes.
    request_queue_size = 64

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.journal = Journal()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def base(self, name: str) -> str:
        """The base URL of one language's API."""
        version = "v1beta" if name == "gemini" else "v1"
        return f"http://127.0.0.1:{self.server_port}/{name}/{version}"


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    # What is written in pieces is sent in pieces.
    disable_nagle_algorithm = True
    server: Provider

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        seen = Seen(self.path, body.decode("utf-8", "replace"), headers, time.monotonic())
        self.server.journal.seen.append(seen)
        name = self.path.split("/")[1]
        dialect = DIALECTS.get(name, chat)
        try:
            if vectors.is_asked(self.path):
                self.whole(200, vectors.answer(name, json.loads(body), headers, self.path), {}, seen)
                return
            need(self.path.split("?")[0].endswith(ENDS.get(name, "?")), f"there is nothing at {self.path}")
            request = json.loads(body)
            ask = dialect.read(request, headers, self.path)
            outcome = play(ask, self.server.journal.attempts)
        except (Bad, KeyError, TypeError, AttributeError, ValueError) as error:
            seen.fault = f"{type(error).__name__}: {error}"
            self.refuse(dialect, Refusal(400, f"the stand-in refuses this: {seen.fault}"), seen)
            return
        self.answer(dialect, request, ask.stream, outcome, seen)

    def answer(self, dialect, request: dict, stream: bool, outcome, seen: Seen) -> None:
        model = request.get("model") or self.path.rsplit("/", 1)[-1].split(":")[0]
        if isinstance(outcome, Refusal):
            self.refuse(dialect, outcome, seen)
        elif stream and isinstance(outcome, Broken):
            self.stream(dialect.events(outcome.turn, model, request, Refusal(503, outcome.message)), seen)
        elif stream:
            self.stream(dialect.events(outcome, model, request, None), seen)
        else:
            turn = outcome.turn if isinstance(outcome, Broken) else outcome
            self.whole(200, dialect.whole(turn, model, request), {}, seen)

    def refuse(self, dialect, refusal: Refusal, seen: Seen) -> None:
        wait = {} if refusal.retry_after is None else {"retry-after": str(refusal.retry_after)}
        self.whole(refusal.status, dialect.refused(refusal), wait, seen)

    def whole(self, status: int, answer: dict, headers: dict, seen: Seen) -> None:
        text = json.dumps(answer, ensure_ascii=False)
        seen.status, seen.answer, data = status, text, text.encode()
        self.begin(status, {"content-type": "application/json", "content-length": str(len(data)), **headers})
        self.wfile.write(data)

    def stream(self, frames: list[str], seen: Seen) -> None:
        seen.status, seen.answer = 200, "".join(frames)
        self.begin(200, {"content-type": "text/event-stream", "transfer-encoding": "chunked"})
        for frame in frames:
            data = frame.encode()
            self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.write(b"0\r\n\r\n")

    def begin(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """The journal is the log."""
