# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of gpuaas.parity.local_secrets; the action plugin of the same name runs it."""

from __future__ import annotations

DOCUMENTATION = r"""
module: local_secrets
short_description: Have the secrets of a run as its tier gives them, and check them ever after
version_added: 0.1.0
author: gpuaas.parity contributors (@gpuaas)
description:
  - Keeps C(secrets/secrets.yml) in O(state_dir), a mapping of every secret's name to its value, and derives from it one
    file for each secret of a service, C(secrets/files/<service>/<key>).
  - Where values come from is said by O(tier). A name that the contract gained is filled alone.
  - A file that is broken, that others may read, or that holds a weak value or an unknown name is refused. It is never
    overwritten, and nothing in it is ever regenerated; gpuaas.parity.secret_rotate replaces a secret.
  - A service gets a secret only when the contract lists it among the secret's C(readers).
  - No value is returned, logged or put into a message.
options:
  contract:
    description: The resolved contract, as gpuaas.parity.contract_render returns it, or the path of C(contract.json).
    type: raw
    required: true
  state_dir:
    description: Directory of the run's own files.
    type: path
    required: true
  tier:
    description:
      - What the environment is, and with that where the values come from. There is no default.
      - V(local) generates each value once, at random, and keeps it.
      - V(ci) derives each value from O(seed_file) by HKDF-SHA256 (RFC 5869) with the secret's kind and name. Equal seeds
        give equal secrets on every machine. A value in C(secrets.yml) that is another one is refused.
      - V(staging) generates nothing and demands every value in C(secrets.yml).
      - The tier is recorded in C(secrets-tier) in O(state_dir). Secrets of one tier are refused in another. Secrets
        without a record take the tier that is given.
    type: str
    required: true
    choices: [local, ci, staging]
  seed_file:
    description:
      - File with the seed of V(ci), of mode 0600 and with at least 32 bytes that are not space around it. No other tier
        reads it.
    type: path
  cluster_exists:
    description: >-
      Whether the platform that uses the secrets exists, running or stopped. When it does and C(secrets.yml) does not, the
      module fails: new secrets would not open its data.
    type: bool
    default: false
attributes:
  check_mode:
    support: full
    description: Says what would be generated, and writes nothing.
  diff_mode:
    support: none
    description: A diff would show secrets.
seealso:
  - module: gpuaas.parity.contract_render
  - module: gpuaas.parity.secret_rotate
"""

EXAMPLES = r"""
- name: Generate what is missing, check what is there
  gpuaas.parity.local_secrets:
    contract: "{{ render.contract }}"
    state_dir: "{{ playbook_dir }}/../.parity/kind"
    tier: local
    cluster_exists: "{{ cluster.exists }}"
  register: secrets

- name: Have the same secrets in every run of a pipeline
  gpuaas.parity.local_secrets:
    contract: "{{ render.contract }}"
    state_dir: "{{ playbook_dir }}/../.parity/kind"
    tier: ci
    seed_file: /run/ci/seed
"""

RETURN = r"""
generated:
  description: Names of the secrets that got their value in this run.
  returned: success
  type: list
  elements: str
  sample: [redis_password]
removed:
  description: Derived files that were removed because no service in the lane has them, below C(secrets/files).
  returned: success
  type: list
  elements: str
  sample: [queue/password]
file:
  description: Path of C(secrets.yml).
  returned: success
  type: str
  sample: /home/me/parity/.parity/kind/secrets/secrets.yml
files:
  description: Paths of the derived files, sorted.
  returned: success
  type: list
  elements: str
  sample: [/home/me/parity/.parity/kind/secrets/files/redis/password]
reason:
  description: Reason id of the failure.
  returned: failure
  type: str
  sample: SECRETS_PERMISSIONS
"""
