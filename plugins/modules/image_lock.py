# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of the C(image_lock) action; the work is done by plugins/action/image_lock.py."""

from __future__ import annotations

DOCUMENTATION = r"""
module: image_lock
short_description: Load what the node lacks and lock every image by digest
version_added: 0.1.0
author:
  - gpuaas.parity contributors (@gpuaas)
description:
  - Sends the running node the images that it lacks, without the layers that it has.
  - Writes O(state_dir)/images as a Kustomize component that pins every image to its digest.
options:
  root:
    description: The checkout, which holds images/catalog.yml and the sources that images are built from.
    type: path
    required: true
  cache:
    description: Where build logs and exported programs are kept between runs.
    type: path
    required: true
  images:
    description: Names of the images that the lane's services run, as in images/catalog.yml.
    type: list
    elements: str
    required: true
  node:
    description: Name of the running node container.
    type: str
    required: true
  image_keys:
    description: Content key of each image, as M(gpuaas.parity.image) returns them.
    type: dict
    required: true
  state_dir:
    description: The run's own folder.
    type: path
    required: true
  source:
    description:
      - V(build) makes every image from package registries, V(pull) takes those of images/upstream.yml from a container registry.
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
    description: Reports what would be loaded.
  diff_mode:
    support: none
    description: An image has no textual difference.
"""

EXAMPLES = r"""
- name: Lock the images of the core lane
  gpuaas.parity.image_lock:
    root: "{{ playbook_dir | dirname }}"
    cache: ~/.cache/gpuaas-parity
    images: "{{ images_lane }}"
    image_keys: "{{ images_built.image_keys }}"
    node: gpuaas-parity-control-plane
    state_dir: .parity/kind
"""

RETURN = r"""
loaded:
  description: Images that were sent to the node, or would be in check mode.
  type: list
  elements: str
  returned: always
  sample: [control-plane]
images:
  description: Manifest digest of each image.
  type: dict
  returned: always
  sample: {traefik: "sha256:1c6f…"}
"""
