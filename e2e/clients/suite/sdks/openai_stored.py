"""OpenAI's SDK for Python: `responses` that are kept. No stand-in keeps any, so the gateway does."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

import openai

from ..cell import Cell, Scenario, raises, same
from ..provider.ask import INPUT, OUTPUT
from ..stage import Stage
from . import matter
from .openai_chat import connect
from .openai_responses import TOOLS, ask


@contextmanager
def client(stage: Stage) -> Iterator[list[Scenario]]:
    """Everything here runs in this process."""
    yield [
        weather, weather_streamed, thinking, thinking_streamed,
        retrieved, listed, deleted, not_kept, not_in_background,
    ]  # fmt: skip


def whole(cell: Cell, asked: object, **options: object):
    return ask(cell, asked, **options)


def streamed(cell: Cell, asked: object, **options: object):
    with connect(cell).responses.stream(model=cell.model, input=asked, **options) as events:
        return events.get_final_response()


def thread(cell: Cell, say, asked: str, **options: object) -> list:
    """Calls tools until there is an answer. Each request has only what is new."""
    said = [say(cell, asked, tools=TOOLS, **options)]
    outputs = [
        {
            "type": "function_call_output",
            "call_id": item.call_id,
            "output": matter.measured(cell, json.loads(item.arguments)["city"]),
        }
        for item in said[0].output
        if item.type == "function_call"
    ]
    said.append(say(cell, outputs, tools=TOOLS, previous_response_id=said[0].id, **options))
    same([one.store for one in said], [True, True], "store")
    same(said[1].previous_response_id, said[0].id, "previous_response_id")
    same(cell.losses() & {"store", "previous_response_id"}, set(), "losses")
    return said


def weather(cell: Cell) -> None:
    same(thread(cell, whole, matter.WEATHER)[1].output_text, matter.found(cell, "Oslo", "Rome"), "text")


def weather_streamed(cell: Cell) -> None:
    same(thread(cell, streamed, matter.WEATHER)[1].output_text, matter.found(cell, "Oslo", "Rome"), "text")


REASONING = {"reasoning": {"effort": "low", "summary": "auto"}, "include": ["reasoning.encrypted_content"]}


def thinking(cell: Cell) -> None:
    """Thoughts and their seals are at the provider again, though nobody sent them."""
    same(thread(cell, whole, matter.THINK, **REASONING)[1].output_text, matter.found(cell, "Oslo"), "text")


def thinking_streamed(cell: Cell) -> None:
    same(thread(cell, streamed, matter.THINK, **REASONING)[1].output_text, matter.found(cell, "Oslo"), "text")


def retrieved(cell: Cell) -> None:
    """As it was answered, however it was answered."""
    for say in (whole, streamed):
        answer = say(cell, matter.HELLO)
        found = connect(cell).responses.retrieve(answer.id, include=["message.output_text.logprobs"])
        same(found.output_text, matter.hello(cell.model), "text")
        same((found.id, found.status, found.store), (answer.id, "completed", True), "id, status, store")
        same((found.usage.input_tokens, found.usage.output_tokens), (INPUT, OUTPUT), "usage")


def listed(cell: Cell) -> None:
    """The SDK turns the pages itself."""
    last = thread(cell, whole, matter.WEATHER)[1]
    items = list(connect(cell).responses.input_items.list(last.id, limit=2, order="asc"))
    kinds = [item.type for item in items if item.type != "reasoning"]
    calls = ["function_call", "function_call", "function_call_output", "function_call_output"]
    same(kinds, ["message", "message", *calls], "kinds")
    same(items[0].content[0].text, matter.WEATHER, "the first")
    same(items[-1].output, matter.measured(cell, "Rome"), "the last")
    newest = list(connect(cell).responses.input_items.list(last.id))
    same([item.id for item in newest], [item.id for item in reversed(items)], "ids, newest first")
    same(len({item.id for item in items}), len(items), "ids")


def deleted(cell: Cell) -> None:
    answer = ask(cell, matter.HELLO)
    same(connect(cell).responses.delete(answer.id), None, "what the SDK gives")
    lost(cell, answer.id)
    raises(openai.NotFoundError, lambda: connect(cell).responses.delete(answer.id))


def not_kept(cell: Cell) -> None:
    """Who does not want it kept cannot go on from it."""
    answer = ask(cell, matter.HELLO, store=False)
    lost(cell, answer.id)


def lost(cell: Cell, response: str) -> None:
    raises(openai.NotFoundError, lambda: connect(cell).responses.retrieve(response))
    raises(openai.NotFoundError, lambda: connect(cell).responses.input_items.list(response))
    error = raises(openai.BadRequestError, lambda: ask(cell, matter.HELLO, previous_response_id=response))
    same((error.code, error.param), ("previous_response_not_found", "previous_response_id"), "error")


def not_in_background(cell: Cell) -> None:
    error = raises(openai.BadRequestError, lambda: ask(cell, matter.HELLO, background=True))
    same((error.code, error.param), ("unsupported_parameter", "background"), "error")
    answer = ask(cell, matter.HELLO)
    raises(openai.BadRequestError, lambda: connect(cell).responses.cancel(answer.id))
    raises(openai.BadRequestError, lambda: connect(cell).responses.retrieve(answer.id, stream=True))
