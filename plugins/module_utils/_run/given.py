# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a user gave to a command is checked before anything else: a lock, a step, a bundle.

Names are those that a user types. Each refusal names the values that there are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.folders import (
    PLATFORM_FILE,
    merged,
    mode_names,
    platform_folders,
)
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.head import known_head
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.instance import check_instance
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.options import FILES
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.platform import load_platform
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.security import SECURITY_MODES
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._secrets.tiers import TIERS

_BOOLEANS = ("yes", "no", "true", "false", "1", "0", "on", "off")
# Variables whose values are always the same.
_FIXED: dict[str, Sequence[str]] = {
    "OUTPUT": ("text", "json"),
    "IMAGES_SOURCE": ("auto", "build", "pull"),
    "TIER": TIERS,
    "GATE": ("merge", "deploy"),
    "HOST_UPGRADE": _BOOLEANS,
    "FOLLOW": _BOOLEANS,
    "CONFIRM": _BOOLEANS,
}
# An argument of a component's own command.
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
# As the control plane gives it to an instance (RFC 9562).
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
# Paths become mounts, build arguments and values of Compose files, where these mean something else.
_USABLE = re.compile(r"[A-Za-z0-9/._@+~-]*")


def check_given(platform: Path, mode: str, instance: str, state_dir: Path, given: Mapping[str, str]) -> None:
    """Refuse a value that no run could use; an empty one is not given.

    ``given`` has values by the variables of make. ``OWN_MODE`` is a ``MODE`` for a command that has one of its own, ``mode``;
    that is empty for a command that looks at the machine, whatever the platform is like. What is given is not compared with
    a platform that cannot be read: whoever reads it says why.

    Raises ParityError ``VARIABLE_INVALID``, ``PATH_UNUSABLE``, ``CONTRACT_UNKNOWN_MODE``, ``CONTRACT_UNKNOWN_LANE``,
    ``SECRET_UNKNOWN``, ``SEED_MISSING``, ``SECRET_VALUE_MISSING``, ``INSTANCE_INVALID``, ``PLATFORM_MISSING`` and what else a
    platform is refused with.
    """
    for name, values in _FIXED.items():
        if given.get(name) and given[name].lower() not in values:
            raise _invalid(name, given[name], values)
    for path in (platform, state_dir):
        check_path(path)
    check_instance(instance)
    if mode:
        known_head(platform, mode, instance, state_dir)
    for name, check in _CHECKS.items():
        if given.get(name):
            check(platform, name, given[name])
    if mode and given.get("OWN_MODE", mode) not in ("", mode):
        _check_mode(platform, "MODE", given["OWN_MODE"])
        raise ParityError("VARIABLE_INVALID", f"MODE={given['OWN_MODE']!r}: this command is for mode {mode}", "leave MODE out")


def check_path(path: Path) -> None:
    """Raise ParityError ``PATH_UNUSABLE`` for a path that Docker, Compose and build arguments cannot take."""
    wrong = sorted(set(_USABLE.sub("", str(path))))
    if wrong:
        named = ", ".join("a space" if character == " " else character for character in wrong)
        raise ParityError("PATH_UNUSABLE", f"the path {path} contains {named}")


def _invalid(name: str, value: str, values: Sequence[str]) -> ParityError:
    return ParityError("VARIABLE_INVALID", f"{name}={value!r}; there are: {', '.join(values)}", f"{name}={values[0]}, or another of them")


def _folders(platform: Path) -> tuple[Path, ...]:
    try:
        return platform_folders(platform)
    except ParityError:
        return ()


def _check_mode(platform: Path, name: str, value: str) -> None:
    known = mode_names(_folders(platform))
    for mode in value.split(","):
        if known and mode not in known:
            raise ParityError("CONTRACT_UNKNOWN_MODE", f"{name}={mode!r}; known are: {', '.join(known)}")


def _check_lane(platform: Path, _name: str, value: str) -> None:
    found = merged(_folders(platform), PLATFORM_FILE)
    lanes = found.data.get("lanes") if found else None
    if isinstance(lanes, dict) and value not in lanes:
        raise ParityError("CONTRACT_UNKNOWN_LANE", f"LANE={value!r}; known are: {', '.join(sorted(lanes))}")


def _options(platform: Path) -> dict[str, object] | None:
    """The options of a platform; None for one that cannot be read."""
    found = merged(_folders(platform), PLATFORM_FILE)
    options = found.data.get("options", {}) if found else None
    return options if isinstance(options, dict) else None


def _sources(options: Mapping[str, object]) -> list[str]:
    return [option for option, said in options.items() if isinstance(said, dict) and "secrets_source" in said]


def _check_options(platform: Path, _name: str, value: str) -> None:
    """Each is a variable of make by its own name, such as ``<OPTION>=1``; a source of secrets is asked for as such."""
    options = _options(platform)
    known = None if options is None else sorted(set(options) - set(_sources(options)))
    for part in value.split(","):
        option, _separator, switch = part.partition("=")
        if switch.lower() not in _BOOLEANS:
            raise _invalid(option.upper(), switch, _BOOLEANS)
        if known is not None and option not in known:
            there_are = ", ".join(name.upper() for name in known) or "none"
            raise ParityError(
                "VARIABLE_INVALID",
                f"{option.upper()}={switch!r}: the platform has no such option; there are: {there_are}",
                f"leave {option.upper()} out",
            )


def _check_security(_platform: Path, name: str, value: str) -> None:
    """Exactly the word: what says who can read everything is not guessed. The strictest is what the refusal advises."""
    if value not in SECURITY_MODES:
        raise _invalid(name, value, SECURITY_MODES[::-1])


def _check_secrets(platform: Path, name: str, value: str) -> None:
    """``files``, or an option of the platform that says where secrets come from."""
    options = _options(platform)
    known = None if options is None else [FILES, *_sources(options)]
    if known is not None and value not in known:
        raise _invalid(name, value, known)


def _check_secret(platform: Path, _name: str, value: str) -> None:
    try:
        known = sorted(load_platform(platform).contract.secrets)
    except ParityError:
        return
    if value not in known:
        raise ParityError("SECRET_UNKNOWN", f"no secret has the name that was given; known are: {', '.join(known)}")


def _check_file(reason: str) -> Callable[[Path, str, str], None]:
    def check(_platform: Path, name: str, value: str) -> None:
        if not Path(value).expanduser().is_file():
            raise ParityError(reason, f"{name}: {value} does not exist")

    return check


def _check_word(_platform: Path, name: str, value: str) -> None:
    if not _WORD.fullmatch(value):
        raise ParityError("VARIABLE_INVALID", f"{name}={value!r} is not one word of letters, digits and . _ -")


def _check_id(_platform: Path, name: str, value: str) -> None:
    if not _ID.fullmatch(value):
        raise ParityError("VARIABLE_INVALID", f"{name}={value!r} is not an id, a UUID in lower case", f"leave {name} out, which lists some")


_CHECKS: dict[str, Callable[[Path, str, str], None]] = {
    "MODE": _check_mode,
    "A": _check_mode,
    "B": _check_mode,
    "LANE": _check_lane,
    "NAME": _check_secret,
    "OPTIONS": _check_options,
    "SECURITY": _check_security,
    "SECRETS": _check_secrets,
    "REPLAY": _check_word,
    "INSTANCE_ID": _check_id,
    "PROJECT": _check_word,
    "SEED": _check_file("SEED_MISSING"),
    "VALUE_FILE": _check_file("SECRET_VALUE_MISSING"),
}
