"""Looks for what is planted in places, and says where it is that it must not be."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ansible_collections.gpuaas.parity.tests.canary.plant import Planted
from ansible_collections.gpuaas.parity.tests.canary.spellings import Spellings, found

# Metadata, but in what workflows hand to each other: that is sealed.
SEALED = {("name", f"{what} {name}") for what in ("database", "role") for name in ("temporal", "temporal_visibility")}
# The identity provider's own store: that is where names of persons are.
AT_HOME = {("person", where) for where in ("database keycloak", "role keycloak", "volume postgres-data", "volumes of data")}


@dataclass(frozen=True)
class Place:
    """``has`` is the word that stands there in plain, by its name; empty where there is none to be expected."""

    name: str
    has: str
    read: Callable[[], Iterable[bytes]]


def search(places: Iterable[Place], planted: Planted) -> list[str]:
    """What is where it must not be, and which place was searched in vain for what is there."""
    words = {name: Spellings(word) for name, word in {**planted.secret, **planted.plain}.items() if word}
    wrong, seen = [], {}
    for place in places:
        names = seen[place.name] = found(words, place.read())
        leaks = {name for name in names & planted.secret.keys() if (name, place.name) not in AT_HOME}
        leaks |= {name for name in names if (name, place.name) in SEALED}
        wrong += [f"{place.name} has the {name} that was planted" for name in sorted(leaks)]
        wrong += [f"{place.name} was searched in vain for its {place.has}"] if place.has and place.has not in names else []
    print(json.dumps({name: sorted(names) for name, names in seen.items() if names}))
    print(f"canary: {len(seen)} places searched, {len(wrong)} findings")
    return wrong
