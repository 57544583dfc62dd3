# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of gpuaas.parity.compose_database; the action plugin of the same name runs it."""

from __future__ import annotations

DOCUMENTATION = r"""
module: compose_database
short_description: Restore the seeded database of a Compose project, or seed it again
version_added: 0.1.0
author: gpuaas.parity contributors (@gpuaas)
description:
  - V(restored) returns the control plane's database to its snapshot and empties the cache. It takes about a second and
    restarts no container. A snapshot that does not fit the code of the checkout is refused.
  - V(reseeded) empties the database, migrates and seeds it with the code of the checkout, and keeps the result as the
    new snapshot.
  - No password is passed as an argument or in the environment of a process that is started here.
extends_documentation_fragment:
  - gpuaas.parity.attributes
  - gpuaas.parity.state_dir
requirements:
  - jsonschema >= 4.26
  - Docker Engine >= 25
options:
  state:
    description: Whether to restore the snapshot or to make a new one.
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
      - Says whether the snapshot could be restored.
  diff_mode:
    support: none
    details:
      - The contents of a database are not compared.
"""

EXAMPLES = r"""
- name: Restore the seeded database
  gpuaas.parity.compose_database:
    project: gpuaas-local
    state_dir: "{{ playbook_dir }}/../.parity/compose"
    checkout: "{{ playbook_dir | dirname }}"

- name: Seed the database again
  gpuaas.parity.compose_database:
    state: reseeded
    project: gpuaas-local
    state_dir: "{{ playbook_dir }}/../.parity/compose"
    checkout: "{{ playbook_dir | dirname }}"
"""

RETURN = r"""
extends_documentation_fragment:
  - gpuaas.parity.failure
schema:
  description: Schema version of the snapshot.
  returned: success
  type: int
  sample: 2
"""
