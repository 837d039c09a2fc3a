"""OpenAI's responses.

Sources: platform.openai.com/docs/api-reference/responses, .../responses-streaming and .../guides/reasoning, read
2026-11-25; the prefixes of ids and the pairs of items are those that its 400 answers tell.
"""

import json

from .ask import CACHED, INPUT, OUTPUT, THINKING, Ask, Call, Refusal, Thought, Turn, words
from .rules import NAME, data_url, known, need, paired, parsed, schema, strict_schema

DIALECT = "openai-responses"
FIELDS = (
    "model input instructions stream stream_options max_output_tokens temperature top_p tools tool_choice "
    "parallel_tool_calls text reasoning include store metadata user previous_response_id truncation background "
    "conversation max_tool_calls prompt service_tier top_logprobs prompt_cache_key prompt_cache_retention "
    "safety_identifier context_management"
)
PREFIXES = {"message": "msg_", "function_call": "fc_", "reasoning": "rs_"}
CREATED = 1790000000


def read(body: dict, headers: dict, path: str) -> Ask:
    """The request, if OpenAI would take it."""
    need(headers.get("authorization") == "Bearer key-of-openai-responses", "the credential is not the provider's")
    known(body, FIELDS, "body")
    ask = Ask(DIALECT, stream=body.get("stream") is True, system=body.get("instructions") or "")
    ask.tools = dict(tool(one, f"tools[{i}]") for i, one in enumerate(body.get("tools") or []))
    ask.schema = wanted(known(body.get("text") or {}, "format verbosity", "text").get("format"))
    reasoning = known(body.get("reasoning") or {}, "effort summary generate_summary context mode", "reasoning")
    ask.thinks = reasoning.get("effort", "none") != "none"
    items = body.get("input")
    if isinstance(items, str):
        ask.said(items)
        return ask
    need(isinstance(items, list) and bool(items), "input: must be a string or a list of items")
    for index, item in enumerate(items):
        take(ask, item, f"input[{index}]")
        is_last = index + 1 == len(items)
        need(item.get("type") != "reasoning" or not is_last, f"input[{index}]: reasoning without what follows it")
    paired({one.id for one in ask.calls}, set(ask.results), "input")
    return ask


def tool(one: dict, where: str) -> tuple[str, dict]:
    need(one.get("type") == "function", f"{where}.type: the stand-in has no hosted tools: {one.get('type')!r}")
    known(one, "type name description parameters strict defer_loading allowed_callers output_schema", where)
    need(NAME.fullmatch(one.get("name", "")) is not None, f"{where}.name: {one.get('name')!r}")
    parameters = schema(one.get("parameters") or {"type": "object"}, f"{where}.parameters")
    if one.get("strict"):
        strict_schema(parameters, f"{where}.parameters")
    return one["name"], parameters


def wanted(form: dict | None) -> dict | None:
    if form is None or form.get("type") != "json_schema":
        return None
    known(form, "type name description schema strict", "text.format")
    need(NAME.fullmatch(form.get("name", "")) is not None, f"text.format.name: {form.get('name')!r}")
    if form.get("strict"):
        strict_schema(form["schema"], "text.format.schema")
    return form["schema"]


def take(ask: Ask, item: dict, where: str) -> None:
    """Takes in one item of the input."""
    kind = item.get("type", "message")
    prefix = PREFIXES.get(kind, "")
    need(
        item.get("id") is None or item["id"].startswith(prefix),
        f"{where}.id: must begin with {prefix}: {item.get('id')}",
    )
    match kind:
        case "message":
            message(ask, item, where)
        case "function_call":
            known(item, "type id call_id name arguments status namespace caller created_by", where)
            need(0 < len(item.get("call_id", "")) <= 64, f"{where}.call_id: {item.get('call_id')!r}")
            ask.calls.append(Call(item["call_id"], item["name"], parsed(item.get("arguments"), f"{where}.arguments")))
        case "function_call_output":
            known(item, "type id call_id output status", where)
            need(any(one.id == item.get("call_id") for one in ask.calls), f"{where}.call_id: follows no such call")
            ask.results[item["call_id"]] = output(item.get("output"), f"{where}.output")
        case "reasoning":
            known(item, "type id summary content encrypted_content status", where)
            need(isinstance(item.get("summary"), list), f"{where}.summary: is missing")
            summary = "".join(known(part, "type text", f"{where}.summary")["text"] for part in item["summary"])
            ask.thoughts.append(Thought(summary, item.get("encrypted_content")))
        case _:
            need(False, f"{where}.type: {kind!r}")


def message(ask: Ask, item: dict, where: str) -> None:
    known(item, "type id role content status phase", where)
    role, content = item.get("role"), item.get("content")
    need(role in ("user", "assistant", "system", "developer"), f"{where}.role: {role!r}")
    plain = "output_text" if role == "assistant" else "input_text"
    found = [{"type": plain, "text": content}] if isinstance(content, str) else content
    need(isinstance(found, list) and bool(found), f"{where}.content: must be a string or a list of parts")
    for part in sorted(found, key=lambda part: part.get("type") != plain):
        match part.get("type"):
            case kind if kind == plain:
                known(part, "type text annotations logprobs", where)
                ask.said(part["text"]) if role == "user" else None
                ask.system += part["text"] if role in ("system", "developer") else ""
            case "input_image" if role == "user":
                known(part, "type image_url detail file_id", where)
                ask.images.append(data_url(part.get("image_url"), f"{where}.image_url"))
            case kind:
                need(False, f"{where}.content: {role} has a part of type {kind!r}")


