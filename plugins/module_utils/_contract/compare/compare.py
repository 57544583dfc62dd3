# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Two renderings compared by meaning.

Each side is held against what the contract and the manifests say, with that mode's
transport values in the places that the contract gives them. What differs and fits on
both sides is transport, placement, a matter of the security mode, or an exception that a component's compose.yml
states with its reason; everything else differs in meaning.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._contract.compare.expected import (
    Leaves,
    Side,
    Variables,
    is_expression,
    leaves,
    meant,
    placed,
    settings,
)
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.compare.observe import Observed
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.compare.runs import Facts
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.contract import Contract
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.placement import is_provided, placement_of
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.problems import dotted
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.references import names_in
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.security import NAMES as SECURITY_NAMES
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.source import Source
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.strict_yaml import Path
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.compose_words import expanded
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.identity import CLIENT, IDENTITY_ID

TRANSPORT, PLACEMENT, SECURITY, EXCEPTION, MEANING = GROUPS = ("transport", "placement", "security", "exception", "meaning")
# A name, and no difference: it says which of the two is looked at.
_NAMES = frozenset({("mode",)})
# What contract.json says of exceptions, each of which is told once, with its reason, and what a reset of Compose does.
_TOLD = ("publish", "source", "reset")


@dataclass(frozen=True)
class Difference:
    """One place where two renderings differ. ``a`` and ``b`` are text, None where there is nothing.

    ``why`` is the reason of an exception.
    """

    group: str
    path: str
    a: str | None
    b: str | None
    why: str = ""


@dataclass(frozen=True)
class Rendered:
    """A mode, and a tree that was rendered for it. ``own`` are ``own_variables``, ``runs`` how each component's containers must run."""

    side: Side
    seen: Observed
    own: tuple[Variables, Variables]
    runs: dict[str, dict[str, Facts]]


def compare(contract: Contract, realm: Source | None, lane: str, first: Rendered, second: Rendered) -> list[Difference]:
    """Every difference, sorted by group and path; those of group ``meaning`` must not be."""
    both = (first, second)
    services = set(contract.lanes[lane])
    expected = meant(contract, lane)
    found: set[Difference] = set()
    sides = []
    for one in both:
        whole = expected | placed(contract, one.side, services)
        literal = frozenset(path for path in whole if not is_expression(path))
        sides.append(_Half(one.side, dict(leaves(one.seen.contract)), whole, literal))
    mode_only = {path for half in sides for path in half.expected if path not in expected}
    found |= _differences((), sides, mode_only)
    if realm is not None:
        said = dict(leaves(realm.data))
        found |= _differences(("realm",), [_Half(one.side, dict(leaves(one.seen.realm)), said) for one in both], set())
    for name in sorted(services):
        found |= _variables(contract, name, services, both)
        found |= _secrets(contract, name, services, both)
        found |= _exceptions(contract, name, both)
    found |= _runs(services, both)
    return sorted(found, key=lambda item: (GROUPS.index(item.group), item.path, item.a or "", item.b or ""))


@dataclass(frozen=True)
class _Half:
    side: Side
    actual: Leaves
    expected: Leaves
    literal: frozenset[Path] = frozenset()

    def fits(self, path: Path) -> bool:
        """Whether this side says at ``path`` what the contract says, with its own mode's values."""
        if path not in self.expected or path not in self.actual:
            return path not in self.expected and path not in self.actual
        wanted, value = self.expected[path], self.actual[path]
        if isinstance(wanted, str) and path not in self.literal:
            return not isinstance(value, dict | list | None) and _text(value) == self.side.spliced(wanted)
        return type(wanted) is type(value) and bool(wanted == value)


def _differences(at: Path, halves: list[_Half], mode_only: set[Path]) -> set[Difference]:
    found = set()
    first, second = halves
    for path in {path for half in halves for path in (*half.actual, *half.expected)}:
        a, b = first.actual.get(path), second.actual.get(path)
        same = type(a) is type(b) and a == b and (path in first.actual) == (path in second.actual)
        fits = first.fits(path) and second.fits(path)
        if fits and (same or path in _NAMES):
            continue
        if fits and path[:1] == ("services",) and len(path) > 2 and path[2] in _TOLD:
            continue
        group = MEANING
        if fits and path in mode_only:
            group = SECURITY if _of_security(path) else PLACEMENT
        elif fits and type(a) is type(b) and first.expected.get(path) == second.expected.get(path):
            # Two texts that fit one expression differ in the values of its names.
            group = SECURITY if set(names_in(first.expected.get(path))) & set(SECURITY_NAMES) else TRANSPORT
        found.add(Difference(group, dotted((*at, *path)), _shown(first, path), _shown(second, path)))
    return found


