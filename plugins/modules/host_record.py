# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of gpuaas.parity.host_record; the action plugin of the same name runs it."""

from __future__ import annotations

DOCUMENTATION = r"""
module: host_record
short_description: Record what is about to be changed on this machine
version_added: 0.1.0
author: gpuaas.parity contributors (@gpuaas)
description:
  - Adds to a file what M(gpuaas.parity.host_undo) undoes. To be called before the change, so that a change that was cut off
    is recorded as well.
  - What is recorded already keeps what it was at first.
extends_documentation_fragment:
  - gpuaas.parity.attributes
options:
  path:
    description: The record. It belongs to the user, outside of every state directory.
    type: path
    required: true
  packages:
    description: Packages that are not installed and will be, such as RV(gpuaas.parity.host_upgrades_info#module:additions).
    type: list
    elements: str
    default: []
  changes:
    description: Installed packages that will change, RV(gpuaas.parity.host_upgrades_info#module:changes).
    type: list
    elements: dict
    default: []
    suboptions:
      package:
        description: The package.
        type: str
        required: true
      installed:
        description: Its version now.
        type: str
        required: true
      new:
        description: Its version to come. Empty where it is removed.
        type: str
        default: ""
  files:
    description: Files that will be written, by path, with their content. An empty content is passed over.
    type: dict
    default: {}
  limits:
    description: Kernel parameters that will be set, by name, with their new value.
    type: dict
    default: {}
  engine:
    description: Whether the Docker engine is going to be started.
    type: bool
    default: false
  user:
    description: A user who will be let use the engine.
    type: str
    default: ""
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
    details:
      - The record is bookkeeping.
seealso:
  - module: gpuaas.parity.host_undo
"""

EXAMPLES = r"""
- name: Record that the engine is started
  gpuaas.parity.host_record:
    path: ~/.local/state/gpuaas-parity/host.json
    engine: true
"""

RETURN = r"""
extends_documentation_fragment:
  - gpuaas.parity.failure
record:
  description: Everything that is recorded now.
  returned: success
  type: dict
"""
