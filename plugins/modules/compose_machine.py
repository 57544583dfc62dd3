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
  - Writes C(machine.yml) in O(state_dir), a Compose file that is merged over the rendered C(compose.yml). It names each
    service's image by its content key, and labels each service with a digest of the files that it is handed, so that
    another secret, certificate or script makes its container anew.
  - Says whether the project runs as it is defined, so that nothing else has to be asked of Compose.
  - Refuses, before anything is written, a project of that name that another checkout or somebody else made.
options:
  contract:
    description: The resolved contract, as gpuaas.parity.contract_render returns it, or the path of C(contract.json).
    type: raw
    required: true
  rendered_dir:
    description: Directory with the rendered C(compose.yml).
    type: path
    required: true
  state_dir:
    description: Directory of the run's own files.
    type: path
    required: true
  supply:
    description: What gpuaas.parity.image wrote of the images. By default C(images/supply.json) in O(state_dir).
    type: path
  checkout:
    description: The checkout, whose source is mounted into containers.
    type: path
    required: true
attributes:
  check_mode:
    description: Can run in check_mode and return changed status prediction without modifying target
    support: full
  diff_mode:
    description: Will return details on what has changed (or possibly needs changing in check_mode), when in diff mode
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
  description: Whether every container runs as it is defined and is healthy, so that C(docker compose up) has nothing to do.
  returned: success
  type: bool
  sample: false
reason:
  description: Reason id of the failure.
  returned: failure
  type: str
  sample: LOCAL_DEV_MOVED
"""
