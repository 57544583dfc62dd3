"""What a run writes for a machine, held against the schema that is published for it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema

ROOT = Path(__file__).resolve().parents[2]
VALID = jsonschema.Draft202012Validator(json.loads((ROOT / "docs" / "events.schema.json").read_text(encoding="utf-8")))

Event = dict[str, Any]


def events(text: str) -> list[Event]:
    """Every line of ``text``; ``ValueError`` or ``jsonschema.ValidationError`` when one is no event that fits the schema."""
    found = [json.loads(line) for line in text.splitlines()]
    for event in found:
        VALID.validate(event)
    return found