def _of_security(path: Path) -> bool:
    """Whether it is the security mode that decides what stands at ``path`` of contract.json."""
    return path in (("security",), ("asked_security",)) or (path[:1] == ("services",) and path[2:3] == ("secrets",))


def _variables(contract: Contract, name: str, lane: set[str], both: tuple[Rendered, Rendered]) -> set[Difference]:
    """The environment of a service: the contract's settings, and what its manifest has of its own."""
    said = settings(contract, name, lane)
    halves = []
    placed: set[Path] = set()
    for one, other in (both, both[::-1]):
        own, sourced = (item.get(name, {}) for item in one.own)
        provided = is_provided(one.side.mode, name)
        # Nothing is given to a service that the mode's surroundings provide; contract.json was compared.
        stood_for = {key: one.side.spliced(value) for key, value in said.items()} if provided else {}
        seen = one.seen.received.get(name, stood_for)
        extra = {key: value for key, value in (own | sourced).items() if key not in said}
        # What nothing of the other mode could have is a matter of placement.
        placed |= {(key,) for key in extra} if is_provided(other.side.mode, name) else set()
        # What mounting the source brings is told with it.
        for key in sourced.keys() & extra.keys():
            if seen.get(key) == extra[key]:
                seen = {other: value for other, value in seen.items() if other != key}
                del extra[key]
        # A variable that the kubelet puts together holds the contract's expressions; in another a text is a text.
        meant_by = {key: expanded(value, said) for key, value in extra.items()}
        literal = frozenset((key,) for key, value in extra.items() if meant_by[key] == value)
        halves.append(_Half(one.side, _by_path(seen), _by_path(meant_by | said), literal))
    return _differences(("services", name, "settings"), halves, placed)


def _by_path(variables: Mapping[str, str]) -> Leaves:
    return {(key,): value for key, value in variables.items()}


def _secrets(contract: Contract, name: str, lane: set[str], both: tuple[Rendered, Rendered]) -> set[Difference]:
    """Secrets that are handed over by the tree itself: exactly the contract's keys, or those of an identity."""
    wanted = [_wanted(contract, name, lane, one.side) for one in both]
    first, second = (one.seen.secrets.get(name, keys) for one, keys in zip(both, wanted, strict=True))
    return {
        Difference(MEANING, f"services.{name}.secrets.{key}", _handed(key, first), _handed(key, second))
        for key in (first ^ wanted[0]) | (second ^ wanted[1])
    }


def _wanted(contract: Contract, name: str, lane: set[str], side: Side) -> set[str]:
    if side.identity(contract, name):
        if side.mode.target == "compose":
            return set(CLIENT)
        # Who it is to a server of others is delivered by others.
        ours = any(contract.services[each].keeps_secrets and not is_provided(side.mode, each) for each in lane)
        return {IDENTITY_ID} if ours else set()
    return set(contract.services[name].secrets_in(lane, side.mode.security.mode))


def _handed(key: str, keys: set[str]) -> str | None:
    return "handed over" if key in keys else None


def _exceptions(contract: Contract, name: str, both: tuple[Rendered, Rendered]) -> set[Difference]:
    """What a component does otherwise in the one mode that is Compose, each with its reason."""
    in_compose = [one.side.mode.target == "compose" and not is_provided(one.side.mode, name) for one in both]
    found = set()
    for told in contract.services[name].exceptions.told() if in_compose[0] != in_compose[1] else ():
        side = both[in_compose.index(True)].side
        text = told.text if told.path != ("publish",) else side.spliced(str(placement_of(contract, side.mode, name)["publish"]))
        a, b = (text if here else None for here in in_compose)
        found.add(Difference(EXCEPTION, dotted(("services", name, *told.path)), a, b, told.why))
    return found


def _runs(services: set[str], both: tuple[Rendered, Rendered]) -> set[Difference]:
    """Where a container does not run as the manifest says, or in Compose as the exceptions say."""
    actual = [dict(leaves(one.seen.runs)) for one in both]
    wanted = [dict(leaves({name: facts for service in services for name, facts in one.runs.get(service, {}).items()})) for one in both]
    found = set()
    for path in {path for side in (*actual, *wanted) for path in side}:
        if any(seen.get(path) != meant.get(path) for seen, meant in zip(actual, wanted, strict=True)):
            a, b = (" ".join(_text(seen[path]).split()) if path in seen else None for seen in actual)
            found.add(Difference(MEANING, dotted(("containers", *path)), a, b))
    return found


def _shown(half: _Half, path: Path) -> str | None:
    return _text(half.actual[path]) if path in half.actual else None


def _text(value: Any) -> str:
    match value:
        case bool():
            return str(value).lower()
        case dict() | list():
            return "none"
        case _:
            return str(value)
