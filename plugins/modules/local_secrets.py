# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of gpuaas.parity.local_secrets; the action plugin of the same name runs it."""

from __future__ import annotations

DOCUMENTATION = r"""
module: local_secrets
short_description: Generate the secrets of a run once, and check them ever after
version_added: 0.1.0
author: gpuaas.parity contributors (@gpuaas)
description:
  - Keeps C(secrets/secrets.yml) in O(state_dir), a mapping of every secret's name to its value, and derives from it one
    file for each secret of a service, C(secrets/files/<service>/<key>).
  - All secrets are generated when there is no C(secrets.yml); a name that the contract gained since is generated alone.
  - A file that is broken, that others may read, or that holds a weak value or an unknown name is refused. It is never
    overwritten, and nothing in it is ever regenerated.
  - No value is returned, logged or put into a message.
options:
  contract:
    description: The resolved contract, as gpuaas.parity.contract_render returns it, or the path of C(contract.json).
    type: raw
    required: true
  schema:
    description: Path of C(secrets.schema.json), which defines each kind of secret.
    type: path
    required: true
  state_dir:
    description: Directory of the run's own files.
    type: path
    required: true
  cluster_exists:
    description: >-
      Whether the cluster that uses the secrets exists, running or stopped. When it does and C(secrets.yml) does not, the
      module fails: new secrets would not open the data of the cluster.
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
"""

EXAMPLES = r"""
- name: Generate what is missing, check what is there
  gpuaas.parity.local_secrets:
    contract: "{{ render.contract }}"
    schema: "{{ playbook_dir }}/../contract/secrets.schema.json"
    state_dir: "{{ playbook_dir }}/../.parity/kind"
    cluster_exists: "{{ cluster.exists }}"
  register: secrets
"""

RETURN = r"""
generated:
  description: Names of the secrets that were generated in this run.
  returned: success
  type: list
  elements: str
  sample: [redis_password]
removed:
  description: Derived files that were removed because no service in the lane has them, below C(secrets/files).
  returned: success
  type: list
  elements: str
  sample: [nats/password]
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
