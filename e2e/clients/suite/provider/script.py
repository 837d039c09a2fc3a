"""What the stand-in answers. The prompt names a script by a mark, as `<<weather>>`; which step it is at is read from
the conversation, as a real model would, so nothing is remembered but how often a busy provider was asked.
"""

import base64
import json

from .ask import Ask, Broken, Call, Refusal, Thought, Turn
from .rules import need

CITIES = ("Oslo", "Rome")
REFUSED = "the stand-in was told to refuse this"
BROKEN = "the stand-in was told to break off"
THOUGHT = "I should look at Oslo."
FORECAST = {"city": "Oslo", "degrees": 4}


def play(ask: Ask, attempts: dict[str, int]) -> Turn | Broken | Refusal:
    """The answer to `ask`. `attempts` counts requests by the argument of their mark."""
    if ask.is_thread:
        details = {"error_code": "thread_unsupported_request", "unsupported": ["model"]}
        return Refusal(400, "the stand-in keeps no threads", details=details)
    name, argument = ask.script()
    match name:
        case "hello":
            return Turn([f"Hello from {ask.dialect}: æ, 你, 🙂."])
        case "weather":
            return weather(ask)
        case "think":
            return think(ask)
        case "forecast":
            return forecast(ask)
        case "image":
            need(len(ask.images) == 1, f"the script wants one image and sees {len(ask.images)}")
            return Turn([f"An image of {len(ask.images[0])} bytes."])
        case "cache":
            return Turn([f"{ask.cache_marks} marks."])
        case "bad":
            return Refusal(400, REFUSED)
        case "limited":
            return Refusal(429, REFUSED, retry_after=7)
        case "down":
            return Refusal(503, REFUSED)
        case "busy":
            attempts[argument] = attempts.get(argument, 0) + 1
            return Refusal(429, REFUSED, retry_after=1) if attempts[argument] == 1 else Turn(["At last."])
        case "broken":
            return Broken(Turn(["It begins well. "]), BROKEN)
        case "tool":
            return tool(ask, argument)
        case _:
            return Turn(["No script was named."])


def weather(ask: Ask) -> Turn:
    """Asks for two cities at once, then repeats what it was told."""
    if not ask.calls:
        need("get_weather" in ask.tools, f"the script wants the tool get_weather and sees {sorted(ask.tools)}")
        return Turn(
            ["Let me look. ", *(call(ask, index, "get_weather", {"city": city}) for index, city in enumerate(CITIES))]
        )
    asked = [made.arguments.get("city") for made in ask.calls]
    need(asked == list(CITIES), f"the calls came back with the cities {asked}")
    sealed(ask, ask.calls[0].seal, of="call")
    return Turn(["Found: " + "; ".join(ask.results[made.id] for made in ask.calls)])


def think(ask: Ask) -> Turn:
    """Thinks, calls once, and wants its thoughts back as they were."""
    need(ask.thinks, "the script wants thinking to be asked for")
    if not ask.calls:
        thoughts = [Thought(THOUGHT, seal(ask.dialect, "thought"))] if ask.shows_thoughts else []
        return Turn([*thoughts, call(ask, 0, "get_weather", {"city": CITIES[0]})])
    if ask.dialect in ("anthropic", "openai-responses"):
        need(len(ask.thoughts) == 1, f"one thought went out, {len(ask.thoughts)} came back")
        sealed(ask, ask.thoughts[0].seal, of="thought")
    sealed(ask, ask.calls[0].seal, of="call")
    return Turn(["Found: " + "; ".join(ask.results.values())])


def forecast(ask: Ask) -> Turn:
    """Answers in JSON, if it was asked to."""
    need(ask.schema is not None, "the script wants a JSON schema for the answer")
    names = set(ask.schema.get("properties", {}))
    need(names == set(FORECAST), f"the schema has the properties {sorted(names)}")
    return Turn([json.dumps(FORECAST)])


def tool(ask: Ask, argument: str) -> Turn:
    """Calls any tool: the mark's argument is its name and its arguments in JSON. Then repeats the result."""
    name, _, arguments = argument.partition(" ")
    if not ask.calls:
        need(name in ask.tools, f"the script wants the tool {name} and sees {sorted(ask.tools)}")
        return Turn([call(ask, 0, name, json.loads(arguments))])
    sealed(ask, ask.calls[0].seal, of="call")
    return Turn(["The tool said: " + ask.results[ask.calls[0].id]])


def call(ask: Ask, index: int, name: str, arguments: dict) -> Call:
    """A call with the id that its provider would give. Gemini seals the first of a turn."""
    prefix = {"anthropic": "toolu_", "gemini": "fc"}.get(ask.dialect, "call_")
    is_sealed = ask.dialect == "gemini" and index == 0
    return Call(f"{prefix}{name[:12]}{index}", name, arguments, seal(ask.dialect, "call") if is_sealed else None)


def seal(dialect: str, of: str) -> str | None:
    """What only the provider can read. It is long and not plain, as real ones are."""
    if dialect == "openai-chat" or (dialect, of) == ("gemini", "thought"):
        return None
    return base64.b64encode(f"{dialect} {of} \xff\xfb seal ".encode("latin-1") * 9).decode()


def sealed(ask: Ask, found: str | None, of: str) -> None:
    """Refuses a seal that did not come back as it went out."""
    if (ask.dialect, of) in (("gemini", "call"), ("anthropic", "thought"), ("openai-responses", "thought")):
        need(found == seal(ask.dialect, of), f"the seal of the {of} came back as {found!r}")
