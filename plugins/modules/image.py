# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of the C(image) action; the work is done by plugins/action/image.py."""

from __future__ import annotations

DOCUMENTATION = r"""
module: image
short_description: Build the lane's images and a node image that holds them
version_added: 0.1.0
author:
  - gpuaas.parity contributors (@gpuaas)
description:
  - Builds from package registries every image that O(images) need and that is not there yet, independent ones at once.
  - Bakes them into a kind node image, so that a cluster made of it loads nothing.
  - An image is keyed by the content it is made from; an unchanged one is neither built nor loaded again.
  - What the steps after need of it is written to C(images/supply.json) in O(state_dir).
options:
  platform:
    description: The platform's folder. Each component may bring its image, and name in C(image/image.yml) how it is made.
    type: path
    required: true
  contract:
    description:
      - The resolved contract, as M(gpuaas.parity.contract_render) returns it, or the path of C(contract.json).
      - The images of its services are those that are wanted.
    type: raw
    required: true
  root:
    description: Folder of the collection, whose C(images/catalog.yml) says how the images are made that components share.
    type: path
    required: true
  cache:
    description: Where build logs and exported programs are kept between runs.
    type: path
    required: true
  node:
    description:
      - Name of the node container. While it exists no node image is baked.
      - Empty where the images are run by the engine itself; then there is no node image at all.
    type: str
    required: true
  state_dir:
    description: The run's own folder.
    type: path
    required: true
  source:
    description:
      - V(build) makes every image from package registries and asks no container registry. An image that a component names by
        reference must then be in the engine already.
      - V(pull) takes from a container registry those for which an C(upstream) is named.
      - V(auto) pulls where a registry answers, and keeps to that answer from then on.
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
    description: Reports what would be built.
  diff_mode:
    support: none
    description: An image has no textual difference.
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
node_image:
  description: Reference of the node image with the lane's images baked in. Empty where O(node) is.
  type: str
  returned: always
  sample: gpuaas-parity/kind-node:0f3c5a1be2d49c77
default_cni:
  description: Whether the node image leaves the network of pods to kind's own CNI, as upstream's does.
  type: bool
  returned: always
  sample: false
node_key:
  description: Key of the part of the node that a running cluster cannot take up. Empty where O(node) is.
  type: str
  returned: always
  sample: 5b0c7f9c1de2a3f4
kind:
  description: Path of the kind program on this machine. Empty where O(node) is.
  type: str
  returned: always
  sample: /home/dev/.cache/gpuaas-parity/bin/9d0b4a7e1c2f3a55/kind
built:
  description: Images that were built, or would be in check mode.
  type: list
  elements: str
  returned: always
  sample: [control-plane]
baked:
  description: Node images that were made, or would be in check mode.
  type: list
  elements: str
  returned: always
  sample: []
image_keys:
  description: Content key of each image of the lane.
  type: dict
  returned: always
  sample: {traefik: 77b1c5e0aa21f3d4}
"""
