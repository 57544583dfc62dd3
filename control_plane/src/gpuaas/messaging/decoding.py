"""From a message of the stream to an event, strictly: what is not as the relay writes it is refused by name."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NoReturn

from gpuaas.messaging.events import VERSION, Event
from gpuaas.messaging.poison import Poison

# The stream takes more; an event of the control plane has less than a tenth.
MAX_BODY_BYTES = 64 * 1024
_TYPE = re.compile(r"gpuaas\.(instance\.[a-z][a-z_.]{0,62})\.v([0-9]{1,4})")


def decode(headers: Mapping[str, str] | None, body: bytes) -> Event:
    """The event that ``headers`` and ``body`` are.

    Raises Poison: ``header_missing``, ``header_malformed``, ``unknown_type``, ``unknown_version``, ``oversized`` or
    ``malformed_json``.
    """
    given = headers or {}
    if _header(given, "ce-specversion") != "1.0":
        raise Poison("unknown_version", "ce-specversion is not 1.0")
    kind = _type(_header(given, "ce-type"))
    if len(body) > MAX_BODY_BYTES:
        raise Poison("oversized", f"{len(body)} bytes, {MAX_BODY_BYTES} are allowed")
    return Event(_uuid(given, "ce-id"), kind, _uuid(given, "ce-subject"), _time(given), _object(body))


def instance_of(subject: str) -> str:
    """The instance that a message is about: the same for all whose order matters, whatever else is wrong with them."""
    tokens = subject.split(".")
    place = 1 if tokens[0] == "instances" else 2  # replays.<consumer>.<instance>, deadletters.<consumer>.<instance>
    return tokens[place] if len(tokens) > place else subject


def _header(headers: Mapping[str, str], name: str) -> str:
    if not (value := headers.get(name, "")):
        raise Poison("header_missing", name)
    return value


def _type(text: str) -> str:
    if not (match := _TYPE.fullmatch(text)):
        raise Poison("unknown_type", text)
    if int(match[2]) != VERSION:
        raise Poison("unknown_version", text)
    return match[1]


def _uuid(headers: Mapping[str, str], name: str) -> uuid.UUID:
    try:
        return uuid.UUID(_header(headers, name))
    except ValueError:
        raise Poison("header_malformed", f"{name} is not a UUID") from None


def _time(headers: Mapping[str, str]) -> datetime:
    try:
        time = datetime.fromisoformat(_header(headers, "ce-time"))
    except ValueError:
        raise Poison("header_malformed", "ce-time is not a time") from None
    if time.tzinfo is None:
        raise Poison("header_malformed", "ce-time has no zone")
    return time


def _object(body: bytes) -> dict[str, Any]:
    try:
        data = json.loads(body.decode(), parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise Poison("malformed_json", str(error)) from None
    if not isinstance(data, dict):
        raise Poison("malformed_json", "not an object")
    return data


def _refuse(constant: str) -> NoReturn:
    """RFC 8259 has no NaN and no infinities; Python does, Postgres does not."""
    raise ValueError(f"{constant} is not JSON")
