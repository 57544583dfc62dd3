# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Form of what is shown."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  output:
    description: Form of what is shown. V(text) is for people, V(json) is one document for programs.
    type: str
    choices: [text, json]
    default: text
"""
