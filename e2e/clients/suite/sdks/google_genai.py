"""Google's SDK for Python: `models` and `chats`, with functions that the SDK calls itself."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from google import genai
from google.genai import errors, types

from ..cell import Cell, Scenario, raises, same
from ..provider.ask import CACHED, INPUT, OUTPUT
from ..provider.script import BROKEN, REFUSED, THOUGHT
from ..provider.vectors import vector
from ..stage import MODELS, Stage
from . import matter

DECLARED = {"name": matter.TOOL, "description": matter.TOOL_HELP, "parameters_json_schema": matter.TOOL_SCHEMA}
TOOLS = [types.Tool(function_declarations=[types.FunctionDeclaration(**DECLARED)])]


@contextmanager
def client(stage: Stage) -> Iterator[list[Scenario]]:
    """Everything here runs in this process."""
    yield [
        hello, stream, weather, weather_streamed, weather_by_chat, weather_by_chat_streamed, forecast, image, thinking,
        thinking_streamed, counting, embedding, bad, limited, busy, down, broken, stranger, unknown, models,
    ]  # fmt: skip


def connect(cell: Cell, key: str | None = None, attempts: int = 1) -> genai.Client:
    return connection(cell.url, key or cell.key, attempts)


@cache
def connection(url: str, key: str, attempts: int) -> genai.Client:
    """Kept, since this client hangs up when nobody holds it, even with a stream to read."""
    retries = types.HttpRetryOptions(attempts=attempts, initial_delay=0, jitter=0)
    return genai.Client(
        api_key=key, http_options=types.HttpOptions(base_url=url, timeout=20_000, retry_options=retries)
    )


def config(**more: object) -> types.GenerateContentConfig:
    return types.GenerateContentConfig(system_instruction="Be brief.", **more)


def ask(cell: Cell, contents: object, **more: object):
    return connect(cell).models.generate_content(model=cell.model, contents=contents, config=config(**more))


def stream_of(cell: Cell, contents: object, **more: object):
    return connect(cell).models.generate_content_stream(model=cell.model, contents=contents, config=config(**more))


def spent(usage) -> None:
    output = (usage.candidates_token_count or 0) + (usage.thoughts_token_count or 0)
    same((usage.prompt_token_count, output, usage.total_token_count), (INPUT, OUTPUT, INPUT + OUTPUT), "usage")
    same(usage.cached_content_token_count, CACHED, "cached")


def hello(cell: Cell) -> None:
    answer = ask(cell, matter.HELLO, max_output_tokens=100, temperature=0.5)
    same(answer.text, matter.hello(cell.model), "text")
    same(answer.candidates[0].finish_reason, types.FinishReason.STOP, "finish")
    spent(answer.usage_metadata)
    same(cell.losses(), set(), "losses")


def stream(cell: Cell) -> None:
    chunks = list(stream_of(cell, matter.HELLO))
    words = [chunk.text for chunk in chunks if chunk.text]
    same("".join(words), matter.hello(cell.model), "text")
    assert len(words) > 3, f"the stream came in {len(words)} pieces"
    same(chunks[-1].candidates[0].finish_reason, types.FinishReason.STOP, "finish")
    spent(chunks[-1].usage_metadata)


def loop(cell: Cell, say, cities: list[str], asked: str) -> str:
    """Does what the model asks for until it has the answer. `say` gives the parts of one turn."""
    contents = [types.Content(role="user", parts=[types.Part(text=asked)])]
    parts = say(contents)
    thoughts = "".join(part.text or "" for part in parts if part.thought)
    same(thoughts, THOUGHT if asked == matter.THINK else "", "thoughts")
    calls = [part.function_call for part in parts if part.function_call]
    same([call.args for call in calls], [{"city": city} for city in cities], "calls")
    results = []
    for call in calls:
        response = {"result": matter.measured(cell, call.args["city"])}
        results.append(
            types.Part(function_response=types.FunctionResponse(id=call.id, name=call.name, response=response))
        )
    contents += [types.Content(role="model", parts=parts), types.Content(role="user", parts=results)]
    return "".join(part.text or "" for part in say(contents))


def whole(cell: Cell, **more: object):
    return lambda contents: ask(cell, contents, tools=TOOLS, **more).candidates[0].content.parts


def weather(cell: Cell) -> None:
    found = loop(cell, whole(cell), ["Oslo", "Rome"], matter.WEATHER)
    same(found, matter.found(cell, "Oslo", "Rome"), "text")


def streamed(cell: Cell, **more: object):
    def say(contents: list):
        chunks = stream_of(cell, contents, tools=TOOLS, **more)
        return [part for chunk in chunks for part in chunk.candidates[0].content.parts]

    return say


def weather_streamed(cell: Cell) -> None:
    found = loop(cell, streamed(cell), ["Oslo", "Rome"], matter.WEATHER)
    same(found, matter.found(cell, "Oslo", "Rome"), "text")


def function(cell: Cell):
    """A tool as users of this SDK write it."""

    def get_weather(city: str) -> str:
        """Tells the weather of a city.

        Args:
            city: The city's name
        """
        return matter.measured(cell, city)

    return get_weather


def weather_by_chat(cell: Cell) -> None:
    chat = connect(cell).chats.create(model=cell.model, config=config(tools=[function(cell)]))
    same(chat.send_message(matter.WEATHER).text, matter.found(cell, "Oslo", "Rome"), "text")


def weather_by_chat_streamed(cell: Cell) -> None:
    chat = connect(cell).chats.create(model=cell.model, config=config(tools=[function(cell)]))
    words = [chunk.text or "" for chunk in chat.send_message_stream(matter.WEATHER)]
    same("".join(words).removeprefix("Let me look. "), matter.found(cell, "Oslo", "Rome"), "text")


def forecast(cell: Cell) -> None:
    form = {"response_mime_type": "application/json", "response_schema": matter.Forecast}
    same(ask(cell, matter.FORECAST, **form).parsed, matter.Forecast(city="Oslo", degrees=4), "parsed")


def image(cell: Cell) -> None:
    picture = types.Part.from_bytes(data=matter.PNG, mime_type="image/png")
    same(ask(cell, [picture, "<<image>> What is this?"]).text, matter.SEEN, "text")


WISH = types.ThinkingConfig(include_thoughts=True, thinking_level="low")


def thinking(cell: Cell) -> None:
    found = loop(cell, whole(cell, thinking_config=WISH), ["Oslo"], matter.THINK)
    same(found, matter.found(cell, "Oslo"), "text")


def thinking_streamed(cell: Cell) -> None:
    found = loop(cell, streamed(cell, thinking_config=WISH), ["Oslo"], matter.THINK)
    same(found, matter.found(cell, "Oslo"), "text")


def counting(cell: Cell) -> None:
    count = connect(cell).models.count_tokens(model=cell.model, contents=matter.WEATHER).total_tokens
    assert 5 < count < 100, count


def embedding(cell: Cell) -> None:
    """Anthropic has none."""
    # Plain texts are one content with several parts for some models' names, and one each for others.
    contents = [types.Content(parts=[types.Part(text=text)]) for text in matter.TEXTS]

    def embed() -> object:
        size = types.EmbedContentConfig(output_dimensionality=3)
        return connect(cell).models.embed_content(model=cell.model, contents=contents, config=size)

    if cell.model == "anthropic":
        same(raises(errors.ClientError, embed).status, "INVALID_ARGUMENT", "status")
        return
    same([one.values for one in embed().embeddings], [vector(text, 3) for text in matter.TEXTS], "vectors")


def bad(cell: Cell) -> None:
    error = raises(errors.ClientError, lambda: ask(cell, "<<bad>>"))
    same((error.code, error.status, REFUSED in error.message), (400, "INVALID_ARGUMENT", True), "error")
    error = raises(errors.ClientError, lambda: list(stream_of(cell, "<<bad>>")))
    same((error.code, error.status, REFUSED in error.message), (400, "INVALID_ARGUMENT", True), "streamed error")


def limited(cell: Cell) -> None:
    error = raises(errors.ClientError, lambda: ask(cell, "<<limited>>"))
    same((error.code, error.status, REFUSED in error.message), (429, "RESOURCE_EXHAUSTED", True), "error")


def busy(cell: Cell) -> None:
    """The SDK asks again, if it is told to."""
    models = connect(cell, attempts=2).models
    answer = models.generate_content(model=cell.model, contents=f"<<busy {cell.nonce}>>")
    same(answer.text, "At last.", "text")
    same(len(cell.asked()), 2, "requests")


def down(cell: Cell) -> None:
    error = raises(errors.ServerError, lambda: ask(cell, "<<down>>"))
    assert REFUSED in error.message, error


def broken(cell: Cell) -> None:
    words = []

    def read() -> None:
        words.extend(chunk.text or "" for chunk in stream_of(cell, "<<broken>>"))

    assert BROKEN in str(raises(errors.ServerError, read))
    same("".join(words), matter.BEGINNING, "text")


def stranger(cell: Cell) -> None:
    contents = {"model": cell.model, "contents": "hi"}
    error = raises(errors.ClientError, lambda: connect(cell, "sk-no").models.generate_content(**contents))
    same((error.code, error.status), (401, "UNAUTHENTICATED"), "error")


def unknown(cell: Cell) -> None:
    error = raises(errors.ClientError, lambda: connect(cell).models.generate_content(model="nobody", contents="hi"))
    same((error.code, error.status), (404, "NOT_FOUND"), "error")


def models(cell: Cell) -> None:
    listed = connect(cell).models.list()
    same({model.name for model in listed}, {f"models/{name}" for name in MODELS}, "models")
    model = connect(cell).models.get(model=cell.model)
    same((model.name, "generateContent" in model.supported_actions), (f"models/{cell.model}", True), "model")
