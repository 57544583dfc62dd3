# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The options that say which packages apt would install, and from where."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  packages:
    description: Packages, from O(suite) where that is set, without what they recommend.
    type: list
    elements: str
    default: []
  suite:
    description: The suite that has them, which O(sources) adds. Empty for the suites that are configured.
    type: str
    default: ""
  sources:
    description: A deb822 sources file for O(suite).
    type: str
    default: ""
  preferences:
    description: A preferences file that goes with O(sources).
    type: str
    default: ""
"""
