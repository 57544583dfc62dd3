# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What any lane may have besides, for who asks for it: with each option of a platform every lane is one more lane.

So what is proved of every lane is proved of it with its options too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

YES = ("yes", "true", "1", "on")
FILES = "files"
"""How a user says that no option is where secrets come from."""
_SEPARATOR = "."
"""Not part of a lane's own name, and allowed in that of a Compose profile."""


def with_options(lanes: Mapping[str, list[str]], options: Mapping[str, Any]) -> dict[str, list[str]]:
    """The lanes, and each with every choice of options, which are in the order in which they are written."""
    found = dict(lanes)
    for option, said in options.items():
        found |= {f"{lane}{_SEPARATOR}{option}": list(dict.fromkeys([*members, *said["components"]])) for lane, members in found.items()}
    return found


def plain(lanes: Mapping[str, object]) -> list[str]:
    """The lanes that a user names."""
    return [lane for lane in lanes if _SEPARATOR not in lane]


def chosen_in(lane: str) -> list[str]:
    """The options that a lane has."""
    return lane.split(_SEPARATOR)[1:]


def of_source(sources: Iterable[str], word: str) -> dict[str, bool]:
    """Options by name, for a source of secrets that was asked for: an option that says one, or ``files``, which is none of them.

    Empty where nobody asked.
    """
    return {option: option == word for option in sources} if word else {}


def switched(text: str) -> dict[str, bool]:
    """Options by name, of a text such as ``one=yes,other=no``; what it may hold was checked (``_run.given``)."""
    pairs = (part.partition("=") for part in text.split(",") if part)
    return {name: value.lower() in YES for name, _separator, value in pairs}


def chosen(options: Iterable[str], lane: str, standing: str, switched: Mapping[str, bool]) -> str:
    """A lane with its options: those that are switched on, and of the others those that the lane ``standing`` has."""
    has = chosen_in(standing)
    taken = [option for option in options if switched.get(option, option in has)]
    return _SEPARATOR.join([lane.split(_SEPARATOR)[0], *taken])
