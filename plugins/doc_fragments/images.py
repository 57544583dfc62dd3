# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which images, and where they come from."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  root:
    description: The checkout, which holds C(images/catalog.yml) and the sources that images are built from.
    type: path
    required: true
  cache:
    description: Directory that keeps build logs and exported programs between runs.
    type: path
    required: true
  images:
    description: Names of the images that the services of the lane run, as in C(images/catalog.yml).
    type: list
    elements: str
    required: true
  source:
    description:
      - V(build) builds every image from package registries.
      - V(pull) pulls the images of C(images/upstream.yml) from a container registry.
      - V(auto) pulls where a registry answers and builds where none does. The answer is remembered.
    type: str
    choices: [auto, build, pull]
    default: auto
  registry:
    description: Host and port of a registry to pull from instead of each image's own, such as a mirror.
    type: str
    default: ""
"""
