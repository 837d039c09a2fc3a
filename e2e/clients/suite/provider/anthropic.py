"""Anthropic's messages.

Sources: platform.claude.com/docs/en/api/messages, .../api/versioning and .../build-with-claude/extended-thinking, read
2026-11-25; what it refuses is worded after its 400 answers.
"""

import json
import re

from .ask import CACHED, INPUT, OUTPUT, Ask, Call, Refusal, Thought, Turn, words
from .rules import decoded, known, need, paired, schema, strict_schema

DIALECT = "anthropic"
FIELDS = (
    "model messages system max_tokens stream temperature top_p top_k stop_sequences tools tool_choice thinking "
    "metadata service_tier container context_management mcp_servers output_config output_format cache_control "
    "inference_geo speed diagnostics fallbacks thread"
)
TOOL_FIELDS = (
    "type name description input_schema cache_control strict defer_loading input_examples eager_input_streaming "
    "allowed_callers"
)
ID, NAME = re.compile(r"[a-zA-Z0-9_-]+"), re.compile(r"[a-zA-Z0-9_-]{1,128}")


def read(body: dict, headers: dict, path: str) -> Ask:
    """The request, if Anthropic would take it."""
    need(headers.get("x-api-key") == "key-of-anthropic", "the credential is not the provider's")
    need("authorization" not in headers, "the client's credential was passed on")
    version = headers.get("anthropic-version")
    need(version in ("2023-06-01", "2026-10-21"), f"anthropic-version: {version!r}")
    known(body, FIELDS, "body")
    sampling = {"temperature", "top_p", "top_k"} & set(body)
    need(version == "2023-06-01" or not sampling, f"version {version} has no {sorted(sampling)}")
    need(isinstance(body.get("max_tokens"), int) and body["max_tokens"] > 0, "max_tokens: field required")
    ask = Ask(DIALECT, stream=body.get("stream") is True)
    ask.tools = dict(tool(one, f"tools[{i}]") for i, one in enumerate(body.get("tools", [])))
    ask.is_thread = "thread" in body
    ask.thinks = thinks(body)
    ask.has_budget = "budget_tokens" in body.get("thinking", {})
    ask.schema = wanted(body)
    ask.cache_marks = json.dumps(body).count('"cache_control": {')
    need(ask.cache_marks <= 4, f"a maximum of 4 blocks with cache_control may be provided, found {ask.cache_marks}")
    system = body.get("system", "")
    for part in blocks(system, "system") if system else []:
        ask.system += text(part, "system")
    need(
        isinstance(body.get("messages"), list) and bool(body["messages"]), "messages: at least one message is required"
    )
    open_calls: set[str] = set()
    for index, message in enumerate(body["messages"]):
        open_calls = take(ask, message, f"messages[{index}]", open_calls)
    paired(open_calls, set(), "messages")
    return ask


def tool(one: dict, where: str) -> tuple[str, dict]:
    known(one, TOOL_FIELDS, where)
    need(one.get("type", "custom") == "custom", f"{where}.type: the stand-in has no server tools: {one.get('type')!r}")
    need(NAME.fullmatch(one.get("name", "")) is not None, f"{where}.name: {one.get('name')!r}")
    return one["name"], schema(one.get("input_schema"), f"{where}.input_schema")


def thinks(body: dict) -> bool:
    thinking = body.get("thinking", {"type": "disabled"})
    known(thinking, "type budget_tokens display", "thinking")
    if thinking["type"] == "enabled":
        budget = thinking.get("budget_tokens", 0)
        need(1024 <= budget < body["max_tokens"], f"thinking.budget_tokens: {budget} of {body['max_tokens']}")
    if thinking["type"] != "disabled":
        need(body.get("temperature", 1) == 1, "temperature: may only be 1 when thinking is enabled")
        choice = body.get("tool_choice", {}).get("type", "auto")
        need(choice in ("auto", "none"), "thinking may not be enabled when tool_choice forces tool use")
    return thinking["type"] != "disabled"


def wanted(body: dict) -> dict | None:
    config = known(body.get("output_config", {}), "format effort task_budget", "output_config")
    form = config.get("format") or body.get("output_format")
    if form is None:
        return None
    known(form, "type schema", "output_config.format")
    strict_schema(form["schema"], "output_config.format.schema")
    return form["schema"]


def blocks(content: object, where: str) -> list[dict]:
    found = [{"type": "text", "text": content}] if isinstance(content, str) else content
    need(isinstance(found, list) and bool(found), f"{where}: must not be empty")
    return found


def text(block: dict, where: str) -> str:
    need(block.get("type") == "text", f"{where}.type: {block.get('type')!r}")
    known(block, "type text cache_control citations", where)
    need(block["text"].strip() != "", f"{where}: text content blocks must be non-empty")
    return block["text"]


