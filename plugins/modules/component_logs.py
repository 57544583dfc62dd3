# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of gpuaas.parity.component_logs; the action plugin of the same name runs it."""

from __future__ import annotations

DOCUMENTATION = r"""
module: component_logs
short_description: Show the logs of one component or of all
version_added: 0.1.0
author: gpuaas.parity contributors (@gpuaas)
description:
  - Prints each line as C(component | line) while the module runs. The logs of all components are read at once.
  - Reads pods through the C(kubectl) that is installed beside the running Python, and containers of a Docker Compose
    project through C(docker). Runs on the controller.
options:
  kubeconfig:
    description:
      - The run's own kubeconfig. No other is read.
      - Needed unless the contract's target is V(compose), which has no cluster.
    type: path
  state_dir:
    description: Directory of the run's own files. The services of its rendered contract are the components.
    type: path
    required: true
  component:
    description: The component to show. Empty shows all.
    type: str
    default: ""
  follow:
    description: Whether to go on showing lines until the pods or containers end or the run is interrupted.
    type: bool
    default: false
  tail:
    description: How many of the last lines of each container to begin with. V(-1) is all.
    type: int
    default: 200
  kubectl:
    description: The kubectl program, for pods. By default the one beside the running Python.
    type: path
attributes:
  check_mode:
    description: Can run in check_mode and return changed status prediction without modifying target
    support: full
  diff_mode:
    description: Will return details on what has changed (or possibly needs changing in check_mode), when in diff mode
    support: none
"""

EXAMPLES = r"""
- name: Show the last lines of every component
  gpuaas.parity.component_logs:
    kubeconfig: "{{ parity_state_dir }}/kubeconfig"
    state_dir: "{{ parity_state_dir }}"

- name: Show the last lines of every container of the Docker Compose project
  gpuaas.parity.component_logs:
    state_dir: "{{ parity_state_dir }}"

- name: Follow the API
  gpuaas.parity.component_logs:
    kubeconfig: "{{ parity_state_dir }}/kubeconfig"
    state_dir: "{{ parity_state_dir }}"
    component: api
    follow: true
"""

RETURN = r"""
lines:
  description: How many lines were shown, by component.
  returned: success
  type: dict
  sample:
    api: 200
    web: 37
"""
