# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of gpuaas.parity.contract_diff_info; the action plugin of the same name runs it."""

from __future__ import annotations

DOCUMENTATION = r"""
module: contract_diff_info
short_description: Compare two modes of the contract by meaning
version_added: 0.1.0
author: gpuaas.parity contributors (@gpuaas)
description:
  - Renders two modes in memory and compares what their services would receive, C(contract.json) and the realm.
  - A difference counts as V(transport) when both texts follow from the contract with each mode's own transport values and
    are alike everywhere else. It counts as V(placement) when only the mode determines it, as V(security) when its security
    mode does, and as V(exception) when a component's C(compose.yml) states what Docker Compose does otherwise than its
    manifest, with the reason.
  - Every other difference is a difference of V(meaning). There must be none. If there is one, the module fails with
    C(CONTRACT_MEANING_DIFFERS).
  - Nothing is written, and no running platform is contacted.
extends_documentation_fragment:
  - gpuaas.parity.attributes
  - gpuaas.parity.attributes.reads_only
  - gpuaas.parity.platform
  - gpuaas.parity.platform.lane
  - gpuaas.parity.platform.options
  - gpuaas.parity.platform.security
  - gpuaas.parity.platform.source
requirements:
  - jsonschema >= 4.26
options:
  a:
    description: Name of the first mode.
    type: str
    required: true
  b:
    description: Name of the second mode.
    type: str
    required: true
seealso:
  - module: gpuaas.parity.contract_render
"""

EXAMPLES = r"""
- name: Compare compose with kind
  gpuaas.parity.contract_diff_info:
    platform: "{{ playbook_dir }}/../platform"
    a: compose
    b: kind
  register: compared
"""

RETURN = r"""
extends_documentation_fragment:
  - gpuaas.parity.failure
differences:
  description: >-
    The differences by group, V(transport), V(placement), V(security), V(exception) and V(meaning). Each has C(path), C(a) and C(b),
    which are null where a mode has no value, and an exception has C(why).
  returned: always, when both modes could be rendered
  type: dict
  sample:
    transport: [{path: domain, a: gpuaas.localhost, b: gpuaas.vm-105.internal}]
    placement: []
    security: []
    exception: []
    meaning: []
counts:
  description: Number of differences in each group.
  returned: always, when both modes could be rendered
  type: dict
  sample: {transport: 1, placement: 0, security: 0, exception: 0, meaning: 0}
"""
