"""Embeddings, of OpenAI's API and of Google's. A vector is made from its text, so that clients can tell whose it is.

Sources: platform.openai.com/docs/api-reference/embeddings and ai.google.dev/api/embeddings, read 2026-11-25.
"""

import base64
import struct
import zlib

from .rules import known, need

KEYS = {
    "chat": ("authorization", "Bearer key-of-openai-chat"),
    "responses": ("authorization", "Bearer key-of-openai-responses"),
    "gemini": ("x-goog-api-key", "key-of-gemini"),
}
# Of a request, in a batch and alone.
GEMINI = "model content taskType title outputDimensionality embedContentConfig"
# What a text is said to have cost.
TOKENS = 3


def is_asked(path: str) -> bool:
    """Whether a path is one of embeddings."""
    return path.split("?")[0].endswith(("/embeddings", ":embedContent", ":batchEmbedContents"))


def vector(text: str, size: int = 4) -> list[float]:
    """Numbers that 32 bits hold exactly."""
    seed = zlib.crc32(text.encode())
    return [((seed >> index) & 0xFF) / 256 for index in range(size)]


def answer(name: str, body: dict, headers: dict, path: str) -> dict:
    """What the provider of that name says to a request, if it would take it."""
    need(name in KEYS, f"there is nothing at {path}")
    header, key = KEYS[name]
    need(headers.get(header) == key, "the credential is not the provider's")
    if name != "gemini":
        return of_openai(body)
    if path.endswith(":batchEmbedContents"):
        known(body, "requests", "body")
        found = [of_gemini(one, f"requests[{index}]") for index, one in enumerate(body["requests"])]
        return {"embeddings": found, "usageMetadata": {"promptTokenCount": TOKENS * len(found)}}
    return {"embedding": of_gemini(body, "body"), "usageMetadata": {"promptTokenCount": TOKENS}}


def of_openai(body: dict) -> dict:
    known(body, "model input encoding_format dimensions user", "body")
    texts = [body["input"]] if isinstance(body["input"], str) else body["input"]
    need(bool(texts) and all(isinstance(text, str) and text for text in texts), "input: the stand-in takes texts only")
    data = []
    for index, text in enumerate(texts):
        found: object = vector(text, body.get("dimensions", 4))
        if body.get("encoding_format") == "base64":
            found = base64.b64encode(struct.pack(f"<{len(found)}f", *found)).decode()
        data.append({"object": "embedding", "index": index, "embedding": found})
    usage = {"prompt_tokens": TOKENS * len(texts), "total_tokens": TOKENS * len(texts)}
    return {"object": "list", "data": data, "model": body["model"], "usage": usage}


def of_gemini(one: dict, where: str) -> dict:
    known(one, GEMINI, where)
    parts = known(one["content"], "parts role", f"{where}.content")["parts"]
    text = "".join(known(part, "text", f"{where}.content.parts")["text"] for part in parts)
    need(text != "", f"{where}.content: must not be empty")
    return {"values": vector(text, one.get("outputDimensionality", 4))}
