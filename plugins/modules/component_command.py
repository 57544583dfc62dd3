# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of gpuaas.parity.component_command; the action plugin of the same name runs it."""

from __future__ import annotations

DOCUMENTATION = r"""
module: component_command
short_description: Run a command of a component where the component runs
version_added: 0.1.0
author: gpuaas.parity contributors (@gpuaas)
description:
  - Runs one of the C(commands) that a component of the platform has in its C(component.yml), in the component's own
    container, as that container's user. Shows what it printed, with every secret of the run masked.
  - Is not repeated. What the command changes is the component's own matter, so the result is always reported as changed.
  - In check mode it is only found, not run.
extends_documentation_fragment:
  - gpuaas.parity.attributes
  - gpuaas.parity.kubeconfig
  - gpuaas.parity.platform
  - gpuaas.parity.state_dir
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
requirements:
  - httpx >= 0.28
  - kubectl, for pods
  - Docker Engine, for a Docker Compose project
options:
  name:
    description: Name of the command.
    type: str
    required: true
  value:
    description: Value for a command that takes one.
    type: str
    default: ""
seealso:
  - module: gpuaas.parity.component_logs_info
"""

EXAMPLES = r"""
- name: Show what consumers gave up
  gpuaas.parity.component_command:
    kubeconfig: .parity/kind/kubeconfig
    state_dir: .parity/kind
    platform: platform
    name: deadletters

- name: Send it to them once more
  gpuaas.parity.component_command:
    kubeconfig: .parity/kind/kubeconfig
    state_dir: .parity/kind
    platform: platform
    name: deadletters
    value: all
"""

RETURN = r"""
extends_documentation_fragment:
  - gpuaas.parity.failure
component:
  description: The component that has the command.
  returned: success
  type: str
  sample: outbox-relay
printed:
  description: The lines that it printed.
  returned: success, when it was run
  type: list
  elements: str
  sample: ['{"id": 12, "replayed": false, "consumer": "notification", "reason": "unknown_version"}']
"""
