"""Anthropic's SDK for Python: `messages`, its stream helper and tool runner, and `count_tokens`."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import anthropic
from anthropic import beta_tool

from ..cell import Cell, Scenario, raises, same
from ..provider.ask import CACHED, INPUT, OUTPUT
from ..provider.script import BROKEN, REFUSED, THOUGHT
from ..stage import MODELS, Stage
from . import matter

TOOLS = [{"name": matter.TOOL, "description": matter.TOOL_HELP, "input_schema": matter.TOOL_SCHEMA}]
THINKING = {"type": "enabled", "budget_tokens": 1024}


@contextmanager
def client(stage: Stage) -> Iterator[list[Scenario]]:
    """Everything here runs in this process."""
    yield [
        hello, stream, weather, weather_streamed, weather_by_runner, forecast, image, thinking, thinking_streamed,
        caching, counting, bad, limited, busy, down, broken, stranger, unknown, models,
    ]  # fmt: skip


def connect(cell: Cell, key: str | None = None, retries: int = 0) -> anthropic.Anthropic:
    return connection(cell.url, key or cell.key, retries)


@cache
def connection(url: str, key: str, retries: int) -> anthropic.Anthropic:
    return anthropic.Anthropic(base_url=url, api_key=key, timeout=20, max_retries=retries)


def options(cell: Cell, content: object, **more: object) -> dict:
    asked = {"model": cell.model, "max_tokens": 2000, "system": "Be brief."}
    return {**asked, "messages": [{"role": "user", "content": content}], **more}


def ask(cell: Cell, content: object, **more: object):
    return connect(cell).messages.create(**options(cell, content, **more))


def said(message) -> str:
    return "".join(block.text for block in message.content if block.type == "text")


def spent(usage) -> None:
    same((usage.input_tokens, usage.output_tokens), (INPUT - CACHED, OUTPUT), "usage")
    same(usage.cache_read_input_tokens, CACHED, "cached")


def hello(cell: Cell) -> None:
    message = ask(cell, matter.HELLO)
    same(said(message), matter.hello(cell.model), "text")
    same(message.stop_reason, "end_turn", "stop reason")
    spent(message.usage)
    same(cell.losses(), set(), "losses")


def stream(cell: Cell) -> None:
    with connect(cell).messages.stream(**options(cell, matter.HELLO)) as events:
        words = list(events.text_stream)
        message = events.get_final_message()
    same("".join(words), matter.hello(cell.model), "text")
    assert len(words) > 3, f"the stream came in {len(words)} pieces"
    same(said(message), matter.hello(cell.model), "the whole text")
    same(message.stop_reason, "end_turn", "stop reason")
    spent(message.usage)


def loop(cell: Cell, say, cities: list[str], asked: str) -> str:
    """Does what the model asks for until it has the answer. `say` gives one message of it."""
    messages: list = [{"role": "user", "content": asked}]
    message = say(messages)
    same(message.stop_reason, "tool_use", "stop reason")
    # A block without words only carries the seal of another provider's call.
    thoughts = [block.thinking for block in message.content if block.type == "thinking" and block.thinking]
    same(thoughts, [THOUGHT] * (asked == matter.THINK), "thoughts")
    calls = [block for block in message.content if block.type == "tool_use"]
    same([call.input for call in calls], [{"city": city} for city in cities], "calls")
    results = [
        {"type": "tool_result", "tool_use_id": call.id, "content": matter.measured(cell, call.input["city"])}
        for call in calls
    ]
    messages += [{"role": "assistant", "content": message.content}, {"role": "user", "content": results}]
    return said(say(messages))


def whole(cell: Cell, **more: object):
    return lambda messages: ask(cell, "", tools=TOOLS, **{**more, "messages": messages})


def streamed(cell: Cell, **more: object):
    def say(messages: list):
        with connect(cell).messages.stream(
            **options(cell, "", tools=TOOLS, **{**more, "messages": messages})
        ) as events:
            return events.get_final_message()

    return say


def weather(cell: Cell) -> None:
    found = loop(cell, whole(cell), ["Oslo", "Rome"], matter.WEATHER)
    same(found, matter.found(cell, "Oslo", "Rome"), "text")


def weather_streamed(cell: Cell) -> None:
    found = loop(cell, streamed(cell), ["Oslo", "Rome"], matter.WEATHER)
    same(found, matter.found(cell, "Oslo", "Rome"), "text")


def weather_by_runner(cell: Cell) -> None:
    """The SDK itself calls the function."""

    @beta_tool
    def get_weather(city: str) -> str:
        """Tells the weather of a city.

        Args:
            city: The city's name
        """
        return matter.measured(cell, city)

    runner = connect(cell).beta.messages.tool_runner(**options(cell, matter.WEATHER), tools=[get_weather])
    same(said(runner.until_done()), matter.found(cell, "Oslo", "Rome"), "text")


def thinking(cell: Cell) -> None:
    found = loop(cell, whole(cell, thinking=THINKING), ["Oslo"], matter.THINK)
    same(found, matter.found(cell, "Oslo"), "text")


def thinking_streamed(cell: Cell) -> None:
    found = loop(cell, streamed(cell, thinking=THINKING), ["Oslo"], matter.THINK)
    same(found, matter.found(cell, "Oslo"), "text")


def forecast(cell: Cell) -> None:
    asked = options(cell, matter.FORECAST)
    message = connect(cell).messages.parse(**asked, output_format=matter.Forecast)
    same(message.parsed_output, matter.Forecast(city="Oslo", degrees=4), "parsed")


def image(cell: Cell) -> None:
    source = {"type": "base64", "media_type": "image/png", "data": matter.PNG_BASE64}
    message = ask(cell, [{"type": "image", "source": source}, {"type": "text", "text": "<<image>> What is this?"}])
    same(said(message), matter.SEEN, "text")


def caching(cell: Cell) -> None:
    """Only Anthropic has marks; to others the prompt goes without, for they cache by themselves."""
    mark = {"cache_control": {"type": "ephemeral"}}
    system = [{"type": "text", "text": "Be brief.", **mark}]
    message = ask(cell, [{"type": "text", "text": "<<cache>>", **mark}], system=system, tools=[{**TOOLS[0], **mark}])
    same(said(message), "3 marks." if cell.model == "anthropic" else "0 marks.", "text")
    same(message.usage.cache_read_input_tokens, CACHED, "cached")


def counting(cell: Cell) -> None:
    asked = options(cell, matter.WEATHER, tools=TOOLS)
    del asked["max_tokens"]
    more = connect(cell).messages.count_tokens(**asked).input_tokens
    del asked["tools"]
    less = connect(cell).messages.count_tokens(**asked).input_tokens
    assert 10 < less < more < 300, (less, more)


def bad(cell: Cell) -> None:
    assert REFUSED in str(raises(anthropic.BadRequestError, lambda: ask(cell, "<<bad>>")))
    assert REFUSED in str(raises(anthropic.BadRequestError, lambda: ask(cell, "<<bad>>", stream=True)))


def limited(cell: Cell) -> None:
    error = raises(anthropic.RateLimitError, lambda: ask(cell, "<<limited>>"))
    assert REFUSED in str(error)
    same(error.response.headers.get("retry-after"), "7", "retry-after")
    same(error.body["error"]["type"], "rate_limit_error", "type")


def busy(cell: Cell) -> None:
    """The SDK waits as long as it is told, and asks again."""
    message = connect(cell, retries=1).messages.create(**options(cell, f"<<busy {cell.nonce}>>"))
    same(said(message), "At last.", "text")
    first, second = cell.asked()
    assert second.at - first.at >= 1, f"it came back after {second.at - first.at} s"


def down(cell: Cell) -> None:
    try:
        ask(cell, "<<down>>")
    except anthropic.InternalServerError as error:
        assert REFUSED in str(error), error
    else:
        raise AssertionError("no error")


def broken(cell: Cell) -> None:
    words = []

    def read() -> None:
        with connect(cell).messages.stream(**options(cell, "<<broken>>")) as events:
            words.extend(events.text_stream)

    try:
        read()
    except anthropic.APIStatusError as error:
        assert BROKEN in str(error), error
    else:
        raise AssertionError("a broken stream ended as if it were whole")
    same("".join(words), matter.BEGINNING, "text")


def stranger(cell: Cell) -> None:
    raises(anthropic.AuthenticationError, lambda: connect(cell, "sk-no").messages.create(**options(cell, "hi")))


def unknown(cell: Cell) -> None:
    raises(anthropic.NotFoundError, lambda: ask(cell, "hi", model="nobody"))


def models(cell: Cell) -> None:
    same({model.id for model in connect(cell).models.list()}, set(MODELS), "models")
    same(connect(cell).models.retrieve(cell.model).display_name, cell.model, "model")
