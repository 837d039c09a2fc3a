"""OpenAI's chat completions.

Sources: platform.openai.com/docs/api-reference/chat and .../guides/function-calling, read 2026-11-25; the limits on ids
and names are those that its 400 answers tell.
"""

import json

from .ask import CACHED, INPUT, OUTPUT, THINKING, Ask, Call, Refusal, Thought, Turn, words
from .rules import NAME, data_url, known, need, paired, parsed, schema, strict_schema

DIALECT = "openai-chat"
FIELDS = (
    "model messages stream stream_options max_tokens max_completion_tokens temperature top_p n stop seed tools "
    "tool_choice parallel_tool_calls response_format reasoning_effort user metadata store logit_bias logprobs "
    "top_logprobs presence_penalty frequency_penalty modalities audio prediction service_tier verbosity "
    "web_search_options prompt_cache_key prompt_cache_retention safety_identifier functions function_call"
)
CREATED = 1790000000


def read(body: dict, headers: dict, path: str) -> Ask:
    """The request, if OpenAI would take it."""
    need(headers.get("authorization") == "Bearer key-of-openai-chat", "the credential is not the provider's")
    known(body, FIELDS, "body")
    ask = Ask(DIALECT, stream=body.get("stream") is True)
    need(isinstance(body.get("messages"), list) and body["messages"], "messages: must not be empty")
    need("stream_options" not in body or ask.stream, "stream_options: only with stream")
    for unfit in ("tool_choice", "parallel_tool_calls"):
        need(unfit not in body or "tools" in body, f"{unfit}: only with tools")
    ask.tools = dict(tool(one, f"tools[{i}]") for i, one in enumerate(body.get("tools", [])))
    ask.schema = wanted(body.get("response_format"))
    ask.thinks = body.get("reasoning_effort") not in (None, "none")
    open_calls: set[str] = set()
    for index, message in enumerate(body["messages"]):
        where = f"messages[{index}]"
        if message.get("role") != "tool":
            paired(open_calls, set(), where)
        open_calls = take(ask, message, where, open_calls)
    paired(open_calls, set(), "messages")
    return ask


def tool(one: dict, where: str) -> tuple[str, dict]:
    known(one, "type function", where)
    need(one.get("type") == "function", f"{where}.type: must be function")
    function = known(one.get("function"), "name description parameters strict", f"{where}.function")
    need(NAME.fullmatch(function.get("name", "")) is not None, f"{where}.function.name: {function.get('name')!r}")
    parameters = schema(function.get("parameters", {"type": "object"}), f"{where}.function.parameters")
    if function.get("strict"):
        strict_schema(parameters, f"{where}.function.parameters")
    return function["name"], parameters


def wanted(form: dict | None) -> dict | None:
    if form is None or form.get("type") != "json_schema":
        return None
    wish = known(form["json_schema"], "name description schema strict", "response_format.json_schema")
    need(NAME.fullmatch(wish.get("name", "")) is not None, f"response_format.json_schema.name: {wish.get('name')!r}")
    if wish.get("strict"):
        strict_schema(wish["schema"], "response_format.json_schema.schema")
    return wish["schema"]


def take(ask: Ask, message: dict, where: str, open_calls: set[str]) -> set[str]:
    """Takes in one message; gives the calls that wait for their result after it."""
    role = message.get("role")
    need(role in ("system", "developer", "user", "assistant", "tool"), f"{where}.role: {role!r}")
    if role == "tool":
        known(message, "role content tool_call_id", where)
        need(message.get("tool_call_id") in open_calls, f"{where}.tool_call_id: follows no such call")
        ask.results[message["tool_call_id"]] = text(message.get("content"), f"{where}.content")
        return open_calls - {message["tool_call_id"]}
    if role == "assistant":
        # OpenAI ignores fields without a value, those that its own SDK adds, and those that its imitators read.
        message = {name: value for name, value in message.items() if value is not None}
        known(message, "role content refusal tool_calls name audio annotations reasoning_content parsed", where)
        calls = [call(one, f"{where}.tool_calls[{i}]") for i, one in enumerate(message.get("tool_calls", []))]
        need(bool(calls) or message.get("content") is not None, f"{where}: needs content or tool_calls")
        need(len({one.id for one in calls}) == len(calls), f"{where}: two calls have one id")
        ask.calls += calls
        return {one.id for one in calls}
    known(message, "role content name", where)
    for index, part in enumerate(parts(message.get("content"), f"{where}.content")):
        at = f"{where}.content[{index}]"
        if part.get("type") == "text":
            known(part, "type text", at)
            ask.said(part["text"]) if role == "user" else None
            ask.system += part["text"] if role != "user" else ""
        else:
            need(part.get("type") == "image_url" and role == "user", f"{at}.type: {part.get('type')!r}")
            ask.images.append(data_url(known(part["image_url"], "url detail", at)["url"], at))
    return set()


