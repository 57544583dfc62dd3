# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The resolved contract."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  contract:
    description:
      - The resolved contract, as a mapping or as the path of C(contract.json).
      - M(gpuaas.parity.contract_render) returns the mapping and writes the file.
    type: raw
    required: true
"""
