# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of gpuaas.parity.compose_project; the action plugin of the same name runs it."""

from __future__ import annotations

DOCUMENTATION = r"""
module: compose_project
short_description: Remove a Compose project and prove it, or say why it did not come up
version_added: 0.1.0
author: gpuaas.parity contributors (@gpuaas)
description:
  - V(absent) removes the project's containers, networks, volumes and rendered files from whatever state they are in, and
    fails if anything is left. It goes by labels, so no file of the project is needed.
  - V(explained) always fails, with the container that kept C(docker compose up) from succeeding and what it said last.
  - A project of that name that another checkout or somebody else made is refused.
options:
  state:
    description: What is wanted.
    type: str
    choices: [absent, explained]
    default: absent
  project:
    description: Name of the project.
    type: str
    required: true
  state_dir:
    description: Directory of the run's own files, which the project's labels name. It holds the rendered contract.
    type: path
    required: true
  rendered_dir:
    description: Directory of the rendered project. One that was not rendered is left alone.
    type: path
    required: true
  checkout:
    description: The checkout, whose code says which schema it needs.
    type: path
    required: true
  said:
    description: What Compose printed, for O(state=explained).
    type: str
    default: ""
attributes:
  check_mode:
    description: Can run in check_mode and return changed status prediction without modifying target
    support: full
  diff_mode:
    description: Will return details on what has changed (or possibly needs changing in check_mode), when in diff mode
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
removed:
  description: What was there and was removed, or would be in check mode.
  returned: success
  type: list
  elements: str
  sample: [container gpuaas-local-api-1, network gpuaas-local, volume gpuaas-local_postgres-data]
reason:
  description: Reason id of the failure.
  returned: failure
  type: str
  sample: LOCAL_DEV_RESIDUE
"""
