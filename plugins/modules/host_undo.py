# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of gpuaas.parity.host_undo; the action plugin of the same name runs it."""

from __future__ import annotations

DOCUMENTATION = r"""
module: host_undo
short_description: Undo what was changed on this machine
version_added: 0.1.0
author: gpuaas.parity contributors (@gpuaas)
description:
  - Undoes what M(gpuaas.parity.host_record) recorded. Stops the engine that was started, removes packages that were not
    there before and files that were written for apt, restores limits, and withdraws access to the engine.
  - What was there before is never removed. A package that another one needs by now stays, and so does a file that was edited
    since. A package that was upgraded is not taken back to its older version. The data of the engine is left.
  - Fails with C(HOST_UNDO_IN_USE) while a platform of this collection stands on the machine, or while the engine that would
    go has containers.
  - Without O(confirmed=true) it shows every command and fails with C(HOST_UNDO_UNCONFIRMED).
extends_documentation_fragment:
  - gpuaas.parity.attributes
options:
  path:
    description: The record. It is removed when all is undone.
    type: path
    required: true
  confirmed:
    description: Whether the user has agreed to what is shown.
    type: bool
    default: false
attributes:
  check_mode:
    support: full
    details:
      - Shows what would be undone.
  diff_mode:
    support: none
    details:
      - The commands are shown instead.
seealso:
  - module: gpuaas.parity.host_record
"""

EXAMPLES = r"""
- name: Undo what was changed on this machine
  gpuaas.parity.host_undo:
    path: ~/.local/state/gpuaas-parity/host.json
    confirmed: true
"""

RETURN = r"""
extends_documentation_fragment:
  - gpuaas.parity.failure
steps:
  description: What is undone, in order, and with which commands.
  returned: always
  type: list
  elements: dict
  sample:
    - text: lower fs.inotify.max_user_instances to what it was
      commands: [sysctl -w fs.inotify.max_user_instances=128]
stays:
  description: What stays, and why.
  returned: always
  type: list
  elements: str
"""