def output(value: object, where: str) -> str:
    if isinstance(value, str):
        return value
    need(isinstance(value, list), f"{where}: must be a string or a list of parts")
    return "".join(known(part, "type text", where)["text"] for part in value)


def response(turn: Turn, model: str, body: dict, status: str = "completed") -> dict:
    """The object that answers are, and that most events of a stream repeat."""
    is_done = status == "completed"
    # Reasoning is sealed only for those who ask, and who do not leave it with OpenAI.
    is_sealed = "reasoning.encrypted_content" in (body.get("include") or [])
    items = [item(part, place, is_sealed) for place, part in enumerate(turn.parts)] if is_done else []
    thinking = THINKING if turn.thoughts() else 0
    usage = {
        "input_tokens": INPUT,
        "input_tokens_details": {"cached_tokens": CACHED},
        "output_tokens": OUTPUT,
        "output_tokens_details": {"reasoning_tokens": thinking},
        "total_tokens": INPUT + OUTPUT,
    }
    asked = {name: body.get(name) for name in ("instructions", "max_output_tokens", "previous_response_id", "user")}
    return {
        "id": "resp_standin",
        "object": "response",
        "created_at": CREATED,
        "status": status,
        "background": False,
        "error": None,
        "incomplete_details": None,
        **asked,
        "metadata": body.get("metadata") or {},
        "model": model,
        "output": items,
        "parallel_tool_calls": True,
        "reasoning": {"effort": None, "summary": None},
        "service_tier": "default",
        "store": True,
        "temperature": 1.0,
        "text": {"format": {"type": "text"}, "verbosity": "medium"},
        "tool_choice": "auto",
        "tools": body.get("tools") or [],
        "top_logprobs": 0,
        "top_p": 1.0,
        "truncation": "disabled",
        "usage": usage if is_done else None,
    }


def whole(turn: Turn, model: str, body: dict) -> dict:
    return response(turn, model, body)


def item(part: str | Thought | Call, place: int, is_sealed: bool) -> dict:
    if isinstance(part, Call):
        arguments = json.dumps(part.arguments)
        head = {"id": f"fc_{place}", "type": "function_call", "status": "completed"}
        return {**head, "arguments": arguments, "call_id": part.id, "name": part.name}
    if isinstance(part, Thought):
        sealed = {"encrypted_content": part.seal} if is_sealed else {}
        summary = [{"type": "summary_text", "text": part.text}]
        return {"id": f"rs_{place}", "type": "reasoning", **sealed, "summary": summary}
    content = [{"type": "output_text", "annotations": [], "logprobs": [], "text": part}]
    return {"id": f"msg_{place}", "type": "message", "status": "completed", "content": content, "role": "assistant"}


def events(turn: Turn, model: str, body: dict, error: Refusal | None) -> list[str]:
    """The frames of a stream; with an `error`, it ends in that."""
    begun = response(turn, model, body, "in_progress")
    found = [{"type": "response.created", "response": begun}, {"type": "response.in_progress", "response": begun}]
    is_sealed = "reasoning.encrypted_content" in (body.get("include") or [])
    for place, part in enumerate(turn.parts):
        done = item(part, place, is_sealed)
        found.append({"type": "response.output_item.added", "output_index": place, "item": opened(done)})
        found += [{**one, "item_id": done["id"], "output_index": place} for one in inner(part, done)]
        if error is None:
            found.append({"type": "response.output_item.done", "output_index": place, "item": done})
    if error is None:
        found.append({"type": "response.completed", "response": response(turn, model, body)})
    else:
        found.append({"type": "error", "code": "server_error", "message": error.message, "param": None})
    return [frame({**event, "sequence_number": number}) for number, event in enumerate(found)]


def opened(done: dict) -> dict:
    """An item as it begins: empty."""
    match done["type"]:
        case "message":
            return {**done, "status": "in_progress", "content": []}
        case "function_call":
            return {**done, "status": "in_progress", "arguments": ""}
        case _:
            return {**done, "summary": []}


def inner(part: str | Thought | Call, done: dict) -> list[dict]:
    """The events between an item's beginning and its end."""
    if isinstance(part, Call):
        text, name = done["arguments"], "response.function_call_arguments"
        deltas = [{"type": f"{name}.delta", "delta": piece} for piece in (text[:5], text[5:])]
        return [*deltas, {"type": f"{name}.done", "arguments": text, "name": part.name}]
    if isinstance(part, Thought):
        name, at, kind = "response.reasoning_summary", {"summary_index": 0}, "summary_text"
        text, extra = part.text, {}
    else:
        name, at, kind = "response.content", {"content_index": 0}, "output_text"
        text, extra = part, {"annotations": [], "logprobs": []}
    words_name = f"{name}_text" if isinstance(part, Thought) else "response.output_text"
    probabilities = {} if isinstance(part, Thought) else {"logprobs": []}
    deltas = [{"type": f"{words_name}.delta", **at, "delta": word, **probabilities} for word in words(text)]
    return [
        {"type": f"{name}_part.added", **at, "part": {"type": kind, "text": "", **extra}},
        *deltas,
        {"type": f"{words_name}.done", **at, "text": text, **probabilities},
        {"type": f"{name}_part.done", **at, "part": {"type": kind, "text": text, **extra}},
    ]


def frame(event: dict) -> str:
    return f"event: {event['type']}\ndata: {json.dumps(event, ensure_ascii=False)}\n\n"


def refused(error: Refusal) -> dict:
    kind = {400: "invalid_request_error", 429: "rate_limit_exceeded"}.get(error.status, "server_error")
    return {"error": {"message": error.message, "type": kind, "param": None, "code": None}}
