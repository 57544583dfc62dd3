# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of gpuaas.parity.compose_machine; the action plugin of the same name runs it."""

from __future__ import annotations

DOCUMENTATION = r"""
module: compose_machine
short_description: Complete a rendered Compose project with what only this machine knows
version_added: 0.1.0
author: gpuaas.parity contributors (@gpuaas)
description:
  - Writes C(machine.yml) in O(state_dir), a Compose file that is merged over the rendered C(compose.yml). It names the
    image of each service by its content key. It also labels each service with a digest of the files that the service
    reads, so that a changed secret, certificate or script recreates the container.
  - Says whether the project already runs as it is defined, so that Compose need not be called, and which services have to be
    recreated for what Compose does not see, as files in a volume that were changed since they were handed out.
  - A container that somebody made again with another definition since M(gpuaas.parity.compose_project) remembered it does not
    run as it is defined.
  - Refuses, before anything is written, a project of the same name that another checkout or another user made.
extends_documentation_fragment:
  - gpuaas.parity.attributes
  - gpuaas.parity.contract
  - gpuaas.parity.state_dir
requirements:
  - jsonschema >= 4.26
  - Docker Engine >= 25
options:
  rendered_dir:
    description: Directory of the rendered C(compose.yml).
    type: path
    required: true
  supply:
    description: What M(gpuaas.parity.image) wrote about the images. The default is C(images/supply.json) in O(state_dir).
    type: path
  checkout:
    description: The checkout, whose source is mounted into containers.
    type: path
    required: true
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
seealso:
  - module: community.docker.docker_compose_v2
"""

EXAMPLES = r"""
- name: Complete the project
  gpuaas.parity.compose_machine:
    contract: .parity/compose/rendered/contract.json
    rendered_dir: deploy/local
    state_dir: .parity/compose
    checkout: "{{ playbook_dir | dirname }}"
"""

RETURN = r"""
extends_documentation_fragment:
  - gpuaas.parity.failure
file:
  description: Path of C(machine.yml).
  returned: success
  type: str
  sample: /home/me/parity/.parity/compose/machine.yml
project:
  description: Name of the project.
  returned: success
  type: str
  sample: gpuaas-local
current:
  description: Whether every container runs as it is defined, is healthy and has the files that it was handed, so that Compose
    has nothing to do.
  returned: success
  type: bool
  sample: false
stale:
  description:
    - Services with a file in a volume that is not the one that was handed out, and the service that hands out; services with a
      container that was taken off its network. They have to be recreated.
    - Empty where nothing differs, and where nothing runs.
  returned: success
  type: list
  elements: str
  sample: [api, secrets]
paused:
  description: Names of containers that are paused. They have to go on before Compose can do anything with them.
  returned: success
  type: list
  elements: str
  sample: [gpuaas-local-api-1]
outside:
  description: Names of containers of components that another lane has, and this one has not. They are to be removed.
  returned: success
  type: list
  elements: str
  sample: [gpuaas-local-nats-1]
unhealthy:
  description: Services with a container that runs, or is paused, and whose health check fails.
  returned: success
  type: list
  elements: str
  sample: [api]
"""
