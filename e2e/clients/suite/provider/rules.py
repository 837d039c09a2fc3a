"""How a request is found to be wrong. Providers say what is wrong with a field by its path, and so does this."""

import base64
import binascii
import json
import re

NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")


class Bad(Exception):
    """A request that the provider would refuse with 400."""


def need(is_so: bool, why: str) -> None:
    """Refuses what is not so."""
    if not is_so:
        raise Bad(why)


def known(value: object, names: str, where: str) -> dict:
    """`value` if it is an object with no other fields than `names`."""
    need(isinstance(value, dict), f"{where}: must be an object, is {type(value).__name__}")
    strangers = sorted(set(value) - set(names.split()))
    need(not strangers, f"{where}: unknown fields {strangers}")
    return value


def parsed(text: object, where: str) -> dict:
    """The object that `text` is the JSON of."""
    need(isinstance(text, str), f"{where}: must be a string")
    try:
        value = json.loads(text)
    except ValueError as error:
        raise Bad(f"{where}: is no JSON: {error}") from error
    need(isinstance(value, dict), f"{where}: must be the JSON of an object")
    return value


def decoded(text: object, where: str) -> bytes:
    """The bytes that `text` is the base64 of."""
    need(isinstance(text, str) and text != "", f"{where}: must be base64")
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise Bad(f"{where}: is no base64: {error}") from error


def data_url(url: object, where: str) -> bytes:
    """The image in a data URL."""
    need(isinstance(url, str), f"{where}: must be a string")
    found = re.fullmatch(r"data:image/(?:png|jpeg|gif|webp);base64,(.*)", url, re.S)
    need(found is not None, f"{where}: the stand-in takes images as data URLs only")
    return decoded(found[1], where)


def schema(value: object, where: str) -> dict:
    """A JSON schema of an object, as tools have it."""
    need(isinstance(value, dict), f"{where}: must be a schema")
    need(value.get("type") == "object", f"{where}: must have type object, has {value.get('type')!r}")
    return value


def strict_schema(value: dict, where: str) -> None:
    """What OpenAI and Anthropic want of a schema that answers must fit: every object is closed."""
    if value.get("type") == "object":
        need(value.get("additionalProperties") is False, f"{where}: additionalProperties must be false")
        missing = set(value.get("properties", {})) - set(value.get("required", []))
        need(not missing, f"{where}: required lacks {sorted(missing)}")
    for name, child in value.get("properties", {}).items():
        strict_schema(child, f"{where}.{name}")


def paired(calls: set[str], results: set[str], where: str) -> None:
    """Every call has its result, and no result is for another call."""
    need(calls == results, f"{where}: calls {sorted(calls)} but results {sorted(results)}")
