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
      - V(allowed) only refuses what the mode does not allow.
      - V(absent) removes the directory and the lock, and fails if anything of it is left.
    type: str
    choices: [locked, unlocked, allowed, absent]
    default: locked
  state_dir:
    description: The state directory. A directory that holds files and was not made by this module is refused.
    type: path
    required: true
  create:
    description: Whether O(state=locked) makes the directory. V(false) suits a run that is going to remove it.
    type: bool
    default: true
  required:
    description:
      - Whether O(state=locked) needs the directory to be there already. A run that looks at what stands is refused with
        C(STATE_ABSENT) where nothing does.
    type: bool
    default: false
  verb:
    description: What the run does; shown to whoever finds the lock taken.
    type: str
    default: up
  platform:
    description:
      - Folder of the platform. The mode's file says which verbs may be run in it; any other O(verb) is refused with
        C(MODE_VERB_REFUSED) before the lock is taken or anything else is touched.
      - Where it cannot be read, a run that removes what stands goes by what the last run wrote down.
    type: path
    required: true
  mode:
    description: Name of the mode.
    type: str
    required: true
  instance:
    description: Name of the instance, a DNS label. Empty for the one that has none.
    type: str
    default: ""
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
    platform: "{{ playbook_dir }}/../platform"
    mode: kind
    verb: up

- name: Remove everything the run owned
  gpuaas.parity.run_state:
    state: absent
    state_dir: "{{ playbook_dir }}/../.parity/kind"
    platform: "{{ playbook_dir }}/../platform"
    mode: kind
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
ansible_facts:
  description: C(parity_head), what lookup P(gpuaas.parity.mode#lookup) gives for the mode.
  returned: success
  type: dict
lock:
  description: The lock file.
  returned: success
  type: str
  sample: /home/me/gpuaas-parity/.parity/kind.lock
"""