def parts(content: object, where: str) -> list[dict]:
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    need(isinstance(content, list) and bool(content), f"{where}: must be a string or a list of parts")
    return sorted(content, key=lambda part: part.get("type") != "text")


def text(content: object, where: str) -> str:
    found = parts(content, where)
    need(all(part.get("type") == "text" for part in found), f"{where}: tools answer in text")
    return "".join(part["text"] for part in found)


def call(one: dict, where: str) -> Call:
    known(one, "id type function index", where)
    need(one.get("type") == "function", f"{where}.type: must be function")
    need(0 < len(one.get("id", "")) <= 40, f"{where}.id: must have 1 to 40 characters: {one.get('id')!r}")
    function = known(one.get("function"), "name arguments parsed_arguments", f"{where}.function")
    return Call(one["id"], function["name"], parsed(function.get("arguments"), f"{where}.function.arguments"))


def usage(turn: Turn) -> dict:
    thinking = THINKING if turn.thoughts() else 0
    return {
        "prompt_tokens": INPUT,
        "completion_tokens": OUTPUT,
        "total_tokens": INPUT + OUTPUT,
        "prompt_tokens_details": {"cached_tokens": CACHED, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": thinking, "audio_tokens": 0},
    }


def whole(turn: Turn, model: str, body: dict) -> dict:
    message = {"role": "assistant", "content": turn.text() or None, "refusal": None, "annotations": []}
    if turn.thoughts():
        message["reasoning_content"] = "".join(thought.text for thought in turn.thoughts())
    if turn.calls():
        message["tool_calls"] = [written(one) for one in turn.calls()]
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": finish(turn)}
    head = {"id": "chatcmpl-standin", "object": "chat.completion", "created": CREATED, "model": model}
    return {**head, "choices": [choice], "usage": usage(turn), "service_tier": "default", "system_fingerprint": None}


def finish(turn: Turn) -> str:
    return "tool_calls" if turn.calls() else "stop"


def written(one: Call) -> dict:
    return {"id": one.id, "type": "function", "function": {"name": one.name, "arguments": json.dumps(one.arguments)}}


def events(turn: Turn, model: str, body: dict, error: Refusal | None) -> list[str]:
    """The frames of a stream; with an `error`, it ends in that."""
    head = {"id": "chatcmpl-standin", "object": "chat.completion.chunk", "created": CREATED, "model": model}
    # Frames say nothing of usage until the last, if that was asked for.
    wants_usage = body.get("stream_options", {}).get("include_usage")
    rest = {"usage": None} if wants_usage else {}

    def chunk(delta: dict, reason: str | None = None) -> dict:
        return {**head, "choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}], **rest}

    found = [chunk({"role": "assistant", "content": "", "refusal": None})]
    place = 0
    for part in turn.parts:
        if isinstance(part, Call):
            deltas = call_deltas(part, place)
            place += 1
        elif isinstance(part, Thought):
            deltas = [{"reasoning_content": word} for word in words(part.text)]
        else:
            deltas = [{"content": word} for word in words(part)]
        found += [chunk(delta) for delta in deltas]
    if error is not None:
        return [frame(one) for one in [*found, refused(error)]]
    found.append(chunk({}, finish(turn)))
    if wants_usage:
        found.append({**head, "choices": [], "usage": usage(turn)})
    return [*map(frame, found), "data: [DONE]\n\n"]


def call_deltas(one: Call, place: int) -> list[dict]:
    """The name first, then the arguments in two pieces."""
    arguments = json.dumps(one.arguments)
    first = {"index": place, "id": one.id, "type": "function", "function": {"name": one.name, "arguments": ""}}
    more = [{"index": place, "function": {"arguments": piece}} for piece in (arguments[:5], arguments[5:])]
    return [{"tool_calls": [delta]} for delta in (first, *more)]


def frame(event: dict) -> str:
    return f"data: {json.dumps(event, ensure_ascii=False)}\n\n"


def refused(error: Refusal) -> dict:
    kind = {400: "invalid_request_error", 429: "rate_limit_exceeded"}.get(error.status, "server_error")
    return {"error": {"message": error.message, "type": kind, "param": None, "code": None}}
