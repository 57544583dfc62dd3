# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of gpuaas.parity.contract_render; the action plugin of the same name runs it."""

from __future__ import annotations

DOCUMENTATION = r"""
module: contract_render
short_description: Render the contract for a mode and a lane
version_added: 0.1.0
author: gpuaas.parity contributors (@gpuaas)
description:
  - Reads C(platform.yml), the mode file and C(realm.yml) of O(contract_dir), refuses what is not consistent, and writes
    what a deployment consumes to C(rendered) in O(state_dir).
  - The same inputs give the same bytes on every machine. Nothing is taken from the environment, and nothing that is
    rendered is a secret.
  - Every role that has services in the lane and a directory C(files/manifests) becomes a Kustomize overlay. Its
    ports, names, namespaces and references are compared with the contract and never changed; hosts of Ingress objects,
    replicas and storage are set.
  - C(rendered) is replaced as a whole, and only when a byte of it differs.
options:
  contract_dir:
    description: Directory of C(platform.yml), C(modes/) and the schemas.
    type: path
    required: true
  mode:
    description: Name of the mode, that of a file in C(modes/).
    type: str
    default: kind
  lane:
    description: Name of the lane, one of the contract's.
    type: str
    default: core
  roles_dir:
    description: Directory of the roles whose manifests are rendered.
    type: path
    required: true
  state_dir:
    description: Directory of the run's own files.
    type: path
    required: true
attributes:
  check_mode:
    support: full
    description: Says whether C(rendered) would change, and writes nothing.
  diff_mode:
    support: full
    description: Returns a unified diff of every rendered file that differs.
seealso:
  - module: gpuaas.parity.local_secrets
  - module: gpuaas.parity.local_ca
"""

EXAMPLES = r"""
- name: Render the core lane for kind
  gpuaas.parity.contract_render:
    contract_dir: "{{ playbook_dir }}/../contract"
    mode: kind
    lane: core
    roles_dir: "{{ playbook_dir }}/../roles"
    state_dir: "{{ playbook_dir }}/../.parity/kind"
  register: render
"""

RETURN = r"""
contract:
  description:
    - The resolved contract, as in C(rendered/contract.json). It names secrets and holds none.
    - It has the lane's endpoints and services, and the secrets of all lanes.
  returned: success
  type: dict
  contains:
    contract:
      description: Version of the format.
      type: int
      sample: 1
    mode:
      description: Name of the mode.
      type: str
      sample: kind
    lane:
      description: Name of the lane.
      type: str
      sample: core
    domain:
      description: Domain of all public names.
      type: str
      sample: gpuaas.localhost
    endpoints:
      description: For each endpoint its C(host), C(port), C(scheme), C(url), C(service), C(health) and C(purpose).
      type: dict
    services:
      description: >-
        For each service its C(role), C(image), C(host), C(port), C(settings), C(secrets), and its placement: C(namespace),
        C(replicas) and, where it has any, C(storage) and C(storage_class).
      type: dict
    secrets:
      description: For each secret its C(kind) and what it C(means).
      type: dict
rendered:
  description: Path of the directory that was rendered.
  returned: success
  type: str
  sample: /home/me/parity/.parity/kind/rendered
files:
  description: Paths of the rendered files below RV(rendered), sorted.
  returned: success
  type: list
  elements: str
  sample: [contract.json, identity/kustomization.yaml]
reason:
  description: Reason id of the failure.
  returned: failure
  type: str
  sample: CONTRACT_REFERENCE
"""
