# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Attributes of every module: where it runs, and what that means for keywords of a task."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
requirements:
  - python >= 3.12, on the controller
attributes:
  action:
    description: Indicates that this has an action plugin of the same name.
    support: full
    details:
      - The action plugin does all of the work, on the controller. Nothing is copied to the host of the task or started there.
  async:
    description: Supports being used with the C(async) keyword.
    support: none
    details:
      - Only modules that are started on a host can be left running in the background. A task with C(async) is refused.
  become:
    description: Is usable alongside C(become) keywords.
    support: none
    details:
      - The work is done as the user who started C(ansible-playbook), so files belong to that user. C(become) has no effect.
  check_mode:
    description: Can run in check mode and return what would change without changing anything.
  connection:
    description: Uses the configured connection of the host to run code on it.
    support: none
    details:
      - No connection is opened, so the host of the task need not be reachable.
  delegation:
    description: Can be used in conjunction with C(delegate_to) and related keywords.
    support: none
    details:
      - C(delegate_to) has no effect. Whatever host a task is delegated to, the work is done on the controller, and paths
        are those of the controller.
      - In a play with several hosts the work is done once for each host. Use a play on C(localhost), or C(run_once).
  diff_mode:
    description: Returns what has changed, or would change in check mode, when in diff mode.
  platform:
    description: Target OS/families that can be operated against.
    support: full
    platforms: linux
"""

    # Used together with the standard fragment, by modules that change nothing.
    READS_ONLY = r"""
attributes:
  check_mode:
    support: full
    details:
      - This module changes nothing.
  diff_mode:
    support: N/A
    details:
      - This module changes nothing.
"""
