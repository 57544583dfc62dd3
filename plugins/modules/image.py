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
  - Builds or pulls every image that the services of O(contract) need and that is not on this machine yet. Independent
    images are built at the same time.
  - Bakes them into a kind node image, so that a cluster created from it loads nothing.
  - An image is keyed by the content from which it is made. An unchanged image is neither built nor loaded again.
  - What later steps need to know about the images is written to C(images/supply.json) in O(state_dir).
extends_documentation_fragment:
  - gpuaas.parity.attributes
  - gpuaas.parity.contract
  - gpuaas.parity.platform
  - gpuaas.parity.state_dir
requirements:
  - Docker Engine >= 23 with buildx
  - mmdebstrap, to build from package registries
options:
  root:
    description: Directory of the collection. Its C(images/catalog.yml) says how the images are made that components share.
    type: path
    required: true
  cache:
    description: Directory that keeps build logs and exported programs between runs.
    type: path
    required: true
  node:
    description:
      - Name of the container of the node. While it exists, no node image is baked.
      - Empty where the Docker engine runs the images itself. Then there is no node image at all.
    type: str
    required: true
  source:
    description:
      - V(build) builds every image from package registries and asks no container registry. An image that a component names
        by reference must then be in the engine already.
      - V(pull) pulls from a container registry the images for which an C(upstream) is named.
      - V(auto) pulls where a registry answers and builds where none does. The answer is remembered.
    type: str
    choices: [auto, build, pull]
    default: auto
  registry:
    description: Host and port of a registry to pull from instead of each image's own, such as a mirror.
    type: str
    default: ""
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
  - module: gpuaas.parity.image_pin
"""

EXAMPLES = r"""
- name: Build the images of the lane that is rendered
  gpuaas.parity.image:
    platform: "{{ playbook_dir | dirname }}/platform"
    contract: .parity/kind/rendered/contract.json
    root: "{{ playbook_dir | dirname }}"
    cache: ~/.cache/gpuaas-parity
    node: gpuaas-parity-control-plane
    state_dir: .parity/kind
"""

RETURN = r"""
extends_documentation_fragment:
  - gpuaas.parity.failure
node_image:
  description: Reference of the node image into which the images of the lane are baked. Empty where O(node) is empty.
  type: str
  returned: success
  sample: gpuaas-parity/kind-node:0f3c5a1be2d49c77
default_cni:
  description: Whether the node image leaves the network of pods to kind's own CNI, as upstream's does.
  type: bool
  returned: success
  sample: false
node_key:
  description: Key of the part of the node that a running cluster cannot take up. Empty where O(node) is empty.
  type: str
  returned: success
  sample: 5b0c7f9c1de2a3f4
kind:
  description: Path of the kind program on this machine. Empty where O(node) is empty.
  type: str
  returned: success
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
  description: Content key of each image of the lane.
  type: dict
  returned: success
  sample: {traefik: 77b1c5e0aa21f3d4}
"""
