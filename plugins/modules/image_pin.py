# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of the C(image_pin) action; the work is done by plugins/action/image_pin.py."""

from __future__ import annotations

DOCUMENTATION = r"""
module: image_pin
short_description: Load the images that the node lacks and pin every image to its digest
version_added: 0.1.0
author: gpuaas.parity contributors (@gpuaas)
description:
  - Sends the running node the images that it lacks, without the layers that it already has.
  - Writes C(images/kustomization.yaml) in O(state_dir), a Kustomize component that names every image by its digest.
  - M(gpuaas.parity.image) recorded in O(state_dir) which images these are.
extends_documentation_fragment:
  - gpuaas.parity.attributes
  - gpuaas.parity.state_dir
requirements:
  - Docker Engine >= 23
options:
  node:
    description: Name of the container of the running node.
    type: str
    required: true
attributes:
  check_mode:
    support: full
    details:
      - Reports what would be loaded.
  diff_mode:
    support: none
    details:
      - An image has no textual difference.
seealso:
  - module: gpuaas.parity.image
"""

EXAMPLES = r"""
- name: Pin the images of the lane
  gpuaas.parity.image_pin:
    node: gpuaas-parity-control-plane
    state_dir: .parity/kind
"""

RETURN = r"""
extends_documentation_fragment:
  - gpuaas.parity.failure
loaded:
  description: Images that were sent to the node, or would be sent in check mode.
  type: list
  elements: str
  returned: success
  sample: [control-plane]
images:
  description: Manifest digest of each image.
  type: dict
  returned: success
  sample: {traefik: "sha256:1c6f…"}
"""
