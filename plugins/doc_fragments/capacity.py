# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What must be free on the machine."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  disk_build_gib:
    description: Free disk, in GiB, that Docker's data directory needs when images are built.
    type: float
    default: 12
  disk_run_gib:
    description: Free disk, in GiB, that Docker's data directory needs when nothing is built.
    type: float
    default: 4
  memory_gib:
    description: Available memory, in GiB, that a platform needs before it is started.
    type: float
    default: 3
"""
