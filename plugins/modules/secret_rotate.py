# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of gpuaas.parity.secret_rotate; the action plugin of the same name runs it."""

from __future__ import annotations

DOCUMENTATION = r"""
module: secret_rotate
short_description: Replace the value of one secret of a run, or add a version to a keyring
version_added: 0.1.0
author: gpuaas.parity contributors (@gpuaas)
description:
  - Gives one secret in C(secrets/secrets.yml) of O(state_dir) a new value, and updates the files below C(secrets/files) of
    the services that read it. Services take it up with the next C(up), which C(playbooks/rotate.yml) runs.
  - A keyring gets a new version, which becomes its primary one, and keeps all others. What is derived from the secret
    gets a new value as well, and what it wraps stays readable. A derived secret is refused by itself.
  - The old value is first written to C(secrets/previous.yml), mode 0600. M(gpuaas.parity.keycloak_bootstrap) logs in with
    it where Keycloak does not know the new one yet, and removes the file afterwards.
  - Each file has either its old content or its new one. A run that is interrupted is finished by the next C(up).
  - No value is taken as an argument, returned, logged or part of a message.
extends_documentation_fragment:
  - gpuaas.parity.attributes
  - gpuaas.parity.contract
  - gpuaas.parity.state_dir
requirements:
  - cryptography >= 50
  - jsonschema >= 4.26
options:
  name:
    description: Name of the secret, as in C(secrets) of the contract.
    type: str
    required: true
  tier:
    description:
      - What the environment is. It must be the tier that M(gpuaas.parity.local_secrets) was given.
      - V(local) generates the new value unless O(value_file) is given.
      - V(ci) refuses, since its secrets follow from the seed. Another seed gives other secrets.
      - V(staging) takes the new value from O(value_file).
    type: str
    required: true
    choices: [local, ci, staging]
  value_file:
    description:
      - File with the new value, of mode 0600. Surrounding space is not part of the value. For a keyring it holds the key of
        the new version.
      - If the secret already has this value, nothing is replaced, so an interrupted run can be repeated.
    type: path
attributes:
  check_mode:
    support: full
    details:
      - Says what would be replaced.
  diff_mode:
    support: full
    details:
      - Shows the name. Values are never shown.
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

- name: Replace the password of the cache by an agreed value
  gpuaas.parity.secret_rotate:
    contract: "{{ render.contract }}"
    state_dir: "{{ playbook_dir }}/../.parity/kind"
    name: redis_password
    tier: staging
    value_file: /run/handover/redis_password
"""

RETURN = r"""
extends_documentation_fragment:
  - gpuaas.parity.failure
replaced:
  description: Whether the secret has a new value, or would have one in check mode.
  returned: success
  type: bool
  sample: true
derived:
  description: Names of the secrets that are derived from it, at first or second hand, sorted.
  returned: success
  type: list
  elements: str
  sample: []
readers:
  description: Who may read the secret, or one that is derived from it, according to the contract.
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
  description: Paths of the delivered files of this secret and of those derived from it, sorted.
  returned: success
  type: list
  elements: str
  sample: [/home/me/parity/.parity/kind/secrets/files/redis/password]
"""
