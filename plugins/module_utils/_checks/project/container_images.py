# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every container runs the image that this machine's list names for its service."""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.gpuaas.parity.plugins.module_utils import _yaml
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.model import Context, Observation, failed, passed
from ansible_collections.gpuaas.parity.plugins.module_utils._compose.project import name_of, service_of
from ansible_collections.gpuaas.parity.plugins.module_utils._libraries import yaml


@dataclass(frozen=True)
class ContainerImages:
    """Each container's image id is that of the reference in state_dir/machine.yml, under its service.

    By id and not by name: a name can have been given to another image since the container was made. A container
    of a service that the list does not know is a failure, and so is an image that is no longer here.
    """

    def run(self, context: Context) -> Observation:
        file = context.state_dir / "machine.yml"
        try:
            services = _yaml.load(file.read_text(encoding="utf-8"))["services"]
            named = {str(name): str(entry["image"]) for name, entry in services.items()}
        except (OSError, UnicodeDecodeError, yaml.YAMLError, KeyError, TypeError, AttributeError) as error:
            return failed("IMAGE_NOT_PINNED", f"{file}: {type(error).__name__}: {str(error).splitlines()[0]}")
        containers = context.project.containers()
        if not containers:
            return failed("IMAGE_NOT_PINNED", f"the project {context.project.name} has no container to compare")
        wrong = []
        for container in containers:
            service, runs = service_of(container), str(container.get("Image"))
            reference = named.get(service)
            image = context.project.image(reference) if reference else None
            if reference is None:
                wrong.append(f"{name_of(container)}: the list knows no service {service}")
            elif image is None:
                wrong.append(f"{name_of(container)}: its image {reference} is not on this machine")
            elif image.get("Id") != runs:
                wrong.append(f"{name_of(container)} runs {runs[:19]}, the list names {reference} ({str(image.get('Id'))[:19]})")
        if wrong:
            return failed("IMAGE_NOT_PINNED", "; ".join(wrong[:5]), images=wrong)
        return passed(f"{len(containers)} containers run the images of {file.name}")
