"""What an event says to a tenant, in a plain sentence."""

from __future__ import annotations

from typing import Any

from gpuaas.messaging.events import Event

MAX_LENGTH = 300


def sentence(event: Event) -> str:
    """The event's own ``message`` where it brings one; else what is known of its type, else its type in words."""
    message = event.data.get("message")
    if words := _words(message):
        return words
    instance = event.data.get("instance")
    described = instance if isinstance(instance, dict) else {}
    match event.type:
        case "instance.requested":
            return f"Requested{_hardware(described, 'gpu_count')}."
        case "instance.stopping":
            return "Being stopped: its GPUs are given back."
        case "instance.starting":
            return "Being started: its GPUs are being prepared."
        case "instance.resizing":
            return f"Being resized{_hardware(described, 'wanted_gpu_count', ' to')}."
        case "instance.resized":
            return f"Resized: it is started{_hardware(described, 'gpu_count')} from now on."
        case "instance.deleted":
            return "Deleted."
        case "instance.opened":
            return f"What is private of it was opened by the platform, for: {_words(event.data.get('purpose'))}."
    words = event.type.removeprefix("instance.").replace("_", " ").replace(".", " ")
    return f"{words[:1].upper()}{words[1:]}."


def _words(given: object) -> str:
    return " ".join(given.split())[:MAX_LENGTH] if isinstance(given, str) else ""


def _hardware(instance: dict[str, Any], which: str, word: str = " with") -> str:
    count, kind = instance.get(which), instance.get("gpu_type")
    return f"{word} {count} × {kind}" if count and kind else ""
