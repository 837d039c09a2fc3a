"""Google's generateContent, as Gemini 3 takes it.

Sources: ai.google.dev/api/generate-content, .../gemini-api/docs/thought-signatures and .../function-calling, read
2026-11-25. Its parser refuses every field that it does not know.
"""

import base64
import json
import re

from .ask import CACHED, INPUT, OUTPUT, THINKING, Ask, Call, Refusal, Thought, Turn, words
from .rules import decoded, known, need

DIALECT = "gemini"
FIELDS = (
    "contents systemInstruction tools toolConfig safetySettings generationConfig cachedContent labels serviceTier store"
)
CONFIG = (
    "stopSequences responseMimeType responseSchema responseJsonSchema _responseJsonSchema responseModalities "
    "candidateCount maxOutputTokens temperature topP topK seed presencePenalty frequencyPenalty responseLogprobs "
    "logprobs enableEnhancedCivicAnswers speechConfig thinkingConfig imageConfig mediaResolution"
)
# The fields of Schema, which is a part of OpenAPI's and no JSON schema.
SCHEMA = (
    "type format title description nullable enum maxItems minItems properties required minProperties maxProperties "
    "minLength maxLength pattern example anyOf propertyOrdering default items minimum maximum additionalProperties"
)
# What users write themselves.
THEIRS = ("args", "response", "parametersJsonSchema", "responseJsonSchema", "_responseJsonSchema", "labels")
TYPES = ("string", "number", "integer", "boolean", "array", "object", "null")
# What Google documents for calls that it did not make itself.
UNSIGNED = ("skip_thought_signature_validator", "context_engineering_is_the_way_to_go")
NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_.:-]{0,127}")


def read(body: dict, headers: dict, path: str) -> Ask:
    """The request, if Google would take it."""
    need(headers.get("x-goog-api-key") == "key-of-gemini", "the credential is not the provider's")
    need("authorization" not in headers, "the client's credential was passed on")
    body = known(camel(body), FIELDS, "body")
    ask = Ask(DIALECT, stream=":streamGenerateContent" in path)
    need(not ask.stream or path.endswith("?alt=sse"), "the stand-in streams events only: alt=sse is missing")
    for index, one in enumerate(body.get("tools", [])):
        ask.tools.update(declarations(one, f"tools[{index}]"))
    config = known(body.get("generationConfig", {}), CONFIG, "generationConfig")
    ask.schema = wanted(config)
    thinking = known(config.get("thinkingConfig", {}), "includeThoughts thinkingBudget thinkingLevel", "thinkingConfig")
    need(
        len({"thinkingBudget", "thinkingLevel"} & set(thinking)) < 2,
        "thinkingConfig: budget and level exclude each other",
    )
    ask.thinks = bool({"thinkingBudget", "thinkingLevel"} & set(thinking))
    ask.shows_thoughts = bool(thinking.get("includeThoughts"))
    if "systemInstruction" in body:
        instruction = known(body["systemInstruction"], "parts role", "systemInstruction")
        ask.system = "".join(known(part, "text", "systemInstruction")["text"] for part in instruction["parts"])
    conversation(ask, body.get("contents"))
    return ask


def camel(value: object) -> object:
    """Google takes every field's name in both spellings, and its own SDK mixes them. What users named stays."""
    if isinstance(value, list):
        return [camel(one) for one in value]
    if not isinstance(value, dict):
        return value
    found = {}
    for name, inner in value.items():
        name = re.sub(r"(?<=[a-z])_([a-z])", lambda letter: letter[1].upper(), name)
        if name == "properties":
            found[name] = {theirs: camel(child) for theirs, child in inner.items()}
        else:
            found[name] = inner if name in THEIRS else camel(inner)
    return found


def declarations(one: dict, where: str) -> dict[str, dict]:
    known(one, "functionDeclarations", where)
    found = {}
    for index, declared in enumerate(one["functionDeclarations"]):
        at = f"{where}.functionDeclarations[{index}]"
        known(declared, "name description parameters parametersJsonSchema response responseJsonSchema behavior", at)
        need(NAME.fullmatch(declared.get("name", "")) is not None, f"{at}.name: {declared.get('name')!r}")
        need(not {"parameters", "parametersJsonSchema"} <= set(declared), f"{at}: parameters are given twice")
        if "parameters" in declared:
            openapi(declared["parameters"], f"{at}.parameters")
        found[declared["name"]] = declared.get("parameters") or declared.get("parametersJsonSchema") or {}
    return found


def openapi(value: dict, where: str) -> None:
    """Refuses what Schema does not have."""
    known(value, SCHEMA, where)
    need(str(value.get("type", "object")).lower() in TYPES, f"{where}.type: {value.get('type')!r}")
    for name, child in value.get("properties", {}).items():
        openapi(child, f"{where}.{name}")
    for child in [*([value["items"]] if "items" in value else []), *value.get("anyOf", [])]:
        openapi(child, where)


def wanted(config: dict) -> dict | None:
    if "responseSchema" in config:
        openapi(config["responseSchema"], "responseSchema")
    found = config.get("responseSchema") or config.get("responseJsonSchema") or config.get("_responseJsonSchema")
    need(found is None or config.get("responseMimeType") == "application/json", "a schema needs responseMimeType")
    return found


def conversation(ask: Ask, contents: object) -> None:
    need(isinstance(contents, list) and bool(contents), "contents: must not be empty")
    waiting: list[Call] = []
    for where, role, parts in turns(contents):
        if role == "model":
            need(not waiting, f"{where}: a call's turn must be followed by its functionResponse")
            waiting = model(ask, parts, where)
        else:
            waiting = user(ask, parts, where, waiting)
    need(not waiting, "contents: the last calls have no functionResponse")


