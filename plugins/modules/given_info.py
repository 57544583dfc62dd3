# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of gpuaas.parity.given_info; the action plugin of the same name runs it."""

from __future__ import annotations

DOCUMENTATION = r"""
module: given_info
short_description: Refuse values that a run could not use
version_added: 0.1.0
author: gpuaas.parity contributors (@gpuaas)
description:
  - Checks what a user gave to a command, before anything is locked, written or started, and names the values that there are.
extends_documentation_fragment:
  - gpuaas.parity.attributes
  - gpuaas.parity.attributes.reads_only
  - gpuaas.parity.platform
  - gpuaas.parity.platform.instance
options:
  mode:
    description: Name of the mode. Empty for what does not depend on one.
    type: str
    default: ""
  state_dir:
    description: The state directory. Where the platform cannot be read, what the last run recorded in it says what the mode is.
    type: path
    required: true
  given:
    description:
      - Values by the variables of make. An empty one is not given.
      - C(OWN_MODE) is a C(MODE) given to a command that is for O(mode) only.
    type: dict
    default: {}
"""

EXAMPLES = r"""
- name: Refuse a lane that there is not
  gpuaas.parity.given_info:
    platform: platform
    mode: kind
    state_dir: .parity/kind
    given:
      LANE: "{{ parity_lane }}"
"""

RETURN = r"""
extends_documentation_fragment:
  - gpuaas.parity.failure
"""
