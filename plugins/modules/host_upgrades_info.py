# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of gpuaas.parity.host_upgrades_info; the action plugin of the same name runs it."""

from __future__ import annotations

DOCUMENTATION = r"""
module: host_upgrades_info
short_description: Show what an installation would change on this machine, and refuse unapproved changes
version_added: 0.1.0
author: gpuaas.parity contributors (@gpuaas)
description:
  - Simulates the installation of packages with apt, and names each installed package that it would upgrade, downgrade
    or remove. Nothing is changed, not even the configuration of apt.
  - If there are any, it fails with C(HOST_UPGRADE_REFUSED), unless O(agreed=true) or the machine is disposable, because
    the variable E(CI) is set or because process 1 is no init system, as in a container.
extends_documentation_fragment:
  - gpuaas.parity.apt_source
  - gpuaas.parity.attributes
  - gpuaas.parity.attributes.reads_only
requirements:
  - apt
options:
  plain_packages:
    description: Packages from the configured suites, with what they recommend.
    type: list
    elements: str
    default: []
  keyring:
    description: The key of the archive in O(sources), if apt has it not yet.
    type: str
    default: ""
  agreed:
    description: Whether the user agreed that installed packages change.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Show what Docker would change
  gpuaas.parity.host_upgrades_info:
    packages: [docker.io]
"""

RETURN = r"""
extends_documentation_fragment:
  - gpuaas.parity.failure
changes:
  description: The installed packages that would change; RV(ignore:new) is empty for one that would be removed.
  returned: success
  type: list
  elements: dict
  sample:
    - package: libc6
      installed: 2.36-9+deb12u10
      new: 2.41-12
additions:
  description: The packages that are not installed yet and would be.
  returned: success
  type: list
  elements: str
  sample: [containerd, docker.io, runc]
commands:
  description: What root runs to install just what was simulated, once O(sources) and O(preferences) are where apt reads them.
  returned: success
  type: list
  elements: list
  sample:
    - [apt-get, install, --yes, docker.io]
"""
