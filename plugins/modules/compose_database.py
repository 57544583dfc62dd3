# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of gpuaas.parity.compose_database; the action plugin of the same name runs it."""

from __future__ import annotations

DOCUMENTATION = r"""
module: compose_database
short_description: Restore the seeded data of a Compose project, or seed them again
version_added: 0.1.0
author: gpuaas.parity contributors (@gpuaas)
description:
  - Does what the components of the contract rendered in O(state_dir) declare for a reset.
  - V(restored) returns their data to the snapshots and empties what has none. It takes about a second and restarts no
    container. A snapshot that does not fit the code of the checkout is refused.
  - V(reseeded) empties all of it and runs the containers that fill it. With the code of the checkout they migrate, seed,
    and keep the result as the new snapshots.
  - No password is passed as an argument or in the environment of a process that is started here.
extends_documentation_fragment:
  - gpuaas.parity.attributes
  - gpuaas.parity.state_dir
requirements:
  - jsonschema >= 4.26
  - Docker Engine >= 25
options:
  state:
    description: Whether to restore the snapshots or to make new ones.
    type: str
    choices: [restored, reseeded]
    default: restored
  project:
    description: Name of the project. It must be running.
    type: str
    required: true
  checkout:
    description: The checkout, whose code says which schema it needs.
    type: path
    required: true
attributes:
  check_mode:
    support: full
    details:
      - Says whether the snapshots could be restored.
  diff_mode:
    support: none
    details:
      - The contents of a database are not compared.
"""

EXAMPLES = r"""
- name: Restore the seeded data
  gpuaas.parity.compose_database:
    project: gpuaas-local
    state_dir: "{{ playbook_dir }}/../.parity/compose"
    checkout: "{{ playbook_dir | dirname }}"

- name: Seed the data again
  gpuaas.parity.compose_database:
    state: reseeded
    project: gpuaas-local
    state_dir: "{{ playbook_dir }}/../.parity/compose"
    checkout: "{{ playbook_dir | dirname }}"
"""

RETURN = r"""
extends_documentation_fragment:
  - gpuaas.parity.failure
schemas:
  description: Schema version of each snapshot, by the component whose data it holds.
  returned: success
  type: dict
  sample: {api: 2}
"""
