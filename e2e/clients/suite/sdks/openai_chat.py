"""OpenAI's SDK for Python: `chat.completions`, `completions`, `embeddings` and `models`."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import openai

from ..cell import Cell, Scenario, raises, same
from ..provider.ask import CACHED, INPUT, OUTPUT
from ..provider.script import BROKEN, REFUSED
from ..provider.vectors import TOKENS, vector
from ..stage import MODELS, Stage
from . import matter

TOOL = {"name": matter.TOOL, "description": matter.TOOL_HELP, "parameters": matter.TOOL_SCHEMA}
TOOLS = [{"type": "function", "function": TOOL}]


@contextmanager
def client(stage: Stage) -> Iterator[list[Scenario]]:
    """Everything here runs in this process."""
    yield [
        hello, stream, weather, weather_streamed, forecast, image, thinking,
        completion, completion_streamed, embedding, embedding_as_numbers,
        bad, limited, busy, down, broken, stranger, unknown, models,
    ]  # fmt: skip


def connect(cell: Cell, key: str | None = None, retries: int = 0) -> openai.OpenAI:
    return connection(cell.url, key or cell.key, retries)


@cache
def connection(url: str, key: str, retries: int) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{url}/v1", api_key=key, timeout=20, max_retries=retries)


def user(content: object) -> list[dict]:
    return [{"role": "system", "content": "Be brief."}, {"role": "user", "content": content}]


def ask(cell: Cell, content: object, **options: object):
    return connect(cell).chat.completions.create(model=cell.model, messages=user(content), **options)


def spent(usage) -> None:
    same((usage.prompt_tokens, usage.completion_tokens, usage.total_tokens), (INPUT, OUTPUT, INPUT + OUTPUT), "usage")
    same(usage.prompt_tokens_details.cached_tokens, CACHED, "cached")


def hello(cell: Cell) -> None:
    answer = ask(cell, matter.HELLO, temperature=0.5, max_tokens=100)
    same(answer.choices[0].message.content, matter.hello(cell.model), "text")
    same(answer.choices[0].finish_reason, "stop", "finish")
    spent(answer.usage)
    same(cell.losses(), set(), "losses")


def stream(cell: Cell) -> None:
    words, usage, finish = [], None, None
    for chunk in ask(cell, matter.HELLO, stream=True, stream_options={"include_usage": True}):
        usage = chunk.usage or usage
        for choice in chunk.choices:
            words.append(choice.delta.content or "")
            finish = choice.finish_reason or finish
    same("".join(words), matter.hello(cell.model), "text")
    assert len(words) > 3, f"the stream came in {len(words)} pieces"
    same(finish, "stop", "finish")
    spent(usage)


def loop(cell: Cell, say, messages: list[dict]) -> str:
    """Does what the model asks for until it has the answer. `say` gives one message of it."""
    message = say(messages)
    same(
        [json.loads(call.function.arguments) for call in message.tool_calls],
        [{"city": "Oslo"}, {"city": "Rome"}],
        "calls",
    )
    assert len({call.id for call in message.tool_calls}) == 2, message.tool_calls
    messages.append(message)
    for call in message.tool_calls:
        content = matter.measured(cell, json.loads(call.function.arguments)["city"])
        messages.append({"role": "tool", "tool_call_id": call.id, "content": content})
    return say(messages).content


def weather(cell: Cell) -> None:
    def say(messages: list[dict]):
        answer = connect(cell).chat.completions.create(model=cell.model, messages=messages, tools=TOOLS)
        same(
            answer.choices[0].finish_reason, "tool_calls" if answer.choices[0].message.tool_calls else "stop", "finish"
        )
        return answer.choices[0].message

    same(loop(cell, say, user(matter.WEATHER)), matter.found(cell, "Oslo", "Rome"), "text")


def weather_streamed(cell: Cell) -> None:
    def say(messages: list[dict]):
        with connect(cell).chat.completions.stream(model=cell.model, messages=messages, tools=TOOLS) as events:
            return events.get_final_completion().choices[0].message

    same(loop(cell, say, user(matter.WEATHER)), matter.found(cell, "Oslo", "Rome"), "text")


def forecast(cell: Cell) -> None:
    asked = user(matter.FORECAST)
    answer = connect(cell).chat.completions.parse(model=cell.model, messages=asked, response_format=matter.Forecast)
    same(answer.choices[0].message.parsed, matter.Forecast(city="Oslo", degrees=4), "parsed")


def image(cell: Cell) -> None:
    url = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{matter.PNG_BASE64}"}}
    answer = ask(cell, [{"type": "text", "text": "<<image>> What is this?"}, url])
    same(answer.choices[0].message.content, matter.SEEN, "text")


def thinking(cell: Cell) -> None:
    """The whole message goes back, as the SDK's guide has it."""
    messages = user(matter.THINK)
    options = {"model": cell.model, "tools": TOOLS, "reasoning_effort": "low"}
    message = connect(cell).chat.completions.create(messages=messages, **options).choices[0].message
    messages += [
        message,
        {"role": "tool", "tool_call_id": message.tool_calls[0].id, "content": matter.measured(cell, "Oslo")},
    ]
    answer = connect(cell).chat.completions.create(messages=messages, **options)
    same(answer.choices[0].message.content, matter.found(cell, "Oslo"), "text")


