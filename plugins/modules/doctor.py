# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of gpuaas.parity.doctor; the action plugin of the same name runs it."""

from __future__ import annotations

DOCUMENTATION = r"""
module: doctor
short_description: Say what on this machine or in this checkout would stop which mode
version_added: 0.1.0
author: gpuaas.parity contributors (@gpuaas)
description:
  - Looks at the Python environment, the contract as every mode renders it, rendered files edited by hand, the modes' own
    folders with their secrets and CA, a run at work, and, for the modes that run on this machine, at the machine, the
    Docker engine, ports, and what stands under the modes' names.
  - What a mode's C(up) would put right by itself is a note and stops nothing.
  - Everything is read, in about a second, and nothing is changed. Secrets are told by name alone.
  - Finding something is not a failure, unless O(mode) asks for one mode's verdict.
  - Runs on the controller.
options:
  root:
    description: The checkout.
    type: path
    required: true
  platform:
    description: Folder of the platform, which holds C(platform.yml).
    type: path
    required: true
  state_root:
    description: The folder that holds a state directory for each mode.
    type: path
    required: true
  compose_dir:
    description: Where a Compose project is rendered.
    type: path
    required: true
  instance:
    description: Name of the instance. Empty for the one that has none.
    type: str
    default: ""
  modes:
    description: The modes to look at, in the order of the screen. All of the platform when empty.
    type: list
    elements: str
    default: []
  mode:
    description: Look at this mode only, and fail with the reason of what stops it.
    type: str
    default: ""
  lane:
    description: Name of the lane. Empty for the platform\'s default.
    type: str
    default: ""
  cluster:
    description: Name of the kind cluster.
    type: str
    default: gpuaas-parity
  disk_build_gib:
    description: Disk that must be free where Docker keeps its data when images are built, in GiB.
    type: float
    default: 12
  disk_run_gib:
    description: Disk that must be free when nothing is built, in GiB.
    type: float
    default: 4
  memory_gib:
    description: Memory that must be available before a platform runs, in GiB.
    type: float
    default: 3
attributes:
  check_mode:
    description: Changes nothing, so it runs the same.
    support: full
  diff_mode:
    description: Changes nothing, so there is nothing to compare.
    support: none
seealso:
  - module: gpuaas.parity.host_preflight
"""

EXAMPLES = r"""
- name: Say what would stop which mode
  gpuaas.parity.doctor:
    root: "{{ playbook_dir }}/.."
    platform: "{{ playbook_dir }}/../platform"
    state_root: "{{ playbook_dir }}/../.parity"
    compose_dir: "{{ playbook_dir }}/../deploy/local"

- name: Fail if kind could not be brought up
  gpuaas.parity.doctor:
    root: "{{ playbook_dir }}/.."
    platform: "{{ playbook_dir }}/../platform"
    state_root: "{{ playbook_dir }}/../.parity"
    compose_dir: "{{ playbook_dir }}/../deploy/local"
    mode: kind
"""

RETURN = r"""
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
  description: The screen.
  returned: always
  type: str
  sample: "compose  ready     make local-dev-up"
"""
