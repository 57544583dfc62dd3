# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The folder of a platform, and which of what it offers."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  platform:
    description: Folder of the platform, which holds C(platform.yml) and a folder for each component.
    type: path
    required: true
"""

    LANE = r"""
options:
  lane:
    description: Name of a lane of the contract. Empty for the lane that stands, else the default of the platform.
    type: str
    default: ""
"""

    OPTIONS = r"""
options:
  options:
    description:
      - Options of the platform, each switched on or off, such as V(name=yes); several are separated by commas. One that is not
        named is as it stands, else off.
    type: str
    default: ""
"""

    SECURITY = r"""
options:
  security:
    description:
      - Security mode in place of that of the mode's file. Empty for the one that was asked for before, else that of the file.
    type: str
    choices: ["", LOCAL, STAGING, PROD]
    default: ""
"""

    SOURCE = r"""
options:
  source:
    description:
      - Where processes get their secrets from, V(files) or the name of an option of the platform that says a server. Empty for
        where they get them from now, else V(files).
    type: str
    default: ""
"""

    INSTANCE = r"""
options:
  instance:
    description: Name of the instance, a DNS label, for modes that run on this machine. Empty for the one without a name.
    type: str
    default: ""
"""
