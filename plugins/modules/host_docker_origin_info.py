# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of gpuaas.parity.host_docker_origin_info; the action plugin of the same name runs it."""

from __future__ import annotations

DOCUMENTATION = r"""
module: host_docker_origin_info
short_description: Say which archive Docker is to be installed from
version_added: 0.1.0
author: gpuaas.parity contributors (@gpuaas)
description:
  - Takes the packages that M(gpuaas.parity.host_preflight_info) plans to install. Where they need another suite than that of
    the machine, it asks Docker's own archive, and if that answers returns its packages, source and key in their place.
  - The archive is asked by apt itself, so with the proxies and certificates that apt has. Nothing is changed.
extends_documentation_fragment:
  - gpuaas.parity.apt_source
  - gpuaas.parity.attributes
  - gpuaas.parity.attributes.reads_only
requirements:
  - apt
options:
  origin:
    description: In words, where O(packages) come from.
    type: str
    default: ""
  archive:
    description: Address of Docker's archive, above the folder of a distribution. Empty to ask none.
    type: str
    default: ""
seealso:
  - module: gpuaas.parity.host_preflight_info
  - module: gpuaas.parity.host_upgrades_info
"""

EXAMPLES = r"""
- name: Say where Docker comes from
  gpuaas.parity.host_docker_origin_info:
    packages: [docker.io, docker-cli]
    suite: trixie
    archive: https://docker.mirror.example/linux
"""

RETURN = r"""
extends_documentation_fragment:
  - gpuaas.parity.failure
packages:
  description: Packages, by their names in the archive that they come from.
  returned: success
  type: list
  elements: str
  sample: [docker-ce, containerd.io, docker-ce-cli]
suite:
  description: O(suite), or empty where Docker's archive answers.
  returned: success
  type: str
sources:
  description: A deb822 sources file. Empty where none has to be added.
  returned: success
  type: str
preferences:
  description: O(preferences), or empty where Docker's archive answers.
  returned: success
  type: str
keyring:
  description: The key of Docker's archive. Empty where the machine has the key already.
  returned: success
  type: str
origin:
  description: In words, where the packages come from.
  returned: success
  type: str
  sample: Docker's own archive
"""
