# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a mode is called and what may be done in it: all that a run must know before it reads the whole platform."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.folders import files_of, mode_names, platform_folders
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.instance import check_instance, named, public_port
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.left_out import without_placement_of
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.load import check_schema
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.misplaced import in_mode
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.source import Merged, Source
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError

RECORD = "run.json"
_NAME = re.compile(r"[a-z][a-z0-9_-]*")


@dataclass(frozen=True)
class Head:
    """``may`` are the verbs that are allowed, ``instead`` says where others belong.

    ``cluster`` and ``project`` are the names of this instance's kind cluster and Compose
    project; empty for other targets. ``port`` is the public one.
    """

    mode: str
    instance: str
    target: str
    tier: str
    may: tuple[str, ...]
    instead: str
    cluster: str
    project: str
    port: int

    @classmethod
    def of(cls, data: dict[str, Any], instance: str) -> Head:
        """From a mode file that mode.schema.json admits. What others deliver to is one for all, whatever the instance."""
        instance = "" if data["target"] == "gitops" else instance
        return cls(
            mode=data["mode"],
            instance=instance,
            target=data["target"],
            tier=data["tier"],
            may=tuple(data["may"]),
            instead=data["instead"],
            cluster=named(data.get("cluster", ""), instance),
            project=named(data.get("project", ""), instance),
            port=public_port(data["port"], data["target"], instance),
        )

    def as_dict(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self) | {"may": list(self.may)}


def read_head(folder: Path, mode: str, instance: str = "") -> Head:
    """The head of a mode of the platform in ``folder``.

    Raises ParityError: INSTANCE_INVALID, PLATFORM_MISSING, PLATFORM_EXTENDS, CONTRACT_UNKNOWN_MODE, MODE_INVALID,
    MODE_OVERRIDES_CONTRACT.
    """
    check_instance(instance)
    return Head.of(mode_source(platform_folders(folder), mode).data, instance)


def known_head(folder: Path, mode: str, instance: str, state_dir: Path) -> Head:
    """`read_head`, or what the last run of this state directory wrote down where the platform cannot be read any more."""
    try:
        return read_head(folder, mode, instance)
    except ParityError as error:
        try:
            data = json.loads((state_dir / RECORD).read_text(encoding="utf-8"))
            return Head(**{key: data[key] for key in Head.__dataclass_fields__} | {"may": tuple(data["may"])})
        except (OSError, ValueError, TypeError, KeyError):
            raise error from None


def mode_source(folders: tuple[Path, ...], name: str, *, left_out: frozenset[str] = frozenset()) -> Source:
    """A mode's file, merged over those of extended platforms, whose placement of ``left_out`` components is dropped.

    Raises ParityError: CONTRACT_UNKNOWN_MODE, CONTRACT_UNREADABLE, CONTRACT_DUPLICATE_KEY, MODE_INVALID,
    MODE_OVERRIDES_CONTRACT.
    """
    known = mode_names(folders)
    if not _NAME.fullmatch(name) or name not in known:
        raise ParityError("CONTRACT_UNKNOWN_MODE", f"mode {name!r}; known are: {', '.join(known) or 'none'}")
    files = files_of(folders, f"modes/{name}.yml", invalid="MODE_INVALID")
    source = Merged([file if folder == folders[-1] else without_placement_of(file, left_out) for folder, file in files.items()])
    check_schema(source, "mode", "MODE_INVALID", in_mode(source.data))
    if source.data["mode"] != name:
        raise ParityError("MODE_INVALID", f"{source.where('mode')}: is {source.data['mode']}, the file's name says {name}")
    return source
