# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""compose.yml of a component: what Docker Compose does otherwise than its manifest says, each with its reason."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from os.path import normpath
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.source import File

FILE = "compose.yml"


@dataclass(frozen=True)
class Publish:
    """A port of 127.0.0.1 that leads to the component; a number or one reference."""

    port: str | int
    why: str


@dataclass(frozen=True)
class Mounted:
    """Source that is mounted into the component's containers, at path ``at``; ``folder`` lies beside the platform's own.

    ``command`` starts all of them in place of the image's entry point; ``args``
    are those of the workload, which begin with the manifest's.
    """

    folder: str
    at: str
    why: str
    command: list[str] = field(default_factory=list)
    args: list[str] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Health:
    """A command in the container that tells its readiness, in place of the manifest's probe."""

    test: list[str]
    why: str


@dataclass(frozen=True)
class Files:
    """Files in directory ``to`` of the component's containers: name -> origin.

    An origin is ``component/...`` (of the component's folder) or ``rendered/...``.
    ``of_endpoints`` adds every endpoint's certificate and key.
    """

    to: str
    why: str
    files: dict[str, str] = field(default_factory=dict)
    of_endpoints: bool = False


@dataclass(frozen=True)
class Container:
    """A container that ends and that only Compose runs, or when one of the manifest's Jobs starts.

    It runs as the workload of component ``of`` does, this one where that is empty, with other
    ``command`` and ``args``, and without the volumes that it keeps data in but those at the paths that it ``shares``.
    It starts after the containers and components that ``after`` names.
    """

    why: str
    of: str = ""
    command: list[str] = field(default_factory=list)
    args: list[str] = field(default_factory=list)
    shares: list[str] = field(default_factory=list)
    after: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Told:
    """One exception for a person: its path in the file, what it says, and its reason."""

    path: tuple[str, ...]
    text: str
    why: str


@dataclass(frozen=True)
class Exceptions:
    """All of a component's; ``file`` is None where it has none."""

    file: File | None = None
    publish: Publish | None = None
    source: Mounted | None = None
    health: Health | None = None
    files: Mapping[str, Files] = field(default_factory=dict)
    containers: Mapping[str, Container] = field(default_factory=dict)

    @classmethod
    def parse(cls, file: File | None, beside: str = ".") -> Exceptions:
        """From a file that compose.schema.json admits; ``beside`` leads to where its folders of source are."""
        data: dict[str, Any] = file.data if file else {}
        return cls(
            file=file,
            publish=Publish(**data["publish"]) if "publish" in data else None,
            source=Mounted(**data["source"] | {"folder": normpath(f"{beside}/{data['source']['folder']}")}) if "source" in data else None,
            health=Health(**data["health"]) if "health" in data else None,
            files={name: Files(**value) for name, value in data.get("files", {}).items()},
            containers={name: Container(**value) for name, value in data.get("containers", {}).items()},
        )

    def where(self, *path: str | int) -> str:
        """A place of the file, as messages name it."""
        return self.file.where(*path) if self.file else FILE

    def told(self) -> Iterator[Told]:
        """Each exception, in the order of the file's keys."""
        if self.publish:
            yield Told(("publish",), str(self.publish.port), self.publish.why)
        if self.source:
            variables = (f"{key}={value}" for key, value in self.source.environment.items())
            started = " ".join([*self.source.command, *self.source.args, *variables])
            yield Told(("source",), f"{self.source.folder} at {self.source.at}{started and f': {started}'}", self.source.why)
        if self.health:
            yield Told(("health",), " ".join(self.health.test), self.health.why)
        for name, files in self.files.items():
            yield Told(("files", name), files.to, files.why)
        for name, container in self.containers.items():
            said = [*container.command, *container.args]
            said += [word for key, names in (("shares", container.shares), ("after", container.after)) if names for word in (key, *names)]
            yield Told(("containers", name), " ".join(said), container.why)
