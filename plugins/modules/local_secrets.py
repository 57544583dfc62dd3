# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of gpuaas.parity.local_secrets; the action plugin of the same name runs it."""

from __future__ import annotations

DOCUMENTATION = r"""
module: local_secrets
short_description: Provide the secrets of a run as its tier demands, and verify them on every run
version_added: 0.1.0
author: gpuaas.parity contributors (@gpuaas)
description:
  - Keeps C(secrets/secrets.yml) in O(state_dir), a mapping from the name of every secret to its value, or to what it is
    derived from or wrapped by, and delivers one file for each secret of a service, C(secrets/files/<service>/<key>).
  - A secret has one of the types C(password), C(key) and C(keyring). One with C(derived_from) in the contract is not
    stored but derived from another secret by HKDF-SHA256. One with C(wrapped_by) is stored wrapped by AES key wrap
    (RFC 5649). The files of services have plain values, a keyring as JSON.
  - O(tier) says where values come from. Only a name that was added to the contract is given a new value.
  - A file that is broken, that others may read, or that holds a weak value or an unknown name is refused. It is never
    overwritten, and nothing in it is ever regenerated. M(gpuaas.parity.secret_rotate) replaces a secret.
  - A service gets a secret only when the contract lists it among the C(readers) of the secret.
  - No value is returned, logged or part of a message.
extends_documentation_fragment:
  - gpuaas.parity.attributes
  - gpuaas.parity.contract
  - gpuaas.parity.state_dir
requirements:
  - cryptography >= 50
  - jsonschema >= 4.26
options:
  tier:
    description:
      - What the environment is, which determines where the values come from. There is no default.
      - V(local) generates each value once, at random, and keeps it.
      - V(ci) derives each value from O(seed_file) by HKDF-SHA256 (RFC 5869) with the type and name of the secret. Equal
        seeds give equal secrets on every machine. A different value in C(secrets.yml) is refused.
      - V(staging) generates nothing and requires every value in C(secrets.yml).
      - The tier is recorded in C(secrets-tier) in O(state_dir). Secrets of one tier are refused in another. Secrets
        without a record take the tier that is given.
    type: str
    required: true
    choices: [local, ci, staging]
  seed_file:
    description:
      - File with the seed for V(ci), of mode 0600 and with at least 32 bytes, not counting surrounding space. No other
        tier reads it.
    type: path
  cluster_exists:
    description: >-
      Whether the platform that uses the secrets exists, running or stopped. If it does and C(secrets.yml) does not, the
      module fails, because new secrets would not open its data.
    type: bool
    default: false
attributes:
  check_mode:
    support: full
    details:
      - Says what would be generated.
  diff_mode:
    support: none
    details:
      - A diff would show secrets.
seealso:
  - module: gpuaas.parity.contract_render
  - module: gpuaas.parity.secret_rotate
"""

EXAMPLES = r"""
- name: Generate what is missing and verify what exists
  gpuaas.parity.local_secrets:
    contract: "{{ render.contract }}"
    state_dir: "{{ playbook_dir }}/../.parity/kind"
    tier: local
    cluster_exists: "{{ cluster.exists }}"
  register: secrets

- name: Derive the same secrets in every run of a pipeline
  gpuaas.parity.local_secrets:
    contract: "{{ render.contract }}"
    state_dir: "{{ playbook_dir }}/../.parity/kind"
    tier: ci
    seed_file: /run/ci/seed
"""

RETURN = r"""
extends_documentation_fragment:
  - gpuaas.parity.failure
generated:
  description: Names of the secrets that were given their value in this run.
  returned: success
  type: list
  elements: str
  sample: [redis_password]
removed:
  description: Delivered files, below C(secrets/files), that were removed because no service in the lane has them.
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
  description: Paths of the delivered files, sorted.
  returned: success
  type: list
  elements: str
  sample: [/home/me/parity/.parity/kind/secrets/files/redis/password]
"""