def take(ask: Ask, message: dict, where: str, open_calls: set[str]) -> set[str]:
    """Takes in one message; gives the calls whose results must be in the next."""
    known(message, "role content", where)
    role, content = message.get("role"), blocks(message.get("content"), f"{where}.content")
    need(role in ("user", "assistant", "system"), f"{where}.role: {role!r}")
    if role == "assistant":
        paired(open_calls, set(), where)
        return assistant(ask, content, where)
    results = [block for block in content if block.get("type") == "tool_result"]
    need(content[: len(results)] == results, f"{where}: tool_result blocks must come first")
    paired(open_calls, {block.get("tool_use_id") for block in results}, where)
    for block in results:
        known(block, "type tool_use_id content is_error cache_control", where)
        parts = blocks(block["content"], where) if block.get("content") else []
        ask.results[block["tool_use_id"]] = "".join(text(part, where) for part in parts)
    rest = content[len(results) :]
    for block in sorted(rest, key=lambda block: block.get("type") != "text"):
        if block.get("type") == "image":
            source = known(known(block, "type source cache_control", where)["source"], "type media_type data", where)
            ask.images.append(decoded(source.get("data"), f"{where}.source.data"))
        else:
            ask.said(text(block, where)) if role == "user" else None
    return set()


def assistant(ask: Ask, content: list[dict], where: str) -> set[str]:
    calls = []
    for index, block in enumerate(content):
        at = f"{where}.content[{index}]"
        match block.get("type"):
            case "thinking":
                known(block, "type thinking signature", at)
                decoded(block.get("signature"), f"{at}.signature")
                ask.thoughts.append(Thought(block["thinking"], block["signature"]))
            case "tool_use":
                known(block, "type id name input cache_control caller", at)
                need(ID.fullmatch(block.get("id", "")) is not None, f"{at}.id: {block.get('id')!r}")
                need(isinstance(block.get("input"), dict), f"{at}.input: must be an object")
                calls.append(Call(block["id"], block["name"], block["input"]))
            case _:
                text(block, at)
    kinds = [block.get("type") for block in content]
    need(
        "tool_use" not in kinds or not ask.has_budget or kinds[0] == "thinking",
        f"{where}: expected thinking, found {kinds}",
    )
    need(len({one.id for one in calls}) == len(calls), f"{where}: tool_use ids must be unique")
    ask.calls += calls
    return {one.id for one in calls}


def usage(output: int) -> dict:
    creation = {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0}
    caching = {"cache_creation_input_tokens": 0, "cache_read_input_tokens": CACHED, "cache_creation": creation}
    return {"input_tokens": INPUT - CACHED, **caching, "output_tokens": output, "service_tier": "standard"}


def whole(turn: Turn, model: str, body: dict) -> dict:
    content = [block(part) for part in turn.parts]
    head = {"id": "msg_standin", "type": "message", "role": "assistant", "model": model, "content": content}
    return {**head, "stop_reason": reason(turn), "stop_sequence": None, "usage": usage(OUTPUT)}


def reason(turn: Turn) -> str:
    return "tool_use" if turn.calls() else "end_turn"


def block(part: str | Thought | Call) -> dict:
    if isinstance(part, Call):
        return {"type": "tool_use", "id": part.id, "name": part.name, "input": part.arguments}
    if isinstance(part, Thought):
        return {"type": "thinking", "thinking": part.text, "signature": part.seal}
    return {"type": "text", "text": part}


def events(turn: Turn, model: str, body: dict, error: Refusal | None) -> list[str]:
    """The frames of a stream; with an `error`, it ends in that."""
    begun = {**whole(Turn([]), model, body), "stop_reason": None, "usage": usage(1)}
    found: list[dict] = [{"type": "message_start", "message": begun}, {"type": "ping"}]
    for index, part in enumerate(turn.parts):
        empty, deltas = pieces(part)
        found.append({"type": "content_block_start", "index": index, "content_block": empty})
        found += [{"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas]
        if error is None:
            found.append({"type": "content_block_stop", "index": index})
    if error is not None:
        return [frame(one) for one in [*found, refused(error)]]
    last = {"stop_reason": reason(turn), "stop_sequence": None}
    found.append({"type": "message_delta", "delta": last, "usage": {"output_tokens": OUTPUT}})
    return [frame(one) for one in [*found, {"type": "message_stop"}]]


def pieces(part: str | Thought | Call) -> tuple[dict, list[dict]]:
    """A block as it begins, and what is added to it."""
    if isinstance(part, Call):
        arguments = json.dumps(part.arguments)
        deltas = [{"type": "input_json_delta", "partial_json": piece} for piece in ("", arguments[:5], arguments[5:])]
        return {**block(part), "input": {}}, deltas
    if isinstance(part, Thought):
        deltas = [{"type": "thinking_delta", "thinking": word} for word in words(part.text)]
        empty = {"type": "thinking", "thinking": "", "signature": ""}
        return empty, [*deltas, {"type": "signature_delta", "signature": part.seal}]
    return {"type": "text", "text": ""}, [{"type": "text_delta", "text": word} for word in words(part)]


def frame(event: dict) -> str:
    return f"event: {event['type']}\ndata: {json.dumps(event, ensure_ascii=False)}\n\n"


def refused(error: Refusal) -> dict:
    kinds = {400: "invalid_request_error", 404: "not_found_error", 429: "rate_limit_error", 529: "overloaded_error"}
    inner = {"type": kinds.get(error.status, "api_error"), "message": error.message}
    if error.details:
        inner["details"] = error.details
    return {"type": "error", "error": inner, "request_id": "req_standin"}
