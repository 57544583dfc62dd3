# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of gpuaas.parity.secret_rotate; the action plugin of the same name runs it."""

from __future__ import annotations

DOCUMENTATION = r"""
module: secret_rotate
short_description: Replace one secret of a run by a new value
version_added: 0.1.0
author: gpuaas.parity contributors (@gpuaas)
description:
  - Gives one secret in C(secrets/secrets.yml) of O(state_dir) a new value, and with it the files below C(secrets/files)
    of the services that read it. Services take it up with the next C(up), which C(playbooks/rotate.yml) runs.
  - The value that is replaced is written to C(secrets/previous.yml), mode 0600, first. gpuaas.parity.keycloak_bootstrap
    logs in with it where Keycloak does not know the new one yet, and removes the file when all is settled.
  - Each file has its old content or its new one. A run that ends in between is finished by the next C(up).
  - No value is taken as an argument, returned, logged or put into a message.
options:
  contract:
    description: The resolved contract, as gpuaas.parity.contract_render returns it, or the path of C(contract.json).
    type: raw
    required: true
  state_dir:
    description: Directory of the run's own files.
    type: path
    required: true
  name:
    description: Name of the secret, as in C(secrets) of the contract.
    type: str
    required: true
  tier:
    description:
      - What the environment is, the same that gpuaas.parity.local_secrets was given.
      - V(local) generates the new value unless O(value_file) is given.
      - V(ci) refuses, since its secrets follow from the seed; another seed makes other secrets.
      - V(staging) takes the new value from O(value_file).
    type: str
    required: true
    choices: [local, ci, staging]
  value_file:
    description:
      - File with the new value, of mode 0600. Space around the value is not part of it.
      - With the value that the secret has already nothing is replaced, so that an interrupted run can be repeated.
    type: path
attributes:
  check_mode:
    support: full
    description: Says what would be replaced, and writes nothing.
  diff_mode:
    support: full
    description: Shows the name. Values are never shown.
seealso:
  - module: gpuaas.parity.local_secrets
  - module: gpuaas.parity.keycloak_bootstrap
"""

EXAMPLES = r"""
- name: Replace the password of the cache
  gpuaas.parity.secret_rotate:
    contract: "{{ render.contract }}"
    state_dir: "{{ playbook_dir }}/../.parity/kind"
    name: redis_password
    tier: local

- name: Replace it by a value that was agreed upon
  gpuaas.parity.secret_rotate:
    contract: "{{ render.contract }}"
    state_dir: "{{ playbook_dir }}/../.parity/kind"
    name: redis_password
    tier: staging
    value_file: /run/handover/redis_password
"""

RETURN = r"""
replaced:
  description: Whether the secret has a new value or, in check mode, would have.
  returned: success
  type: bool
  sample: true
readers:
  description: Who may read the secret, as the contract says.
  returned: success
  type: list
  elements: str
  sample: [api, redis, web]
file:
  description: Path of C(secrets.yml).
  returned: success
  type: str
  sample: /home/me/parity/.parity/kind/secrets/secrets.yml
files:
  description: Paths of the derived files of this secret, sorted.
  returned: success
  type: list
  elements: str
  sample: [/home/me/parity/.parity/kind/secrets/files/redis/password]
reason:
  description: Reason id of the failure.
  returned: failure
  type: str
  sample: SECRET_UNKNOWN
"""
