"""One check: one client, one provider, one scenario. What it finds wrong is told with what passed on both sides."""

import re
import secrets
import traceback
from collections.abc import Callable

from .provider.server import Seen
from .stage import Stage


class Cell:
    """What a scenario is given."""

    def __init__(self, stage: Stage, model: str) -> None:
        self.stage, self.model = stage, model
        self.url, self.key = stage.url, stage.key
        # Tells what this scenario says from what others said.
        self.nonce = secrets.token_hex(4)
        self._first_piece = len(stage.tap.pieces)
        self._first_request = len(stage.provider.journal.seen)

    def asked(self) -> list[Seen]:
        """The requests that reached the provider."""
        return self.stage.provider.journal.seen[self._first_request :]

    def wire(self) -> str:
        """What passed between the client and the gateway."""
        return self.stage.tap.text(self._first_piece)

    def losses(self) -> set[str]:
        """The fields of requests that the gateway says it lost. Of answers, every language has some of its own."""
        found = re.findall(r"x-fairlead-losses: (.*)\r", self.wire())
        fields = {field for line in found for field in line.split(",")}
        return {field for field in fields if not field.startswith("answer.")}

    def report(self) -> str:
        """Both sides."""
        sides = [f"== client and gateway{self.wire()}", "== gateway and provider"]
        for seen in self.asked():
            sides.append(f">>> POST {seen.path}\n{seen.body}\n<<< {seen.status}\n{seen.answer}")
        return "\n".join(short(line) for line in "\n".join(sides).splitlines())


def short(line: str) -> str:
    """Claude Code's requests are one line of 50 kB: what it asked is at the end."""
    return line if len(line) <= 6000 else f"{line[:2000]} [...] {line[-4000:]}"


Scenario = Callable[[Cell], None]


def check(stage: Stage, model: str, scenario: Scenario) -> str | None:
    """Runs one; gives what is wrong, if anything is."""
    cell = Cell(stage, model)
    try:
        scenario(cell)
        faults = [seen.fault for seen in cell.asked() if seen.fault]
        assert not faults, f"the provider would not have taken it: {faults}"
    except Exception as error:  # A check may fail in any way that a client can.
        return f"{trace(error)}\n{cell.report()}"
    return None


def trace(error: Exception) -> str:
    """The error, and where in our own code it arose: the SDKs' insides help nobody."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "/suite/" in frame.filename]
    return "".join([*traceback.format_list(frames), *traceback.format_exception_only(error)])


def same(found: object, wanted: object, what: str) -> None:
    """Says what differs."""
    assert found == wanted, f"{what}: found {found!r}, wanted {wanted!r}"


def raises(kind: type[Exception], call: Callable[[], object]) -> Exception:
    """The error that `call` ends in, which must be of exactly this kind."""
    try:
        call()
    except Exception as error:
        assert type(error) is kind, f"{type(error).__name__} and not {kind.__name__}: {error}"
        return error
    raise AssertionError(f"no error, and {kind.__name__} was due")
