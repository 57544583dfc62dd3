# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of gpuaas.parity.component_logs_info; the action plugin of the same name runs it."""

from __future__ import annotations

DOCUMENTATION = r"""
module: component_logs_info
short_description: Show the logs of one component or of all components
version_added: 0.1.0
author: gpuaas.parity contributors (@gpuaas)
description:
  - Prints each line as C(component | line) while the module runs. The logs of all components are read at the same time.
  - Reads pods through C(kubectl), and the containers of a Docker Compose project through C(docker).
  - The components are the services of the contract rendered in O(state_dir).
extends_documentation_fragment:
  - gpuaas.parity.attributes
  - gpuaas.parity.attributes.reads_only
  - gpuaas.parity.kubeconfig
  - gpuaas.parity.state_dir
requirements:
  - httpx >= 0.28
  - kubectl, for pods
  - Docker Engine, for a Docker Compose project
options:
  component:
    description: Component to show. All components are shown when it is empty.
    type: str
    default: ""
  follow:
    description: Whether to keep showing new lines until the pods or containers end or the run is interrupted.
    type: bool
    default: false
  tail:
    description: How many of the last lines of each container to start with. V(-1) shows all lines.
    type: int
    default: 200
  kubectl:
    description: Path of the kubectl program. The default is the one installed beside the running Python.
    type: path
"""

EXAMPLES = r"""
- name: Show the last lines of every component
  gpuaas.parity.component_logs_info:
    kubeconfig: "{{ parity_state_dir }}/kubeconfig"
    state_dir: "{{ parity_state_dir }}"

- name: Show the last lines of every container of the Docker Compose project
  gpuaas.parity.component_logs_info:
    state_dir: "{{ parity_state_dir }}"

- name: Follow the API
  gpuaas.parity.component_logs_info:
    kubeconfig: "{{ parity_state_dir }}/kubeconfig"
    state_dir: "{{ parity_state_dir }}"
    component: api
    follow: true
"""

RETURN = r"""
extends_documentation_fragment:
  - gpuaas.parity.failure
lines:
  description: How many lines were shown, by component.
  returned: success
  type: dict
  sample:
    api: 200
    web: 37
"""
