# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of the C(image) action; the work is done by plugins/action/image.py."""

from __future__ import annotations

DOCUMENTATION = r"""
module: image
short_description: Build the images of a lane and a node image that holds them
version_added: 0.1.0
author: gpuaas.parity contributors (@gpuaas)
description:
  - Builds or pulls every image that O(images) need and that is not on this machine yet. Independent images are built at
    the same time.
  - Bakes them into a kind node image, so that a cluster created from it loads nothing.
  - An image is keyed by the content from which it is made. An unchanged image is neither built nor loaded again.
extends_documentation_fragment:
  - gpuaas.parity.attributes
  - gpuaas.parity.images
  - gpuaas.parity.state_dir
requirements:
  - Docker Engine >= 23 with buildx
  - mmdebstrap, to build from package registries
options:
  node:
    description:
      - Name of the container of the node. While it exists, no node image is baked.
      - Empty where the Docker engine runs the images itself. Then there is no node image at all.
    type: str
    required: true
attributes:
  check_mode:
    support: full
    details:
      - Reports what would be built.
  diff_mode:
    support: none
    details:
      - An image has no textual difference.
seealso:
  - module: gpuaas.parity.image_lock
"""

EXAMPLES = r"""
- name: Build every image of the core lane
  gpuaas.parity.image:
    root: "{{ playbook_dir | dirname }}"
    cache: ~/.cache/gpuaas-parity
    images: [traefik, postgres, valkey, keycloak, control-plane]
    node: gpuaas-parity-control-plane
    state_dir: .parity/kind
"""

RETURN = r"""
extends_documentation_fragment:
  - gpuaas.parity.failure
node_image:
  description: Reference of the node image into which the images of the lane are baked.
  type: str
  returned: when O(node) is not empty
  sample: gpuaas-parity/kind-node:0f3c5a1be2d49c77
default_cni:
  description: Whether kind installs its own CNI in a cluster created from the node image, as it does with upstream's.
  type: bool
  returned: when O(node) is not empty
  sample: false
node_key:
  description: Key of the part of the node that a running cluster cannot take up.
  type: str
  returned: when O(node) is not empty
  sample: 5b0c7f9c1de2a3f4
kind:
  description: Path of the kind program on this machine.
  type: str
  returned: when O(node) is not empty
  sample: /home/dev/.cache/gpuaas-parity/bin/9d0b4a7e1c2f3a55/kind
built:
  description: Images that were built, or would be built in check mode.
  type: list
  elements: str
  returned: success
  sample: [control-plane]
baked:
  description: Node images that were baked, or would be baked in check mode.
  type: list
  elements: str
  returned: success
  sample: []
image_keys:
  description: Content key of each of O(images).
  type: dict
  returned: success
  sample: {traefik: 77b1c5e0aa21f3d4}
locked:
  description:
    - Whether the lock already names all of them as the running node holds them, so that M(gpuaas.parity.image_lock) has
      nothing to do.
  type: bool
  returned: when O(node) is not empty
  sample: true
"""