def completion(cell: Cell) -> None:
    """The older API."""
    answer = connect(cell).completions.create(model=cell.model, prompt=matter.HELLO, max_tokens=100)
    same(answer.choices[0].text, matter.hello(cell.model), "text")
    spent(answer.usage)


def completion_streamed(cell: Cell) -> None:
    stream = connect(cell).completions.create(model=cell.model, prompt=matter.HELLO, max_tokens=100, stream=True)
    same("".join(chunk.choices[0].text for chunk in stream if chunk.choices), matter.hello(cell.model), "text")


def embedding(cell: Cell) -> None:
    """The SDK asks for base64 and reads it itself. Anthropic has no embeddings."""

    def embed() -> object:
        return connect(cell).embeddings.create(model=cell.model, input=matter.TEXTS, dimensions=3)

    if cell.model == "anthropic":
        same(raises(openai.BadRequestError, embed).code, "model_cannot_embed", "code")
        return
    answer = embed()
    same([one.embedding for one in answer.data], [vector(text, 3) for text in matter.TEXTS], "vectors")
    same((answer.usage.prompt_tokens, answer.usage.total_tokens), (2 * TOKENS, 2 * TOKENS), "usage")
    same(cell.losses(), set(), "losses")


def embedding_as_numbers(cell: Cell) -> None:
    """In numbers, for those who want to read them."""
    if cell.model == "anthropic":
        return
    answer = connect(cell).embeddings.create(model=cell.model, input=matter.TEXTS[0], encoding_format="float")
    same(answer.data[0].embedding, vector(matter.TEXTS[0]), "vector")


def bad(cell: Cell) -> None:
    assert REFUSED in str(raises(openai.BadRequestError, lambda: ask(cell, "<<bad>>")))
    assert REFUSED in str(raises(openai.BadRequestError, lambda: ask(cell, "<<bad>>", stream=True)))


def limited(cell: Cell) -> None:
    error = raises(openai.RateLimitError, lambda: ask(cell, "<<limited>>"))
    assert REFUSED in str(error)
    same(error.response.headers.get("retry-after"), "7", "retry-after")


def busy(cell: Cell) -> None:
    """The SDK waits as long as it is told, and asks again."""
    asked = user(f"<<busy {cell.nonce}>>")
    answer = connect(cell, retries=1).chat.completions.create(model=cell.model, messages=asked)
    same(answer.choices[0].message.content, "At last.", "text")
    first, second = cell.asked()
    assert second.at - first.at >= 1, f"it came back after {second.at - first.at} s"


def down(cell: Cell) -> None:
    assert REFUSED in str(raises(openai.InternalServerError, lambda: ask(cell, "<<down>>")))


def broken(cell: Cell) -> None:
    words = []

    def read() -> None:
        for chunk in ask(cell, "<<broken>>", stream=True):
            words.extend(choice.delta.content or "" for choice in chunk.choices)

    assert BROKEN in str(raises(openai.APIError, read))
    same("".join(words), matter.BEGINNING, "text")


def stranger(cell: Cell) -> None:
    error = raises(openai.AuthenticationError, lambda: connect(cell, "sk-no").models.list())
    same(error.code, "invalid_api_key", "code")


def unknown(cell: Cell) -> None:
    def call() -> object:
        return connect(cell).chat.completions.create(model="nobody", messages=user("hi"))

    same(raises(openai.NotFoundError, call).code, "model_not_found", "code")


def models(cell: Cell) -> None:
    same({model.id for model in connect(cell).models.list()}, set(MODELS), "models")
    same(connect(cell).models.retrieve(cell.model).id, cell.model, "model")
