# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of gpuaas.parity.contract_diff; the action plugin of the same name runs it."""

from __future__ import annotations

DOCUMENTATION = r"""
module: contract_diff
short_description: Compare two modes of the contract by meaning
version_added: 0.1.0
author: gpuaas.parity contributors (@gpuaas)
description:
  - Renders two modes in memory and compares what their services would get, C(contract.json) and the realm.
  - A difference is V(transport) when both texts are what the contract says, with the modes' own transport values in the
    places that the contract gives them and everything else alike; V(placement) when the mode alone says it; V(exception)
    when a component's C(compose.yml) says what Docker Compose does otherwise than its manifest, with the reason.
  - Every other difference is one of V(meaning). There must be none; if there is one, the module fails with
    C(CONTRACT_MEANING_DIFFERS).
  - Nothing is written, and nothing that runs is asked.
options:
  platform:
    description: Folder of the platform, which holds C(platform.yml).
    type: path
    required: true
  a:
    description: Name of the one mode.
    type: str
    required: true
  b:
    description: Name of the other.
    type: str
    required: true
  lane:
    description: Name of the lane, one of the contract's. Empty for the platform's default.
    type: str
    default: ""
attributes:
  check_mode:
    support: full
    description: Nothing is ever changed.
  diff_mode:
    support: none
    description: The comparison is the result itself.
seealso:
  - module: gpuaas.parity.contract_render
"""

EXAMPLES = r"""
- name: Compare compose with kind
  gpuaas.parity.contract_diff:
    platform: "{{ playbook_dir }}/../platform"
    a: compose
    b: kind
  register: compared
"""

RETURN = r"""
differences:
  description: >-
    The differences by group, V(transport), V(placement), V(exception) and V(meaning); each has C(path), C(a) and C(b), which
    are null where there is nothing, and an exception C(why).
  returned: always, when both modes could be rendered
  type: dict
  sample: {transport: [{path: domain, a: gpuaas.localhost, b: gpuaas.vm-105.internal}], placement: [], exception: [], meaning: []}
counts:
  description: How many there are of each group.
  returned: always, when both modes could be rendered
  type: dict
  sample: {transport: 1, placement: 0, exception: 0, meaning: 0}
reason:
  description: Reason id of the failure.
  returned: failure
  type: str
  sample: CONTRACT_MEANING_DIFFERS
"""
