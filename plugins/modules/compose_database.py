# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of gpuaas.parity.compose_database; the action plugin of the same name runs it."""

from __future__ import annotations

DOCUMENTATION = r"""
module: compose_database
short_description: Restore the seeded data of a Compose project, or make them again
version_added: 0.1.0
author: gpuaas.parity contributors (@gpuaas)
description:
  - Does what the components of the rendered contract say of a reset.
  - V(restored) makes their data what the snapshots are, in about a second and without restarting a container, and empties
    what has none. A snapshot that does not fit the code of the checkout is refused.
  - V(reseeded) empties all of it and runs the containers that fill it. With the code of the checkout they migrate, seed,
    and keep that as the snapshot.
  - No password is an argument or in the environment of anything that is started here.
options:
  state:
    description: What is wanted.
    type: str
    choices: [restored, reseeded]
    default: restored
  project:
    description: Name of the project, which runs.
    type: str
    required: true
  state_dir:
    description: Directory of the run's own files, which the project's labels name. It holds the rendered contract.
    type: path
    required: true
  checkout:
    description: The checkout, whose code says which schema it needs.
    type: path
    required: true
attributes:
  check_mode:
    support: full
    description: Says whether the snapshot could be restored, and changes nothing.
  diff_mode:
    support: none
    description: The contents of a database are not compared.
"""

EXAMPLES = r"""
- name: Restore the seeded data
  gpuaas.parity.compose_database:
    project: gpuaas-local
    state_dir: "{{ playbook_dir }}/../.parity/compose"
    checkout: "{{ playbook_dir | dirname }}"
"""

RETURN = r"""
schemas:
  description: Schema version of each snapshot, by the component whose data it keeps.
  returned: success
  type: dict
  sample: {api: 2}
reason:
  description: Reason id of the failure.
  returned: failure
  type: str
  sample: LOCAL_DEV_SEED_OUTDATED
"""
