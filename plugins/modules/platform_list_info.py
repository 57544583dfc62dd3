# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of gpuaas.parity.platform_list_info; the action plugin of the same name runs it."""

from __future__ import annotations

DOCUMENTATION = r"""
module: platform_list_info
short_description: List every platform on this machine, of whichever checkout
version_added: 0.1.0
author: gpuaas.parity contributors (@gpuaas)
description:
  - Finds clusters and Compose projects of this collection by the labels of their Docker networks.
extends_documentation_fragment:
  - gpuaas.parity.attributes
  - gpuaas.parity.attributes.reads_only
requirements:
  - Docker Engine >= 23
options:
  state_dir:
    description: State directory of the current run, whose platform is marked in the list.
    type: path
    default: ""
  cache:
    description: Directory that keeps build logs and exported programs. What the caches hold is shown below the list. Empty to leave it out.
    type: path
    default: ""
"""

EXAMPLES = r"""
- name: List the platforms on this machine
  gpuaas.parity.platform_list_info:
  register: platforms
"""

RETURN = r"""
extends_documentation_fragment:
  - gpuaas.parity.failure
platforms:
  description: The platforms, sorted by name.
  returned: success
  type: list
  elements: dict
  sample:
    - {name: gpuaas-parity, mode: kind, instance: "", port: 8443, running: 1, containers: 1, state_dir: /home/me/gpuaas/.parity/kind}
"""