def turns(contents: list[dict]) -> list[tuple[str, str, list[dict]]]:
    """Contents of one role in a row are one turn: the SDK's chats send every event of a stream back as a content."""
    found: list[tuple[str, str, list[dict]]] = []
    for index, content in enumerate(contents):
        where = f"contents[{index}]"
        known(content, "role parts", where)
        role, parts = content.get("role", "user"), content.get("parts")
        need(role in ("user", "model"), f"{where}.role: {role!r}")
        need(isinstance(parts, list) and bool(parts), f"{where}.parts: must not be empty")
        if found and found[-1][1] == role:
            found[-1][2].extend(parts)
        else:
            found.append((where, role, list(parts)))
    return found


def model(ask: Ask, parts: list[dict], where: str) -> list[Call]:
    calls = []
    for part in parts:
        known(part, "text thought thoughtSignature functionCall", where)
        seal = part.get("thoughtSignature")
        if seal is not None and seal not in UNSIGNED:
            seal = standard(seal)
            decoded(seal, f"{where}.thoughtSignature")
        if "functionCall" in part:
            made = known(part["functionCall"], "id name args", where)
            calls.append(Call(made.get("id") or f"unnamed{len(calls)}", made["name"], made.get("args", {}), seal))
        elif part.get("thought"):
            ask.thoughts.append(Thought(part.get("text", ""), seal))
    need(
        not calls or calls[0].seal is not None,
        f"{where}: function call {calls and calls[0].name} is missing a thought_signature",
    )
    ask.calls += calls
    return calls


def user(ask: Ask, parts: list[dict], where: str, waiting: list[Call]) -> list[Call]:
    results = [part["functionResponse"] for part in parts if "functionResponse" in part]
    names = [result.get("name") for result in results]
    need(
        len(results) == len(waiting),
        f"{where}: {len(waiting)} functionCall parts but {len(results)} functionResponse parts",
    )
    need(sorted(names) == sorted(one.name for one in waiting), f"{where}: the responses are of {names}")
    for result, made in zip(results, waiting, strict=True):
        known(result, "id name response parts willContinue scheduling", where)
        need(isinstance(result.get("response"), dict), f"{where}.functionResponse.response: must be an object")
        # Without ids the order tells which is whose.
        ask.results[result.get("id") or made.id] = told(result["response"])
    for part in sorted(parts, key=lambda part: "text" not in part):
        if "text" in part:
            ask.said(known(part, "text", where)["text"])
        elif "inlineData" in part:
            known(part, "inlineData mediaResolution", where)
            data = known(part["inlineData"], "mimeType data", where)["data"]
            ask.images.append(decoded(standard(data), f"{where}.inlineData.data"))
        else:
            known(part, "functionResponse", where)
    return []


def standard(text: str) -> str:
    """Bytes may come in either alphabet of base64."""
    return text.replace("-", "+").replace("_", "/")


def told(response: dict) -> str:
    """The text of a result, whatever it is wrapped in."""
    values = list(response.values())
    return values[0] if len(values) == 1 and isinstance(values[0], str) else json.dumps(response)


def usage(turn: Turn) -> dict:
    thinking = {"thoughtsTokenCount": THINKING} if turn.thoughts() else {}
    return {
        "promptTokenCount": INPUT,
        "cachedContentTokenCount": CACHED,
        "candidatesTokenCount": OUTPUT - sum(thinking.values()),
        **thinking,
        "totalTokenCount": INPUT + OUTPUT,
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": INPUT}],
    }


def answer(parts: list[dict], turn: Turn, model_name: str, reason: str | None) -> dict:
    ending = {"finishReason": reason} if reason else {}
    candidate = {"content": {"parts": parts, "role": "model"}, **ending, "index": 0}
    return {
        "candidates": [candidate],
        "usageMetadata": usage(turn),
        "modelVersion": model_name,
        "responseId": "standin",
    }


def whole(turn: Turn, model_name: str, body: dict) -> dict:
    return answer([part for one in turn.parts for part in [written(one)]], turn, model_name, "STOP")


def written(part: str | Thought | Call) -> dict:
    if isinstance(part, Call):
        seal = {"thoughtSignature": part.seal} if part.seal else {}
        return {"functionCall": {"id": part.id, "name": part.name, "args": part.arguments}, **seal}
    if isinstance(part, Thought):
        return {"text": part.text, "thought": True}
    return {"text": part}


def events(turn: Turn, model_name: str, body: dict, error: Refusal | None) -> list[str]:
    """The frames of a stream; with an `error`, it ends in that."""
    parts = []
    for part in turn.parts:
        pieces = words(part) if isinstance(part, str) else [part]
        parts += [written(piece) for piece in pieces]
    found = [answer([part], turn, model_name, None) for part in parts]
    # The last frame has no words, but may have the seal of those before it.
    signature = base64.b64encode(b"seal of the end").decode()
    last = answer([{"text": "", "thoughtSignature": signature}], turn, model_name, "STOP")
    return [frame(one) for one in [*found, refused(error) if error else last]]


def frame(event: dict) -> str:
    return f"data: {json.dumps(event, ensure_ascii=False)}\r\n\r\n"


def refused(error: Refusal) -> dict:
    names = {400: "INVALID_ARGUMENT", 404: "NOT_FOUND", 429: "RESOURCE_EXHAUSTED", 503: "UNAVAILABLE"}
    return {"error": {"code": error.status, "message": error.message, "status": names.get(error.status, "INTERNAL")}}
