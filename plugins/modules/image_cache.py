# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of gpuaas.parity.image_cache; the action plugin of the same name runs it."""

from __future__ import annotations

DOCUMENTATION = r"""
module: image_cache
short_description: Remove images and build cache that nobody needs
version_added: 0.1.0
author: gpuaas.parity contributors (@gpuaas)
description:
  - Removes images of this collection that no container uses, build cache of the Docker engine, and what is kept in O(cache).
  - All of it is made again when it is wanted. No platform that stands is touched.
  - The engine does not record for whom it keeps build cache. So V(current) lets it stay, and V(absent) removes that of other
    projects as well.
extends_documentation_fragment:
  - gpuaas.parity.attributes
requirements:
  - Docker Engine >= 23 with buildx
options:
  cache:
    description: Directory that keeps build logs and exported programs between runs.
    type: path
    required: true
  state:
    description:
      - V(current) removes what no run of this user has wanted for O(days), and looks for it once a day at most.
      - V(absent) removes everything that no platform uses.
    type: str
    choices: [current, absent]
    default: current
  days:
    description: For how many days what is not wanted stays. V(0) lets all of it stay.
    type: float
    default: 14
attributes:
  check_mode:
    support: full
    details:
      - Says what is held and removes nothing.
  diff_mode:
    support: none
    details:
      - An image has no textual difference.
seealso:
  - module: gpuaas.parity.image
"""

EXAMPLES = r"""
- name: Remove everything that no platform uses
  gpuaas.parity.image_cache:
    cache: ~/.cache/gpuaas-parity
    state: absent
"""

RETURN = r"""
extends_documentation_fragment:
  - gpuaas.parity.failure
removed:
  description: The tags of images that were removed.
  returned: success
  type: list
  elements: str
  sample: ["gpuaas-parity/kind-node:0f3c5a1be2d49c77"]
held:
  description: What is held now, in words. Empty where V(current) did not look.
  returned: success
  type: list
  elements: str
  sample: ["images: 4.1GB; 31 are of this collection, 30 of them in no container"]
"""
