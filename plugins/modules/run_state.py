# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of gpuaas.parity.run_state; the action plugin of the same name runs it."""

from __future__ import annotations

DOCUMENTATION = r"""
module: run_state
short_description: Lock a mode for one run, make and remove its state directory
version_added: 0.1.0
author: gpuaas.parity contributors (@gpuaas)
description:
  - Everything a run owns lies in its state directory, mode 0700.
  - Two runs of one mode exclude each other through the file C(<state_dir>.lock), which names the C(ansible-playbook)
    process that holds it. A lock whose process is gone counts for nothing. The lock is bookkeeping and never
    counts as a change.
  - Runs on the controller.
options:
  state:
    description:
      - V(locked) takes the lock and makes the state directory. A run that has the lock already keeps it.
      - V(unlocked) gives the lock back and leaves the directory.
      - V(absent) removes the directory and the lock, and fails if anything of it is left.
    type: str
    choices: [locked, unlocked, absent]
    default: locked
  state_dir:
    description: The state directory. A directory that holds files and was not made by this module is refused.
    type: path
    required: true
  create:
    description: Whether O(state=locked) makes the directory. V(false) suits a run that is going to remove it.
    type: bool
    default: true
  verb:
    description: What the run does; shown to whoever finds the lock taken.
    type: str
    default: up
attributes:
  check_mode:
    description: Can run in check_mode and return changed status prediction without modifying target
    support: full
  diff_mode:
    description: Will return details on what has changed (or possibly needs changing in check_mode), when in diff mode
    support: full
"""

EXAMPLES = r"""
- name: Begin a run
  gpuaas.parity.run_state:
    state: locked
    state_dir: "{{ playbook_dir }}/../.parity/kind"
    verb: up

- name: Remove everything the run owned
  gpuaas.parity.run_state:
    state: absent
    state_dir: "{{ playbook_dir }}/../.parity/kind"
    verb: down
"""

RETURN = r"""
state_dir:
  description: The state directory.
  returned: success
  type: str
  sample: /home/me/gpuaas-parity/.parity/kind
exists:
  description: Whether the directory exists now.
  returned: success
  type: bool
  sample: true
lock:
  description: The lock file.
  returned: success
  type: str
  sample: /home/me/gpuaas-parity/.parity/kind.lock
"""
