"""OpenAI's SDK for Python: `responses`."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

import openai

from ..cell import Cell, Scenario, raises, same
from ..provider.ask import CACHED, INPUT, OUTPUT
from ..provider.script import BROKEN, REFUSED
from ..stage import Stage
from . import matter
from .openai_chat import connect

TOOLS = [
    {
        "type": "function",
        "name": matter.TOOL,
        "description": matter.TOOL_HELP,
        "parameters": matter.TOOL_SCHEMA,
        "strict": True,
    }
]


@contextmanager
def client(stage: Stage) -> Iterator[list[Scenario]]:
    """Everything here runs in this process."""
    yield [
        hello, stream, weather, weather_streamed, forecast, image, thinking, thinking_streamed,
        bad, limited, busy, down, broken, unknown,
    ]  # fmt: skip


def ask(cell: Cell, content: object, **options: object):
    return connect(cell).responses.create(model=cell.model, input=content, **options)


def spent(usage) -> None:
    same((usage.input_tokens, usage.output_tokens, usage.total_tokens), (INPUT, OUTPUT, INPUT + OUTPUT), "usage")
    same(usage.input_tokens_details.cached_tokens, CACHED, "cached")


def hello(cell: Cell) -> None:
    answer = ask(cell, matter.HELLO, instructions="Be brief.", max_output_tokens=100)
    same(answer.output_text, matter.hello(cell.model), "text")
    same(answer.status, "completed", "status")
    spent(answer.usage)
    same(cell.losses(), set(), "losses")


def stream(cell: Cell) -> None:
    words, last = [], None
    for event in ask(cell, matter.HELLO, stream=True):
        if event.type == "response.output_text.delta":
            words.append(event.delta)
        last = event
    same("".join(words), matter.hello(cell.model), "text")
    assert len(words) > 3, f"the stream came in {len(words)} pieces"
    same(last.type, "response.completed", "the last event")
    same(last.response.output_text, matter.hello(cell.model), "the whole text")
    spent(last.response.usage)


def loop(cell: Cell, say, cities: list[str], asked: str) -> str:
    """Does what the model asks for until it has the answer. `say` gives one response."""
    items: list = [{"role": "user", "content": asked}]
    answer = say(items)
    calls = [item for item in answer.output if item.type == "function_call"]
    same([json.loads(call.arguments) for call in calls], [{"city": city} for city in cities], "calls")
    items += answer.output
    for call in calls:
        output = matter.measured(cell, json.loads(call.arguments)["city"])
        items.append({"type": "function_call_output", "call_id": call.call_id, "output": output})
    return say(items).output_text


def whole(cell: Cell, **options: object):
    return lambda items: ask(cell, items, tools=TOOLS, **options)


def streamed(cell: Cell, **options: object):
    def say(items: list):
        with connect(cell).responses.stream(model=cell.model, input=items, tools=TOOLS, **options) as events:
            return events.get_final_response()

    return say


def weather(cell: Cell) -> None:
    found = loop(cell, whole(cell), ["Oslo", "Rome"], matter.WEATHER)
    same(found, matter.found(cell, "Oslo", "Rome"), "text")


def weather_streamed(cell: Cell) -> None:
    found = loop(cell, streamed(cell), ["Oslo", "Rome"], matter.WEATHER)
    same(found, matter.found(cell, "Oslo", "Rome"), "text")


# Those who keep nothing at OpenAI get reasoning sealed, and send it back.
REASONING = {
    "reasoning": {"effort": "low", "summary": "auto"},
    "include": ["reasoning.encrypted_content"],
    "store": False,
}


def thinking(cell: Cell) -> None:
    same(loop(cell, whole(cell, **REASONING), ["Oslo"], matter.THINK), matter.found(cell, "Oslo"), "text")


def thinking_streamed(cell: Cell) -> None:
    same(loop(cell, streamed(cell, **REASONING), ["Oslo"], matter.THINK), matter.found(cell, "Oslo"), "text")


def forecast(cell: Cell) -> None:
    asked = matter.FORECAST
    answer = connect(cell).responses.parse(model=cell.model, input=asked, text_format=matter.Forecast)
    same(answer.output_parsed, matter.Forecast(city="Oslo", degrees=4), "parsed")


def image(cell: Cell) -> None:
    url = {"type": "input_image", "image_url": f"data:image/png;base64,{matter.PNG_BASE64}", "detail": "auto"}
    content = [{"type": "input_text", "text": "<<image>> What is this?"}, url]
    same(ask(cell, [{"role": "user", "content": content}]).output_text, matter.SEEN, "text")


def bad(cell: Cell) -> None:
    assert REFUSED in str(raises(openai.BadRequestError, lambda: ask(cell, "<<bad>>")))
    assert REFUSED in str(raises(openai.BadRequestError, lambda: ask(cell, "<<bad>>", stream=True)))


def limited(cell: Cell) -> None:
    error = raises(openai.RateLimitError, lambda: ask(cell, "<<limited>>"))
    same(error.response.headers.get("retry-after"), "7", "retry-after")


def busy(cell: Cell) -> None:
    """The SDK asks again."""
    answer = connect(cell, retries=1).responses.create(model=cell.model, input=f"<<busy {cell.nonce}>>")
    same(answer.output_text, "At last.", "text")
    same(len(cell.asked()), 2, "requests")


def down(cell: Cell) -> None:
    assert REFUSED in str(raises(openai.InternalServerError, lambda: ask(cell, "<<down>>", stream=True)))


def broken(cell: Cell) -> None:
    """OpenAI's own error is an event that the SDK gives out; one with an `error` in it, it raises."""
    words, told = [], None
    try:
        for event in ask(cell, "<<broken>>", stream=True):
            assert event.type != "response.completed", event
            words.append(event.delta if event.type == "response.output_text.delta" else "")
            told = event.message if event.type == "error" else told
    except openai.APIError as error:
        told = error.message
    same(told, BROKEN, "the error")
    same("".join(words), matter.BEGINNING, "text")


def unknown(cell: Cell) -> None:
    def call() -> object:
        return connect(cell).responses.create(model="nobody", input="hi")

    same(raises(openai.NotFoundError, call).code, "model_not_found", "code")
