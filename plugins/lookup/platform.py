# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where a platform lies, and where a run of it keeps what it owns, for variables of the playbooks."""

from __future__ import annotations

DOCUMENTATION = r"""
name: platform
short_description: Folder of a platform and of its project
version_added: 0.1.0
author: gpuaas.parity contributors (@gpuaas)
description:
  - Gives the absolute folder of a platform, and the folder beside which a run of it keeps what it owns.
options:
  _terms:
    description:
      - Folders of platforms, relative to the working directory, or V(reference) for the one that the collection carries.
    type: list
    elements: str
    required: true
"""

EXAMPLES = r"""
- name: Show where the reference platform lies
  ansible.builtin.debug:
    msg: "{{ lookup('gpuaas.parity.platform', 'reference').folder }}"
"""

RETURN = r"""
_raw:
  description:
    - For each platform its C(folder), and as C(root) the folder that holds it.
    - The C(root) of a platform that came with an installed collection is the working directory.
  type: list
  elements: dict
"""

from pathlib import Path
from typing import Any

from ansible.plugins.lookup import LookupBase
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.place import place_of


class LookupModule(LookupBase):
    """gpuaas.parity.platform"""

    def run(self, terms: list[str], variables: dict[str, Any] | None = None, **kwargs: Any) -> list[dict[str, str]]:
        self.set_options(var_options=variables, direct=kwargs)
        places = [place_of(str(term), Path.cwd()) for term in terms]
        return [{"folder": str(folder), "root": str(root)} for folder, root in places]
