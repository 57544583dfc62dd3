# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of gpuaas.parity.doctor_info; the action plugin of the same name runs it."""

from __future__ import annotations

DOCUMENTATION = r"""
module: doctor_info
short_description: Say what on this machine or in this checkout would stop which mode
version_added: 0.1.0
author: gpuaas.parity contributors (@gpuaas)
description:
  - Examines the Python environment, the contract as every mode renders it, rendered files edited by hand, the state
    directories of the modes with their secrets and CA, and runs in progress. For the modes that run on this machine it also
    examines the machine, the Docker engine, ports, and what exists under the names of the modes.
  - What the C(up) of a mode would put right by itself is a note and stops nothing.
  - Everything is read, in about a second, and nothing is changed. Secrets are mentioned by name only.
  - A finding is not a failure, unless O(mode) asks for the verdict on one mode.
extends_documentation_fragment:
  - gpuaas.parity.attributes
  - gpuaas.parity.attributes.reads_only
  - gpuaas.parity.capacity
  - gpuaas.parity.platform
  - gpuaas.parity.platform.instance
  - gpuaas.parity.platform.lane
requirements:
  - cryptography >= 50
  - httpx >= 0.28
  - jsonschema >= 4.26
options:
  root:
    description: The checkout.
    type: path
    required: true
  state_root:
    description: Directory that holds a state directory for each mode.
    type: path
    required: true
  compose_dir:
    description: Directory to which a Compose project is rendered.
    type: path
    required: true
  modes:
    description: The modes to examine, in the order in which they are shown. All modes of the platform when empty.
    type: list
    elements: str
    default: []
  mode:
    description: Examine this mode only, and fail with the reason of what stops it.
    type: str
    default: ""
  cluster:
    description: Name of the kind cluster.
    type: str
    default: gpuaas-parity
seealso:
  - module: gpuaas.parity.host_preflight_info
"""

EXAMPLES = r"""
- name: Say what would stop which mode
  gpuaas.parity.doctor_info:
    root: "{{ playbook_dir }}/.."
    platform: "{{ playbook_dir }}/../platform"
    state_root: "{{ playbook_dir }}/../.parity"
    compose_dir: "{{ playbook_dir }}/../deploy/local"

- name: Fail if kind could not be brought up
  gpuaas.parity.doctor_info:
    root: "{{ playbook_dir }}/.."
    platform: "{{ playbook_dir }}/../platform"
    state_root: "{{ playbook_dir }}/../.parity"
    compose_dir: "{{ playbook_dir }}/../deploy/local"
    mode: kind
"""

RETURN = r"""
extends_documentation_fragment:
  - gpuaas.parity.failure
ready:
  description: For each mode whether nothing stops it.
  returned: always
  type: dict
  sample: {compose: true, kind: false}
modes:
  description: For each mode what stops it, and what its C(up) would put right by itself.
  returned: always
  type: dict
  sample:
    kind:
      ready: false
      findings:
        - reason: HOST_PORT_IN_USE
          seen: port 8443 on 127.0.0.1 is held by process 4711 (nginx)
          do: "end its owner, or take other ports: make kind-parity-up INSTANCE=two"
      notes: []
text:
  description: The report as it is shown.
  returned: always
  type: str
  sample: "compose  ready     make local-dev-up"
"""
