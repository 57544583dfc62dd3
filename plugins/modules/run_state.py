# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of gpuaas.parity.run_state; the action plugin of the same name runs it."""

from __future__ import annotations

DOCUMENTATION = r"""
module: run_state
short_description: Lock a mode for one run, and create and remove its state directory
version_added: 0.1.0
author: gpuaas.parity contributors (@gpuaas)
description:
  - Everything that a run owns is in its state directory, mode 0700.
  - Two runs of one mode exclude each other through the file C(<state_dir>.lock), which names the C(ansible-playbook)
    process that holds it. A lock whose process no longer exists is ignored. The lock is bookkeeping and never counts as a
    change.
  - The file of the mode in O(platform) says which verbs may be run in it. Any other O(verb) is refused with
    C(MODE_VERB_REFUSED) before the lock is taken or anything else is touched. Where the file cannot be read, a run that
    removes a platform goes by what the last run recorded.
extends_documentation_fragment:
  - gpuaas.parity.attributes
  - gpuaas.parity.platform
  - gpuaas.parity.platform.instance
options:
  state:
    description:
      - V(locked) takes the lock and creates the state directory. A run that already holds the lock keeps it.
      - V(unlocked) releases the lock and leaves the directory.
      - V(allowed) only refuses what the mode does not allow.
      - V(absent) removes the directory and the lock, and fails if anything of it is left.
    type: str
    choices: [locked, unlocked, allowed, absent]
    default: locked
  state_dir:
    description: The state directory. A directory that holds files and was not created by this module is refused.
    type: path
    required: true
  create:
    description: Whether O(state=locked) creates the directory. V(false) suits a run that is going to remove it.
    type: bool
    default: true
  required:
    description:
      - Whether O(state=locked) needs the directory to exist already. A run that only examines a platform is then refused
        with C(STATE_ABSENT) where there is none.
    type: bool
    default: false
  verb:
    description: What the run does. It is shown to whoever finds the lock taken.
    type: str
    default: up
  mode:
    description: Name of the mode.
    type: str
    required: true
attributes:
  check_mode:
    support: full
  diff_mode:
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

- name: Remove everything that the run owns
  gpuaas.parity.run_state:
    state: absent
    state_dir: "{{ playbook_dir }}/../.parity/kind"
    platform: "{{ playbook_dir }}/../platform"
    mode: kind
    verb: down
"""

RETURN = r"""
extends_documentation_fragment:
  - gpuaas.parity.failure
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
