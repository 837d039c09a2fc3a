"""What the scenarios of all clients have in common: what is asked, and what the provider's scripts answer."""

import base64
import zlib

from pydantic import BaseModel, ConfigDict

from ..cell import Cell

HELLO = "<<hello>> Who are you?"
WEATHER = "<<weather>> How warm is it in Oslo and in Rome?"
FORECAST = "<<forecast>> How warm is it in Oslo?"
THINK = "<<think>> How warm is it in Oslo?"
TEXTS = ["first text", "æ, 你, 🙂"]
BEGINNING = "It begins well. "

TOOL = "get_weather"
TOOL_HELP = "Tells the weather of a city."
TOOL_SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string", "description": "The city's name"}},
    "required": ["city"],
    "additionalProperties": False,
}


class Forecast(BaseModel):
    """How warm it is in a city."""

    model_config = ConfigDict(extra="forbid")

    city: str
    degrees: int


def hello(model: str) -> str:
    """What the script of that name says."""
    return f"Hello from {model}: æ, 你, 🙂."


def measured(cell: Cell, city: str) -> str:
    """What the tool answers; no one could guess it."""
    return f"{city} has {cell.nonce} degrees"


def found(cell: Cell, *cities: str) -> str:
    """What the provider says once it has heard all of that."""
    return "Found: " + "; ".join(measured(cell, city) for city in cities)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")


# One grey pixel.
PNG = (
    b"\x89PNG\r\n\x1a\n"
    + _chunk(b"IHDR", b"\0\0\0\1\0\0\0\1\x08\0\0\0\0")
    + _chunk(b"IDAT", zlib.compress(b"\0\x7f"))
    + _chunk(b"IEND", b"")
)
PNG_BASE64 = base64.b64encode(PNG).decode()
SEEN = f"An image of {len(PNG)} bytes."
