"""Settings from the environment, under the names of the platform's contract, and the secret from its file.

Nothing has a default. A message names the setting, never its value.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, get_type_hints

from gpu_fleet import inventory
from gpu_fleet.inventory import GpuType

PREFIX = "GPU_FLEET_"
MAX_SPEED = 10_000
LOOPBACK = "127.0.0.1"
_LOG_LEVELS = ("debug", "info", "warning", "error")
_DURATION = re.compile(r"([0-9]+)(ms|s|m|h)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


class ConfigurationError(Exception):
    """What the process cannot start with; one line."""


@dataclass(frozen=True, slots=True)
class Kind:
    """How a setting is read."""

    means: str
    parse: Callable[[str], Any]


def _log_level(raw: str) -> str:
    if raw not in _LOG_LEVELS:
        raise ValueError
    return raw


def _line(raw: str) -> str:
    if not raw.strip() or not raw.isprintable():
        raise ValueError
    return raw


def _path(raw: str) -> Path:
    path = Path(_line(raw))
    if not path.is_absolute():
        raise ValueError
    return path


def _port(raw: str) -> int:
    return _between(1, 65535, raw)


def _speed(raw: str) -> int:
    return _between(1, MAX_SPEED, raw)


def _between(least: int, most: int, raw: str) -> int:
    if not re.fullmatch(r"[0-9]{1,9}", raw) or not least <= int(raw) <= most:
        raise ValueError
    return int(raw)


def _duration(raw: str) -> float:
    if not re.fullmatch(rf"({_DURATION.pattern})+", raw):
        raise ValueError
    return sum(int(number) * _SECONDS[unit] for number, unit in _DURATION.findall(raw))


LOG_LEVEL = Kind(f"one of {', '.join(_LOG_LEVELS)}", _log_level)
LINE = Kind("a non-empty line of text", _line)
PATH = Kind("an absolute path", _path)
PORT = Kind("a port (1-65535)", _port)
SPEED = Kind(f"a whole number from 1 to {MAX_SPEED}", _speed)
DURATION = Kind("a duration such as 500ms, 30s or 1h30m", _duration)
NODES = Kind(
    f"a list such as 8xH100,8xA100: of each node how many GPUs, 1 to {inventory.MAX_GPUS}, and their type",
    inventory.parse,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What ``gpu-fleet`` reads.

    The certificate is a directory with tls.crt and tls.key. What an operation takes is in seconds of the fleet's time,
    give or take a quarter.
    """

    log_level: Annotated[str, LOG_LEVEL]
    host: Annotated[str, LINE]
    listen_port: Annotated[int, PORT]
    probe_port: Annotated[int, PORT]
    simulation_port: Annotated[int, PORT]
    ca_file: Annotated[Path, PATH]
    certificate: Annotated[Path, PATH]
    credentials: Annotated[Path, PATH]
    data: Annotated[Path, PATH]
    faults_file: Annotated[Path, PATH]
    nodes: Annotated[tuple[tuple[int, GpuType], ...], NODES]
    seed: Annotated[str, LINE]
    speed: Annotated[int, SPEED]
    attach_time: Annotated[float, DURATION]
    start_time: Annotated[float, DURATION]
    verify_time: Annotated[float, DURATION]
    deploy_time: Annotated[float, DURATION]
    remove_time: Annotated[float, DURATION]
    stop_time: Annotated[float, DURATION]
    release_time: Annotated[float, DURATION]


@dataclass(frozen=True, slots=True, kw_only=True)
class Secrets:
    """What a controller shows."""

    controller_token: str = field(repr=False)


def read(environ: Mapping[str, str]) -> Settings:
    """Every setting; all faults at once, in one line. Raises ConfigurationError."""
    return _read(Settings, environ)


def _read[T](cls: type[T], environ: Mapping[str, str]) -> T:
    values: dict[str, Any] = {}
    faults: list[str] = []
    for attribute, hint in get_type_hints(cls, include_extras=True).items():
        name, kind = PREFIX + attribute.upper(), hint.__metadata__[0]
        raw = environ.get(name, "")
        if not raw:
            faults.append(f"{name} is missing")
            continue
        try:
            values[attribute] = kind.parse(raw)
        except ValueError:
            faults.append(f"{name} is not {kind.means}")
    if faults:
        raise ConfigurationError("; ".join(faults))
    return cls(**values)


def read_secrets(directory: Path) -> Secrets:
    """The files of a mounted Secret. Raises ConfigurationError."""
    try:
        text = (directory / "controller_token").read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"secret controller_token cannot be read: {type(error).__name__}") from None
    if not text or not text.isprintable():
        raise ConfigurationError("secret controller_token is not one line of text")
    return Secrets(controller_token=text)
