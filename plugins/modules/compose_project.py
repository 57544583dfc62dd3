# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of gpuaas.parity.compose_project; the action plugin of the same name runs it."""

from __future__ import annotations

DOCUMENTATION = r"""
module: compose_project
short_description: Remove a Compose project completely, remember its start, or explain why it did not come up
version_added: 0.1.0
author: gpuaas.parity contributors (@gpuaas)
description:
  - V(absent) removes the containers, networks, volumes and rendered files of the project, whatever state they are in, and
    fails if anything is left. It finds them by label, so it needs no file of the project.
  - V(remembered) writes C(started.json) in O(state_dir), the definition that Compose gave each container. From it
    M(gpuaas.parity.compose_machine) knows a container that was made otherwise since.
  - V(explained) always fails. It names the container that kept C(docker compose up) from succeeding, and shows what that
    container logged last.
  - The contract rendered in O(state_dir) says what belongs to the project. A project of the same name that another checkout
    or another user made is refused.
extends_documentation_fragment:
  - gpuaas.parity.attributes
  - gpuaas.parity.state_dir
requirements:
  - jsonschema >= 4.26
  - Docker Engine >= 25
options:
  state:
    description: Whether to remove the project, to remember what was started, or to explain its failure.
    type: str
    choices: [absent, remembered, explained]
    default: absent
  project:
    description: Name of the project.
    type: str
    required: true
  rendered_dir:
    description: Directory of the rendered project. A directory that was not rendered is left alone.
    type: path
    required: true
  checkout:
    description: The checkout, whose code says which schema it needs.
    type: path
    required: true
  said:
    description: Output of Compose, for O(state=explained).
    type: str
    default: ""
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
"""

EXAMPLES = r"""
- name: Remove the project and prove that nothing is left
  gpuaas.parity.compose_project:
    state: absent
    project: gpuaas-local
    state_dir: "{{ playbook_dir }}/../.parity/compose"
    rendered_dir: "{{ playbook_dir }}/../deploy/local"
    checkout: "{{ playbook_dir | dirname }}"
"""

RETURN = r"""
extends_documentation_fragment:
  - gpuaas.parity.failure
removed:
  description: What was removed, or would be removed in check mode.
  returned: success, for O(state=absent)
  type: list
  elements: str
  sample: [container gpuaas-local-api-1, network gpuaas-local, volume gpuaas-local_postgres-data]
"""
