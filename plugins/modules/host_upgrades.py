# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of gpuaas.parity.host_upgrades; the action plugin of the same name runs it."""

from __future__ import annotations

DOCUMENTATION = r"""
module: host_upgrades
short_description: Show what an installation would change on this machine, and refuse what nobody agreed to
version_added: 0.1.0
author: gpuaas.parity contributors (@gpuaas)
description:
  - Simulates the installation of packages with apt, and names each installed package that it would upgrade, downgrade
    or remove. Nothing is changed, the configuration of apt included.
  - Where there are any, it fails (V(HOST_UPGRADE_REFUSED)), unless O(agreed=true) or the machine is disposable, because
    the variable E(CI) is set or because process 1 is no init system, as in a container.
options:
  packages:
    description: Packages, from O(suite) where that is set, without what they recommend.
    type: list
    elements: str
    default: []
  plain_packages:
    description: Packages from what is configured, with what they recommend.
    type: list
    elements: str
    default: []
  suite:
    description: A suite that O(sources) adds.
    type: str
    default: ""
  sources:
    description: A deb822 sources file.
    type: str
    default: ""
  preferences:
    description: A preferences file that goes with O(sources).
    type: str
    default: ""
  agreed:
    description: Whether the user agreed that installed packages change.
    type: bool
    default: false
attributes:
  check_mode:
    description: Can run in check_mode and return changed status prediction without modifying target
    support: full
  diff_mode:
    description: Will return details on what has changed (or possibly needs changing in check_mode), when in diff mode
    support: none
"""

EXAMPLES = r"""
- name: Show what Docker would change
  gpuaas.parity.host_upgrades:
    packages: [docker.io]
"""

RETURN = r"""
changes:
  description: The installed packages that would change; RV(ignore:new) is empty for one that would be removed.
  returned: success
  type: list
  elements: dict
  sample:
    - package: libc6
      installed: 2.36-9+deb12u10
      new: 2.41-12
"""
