# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a mode of a platform is called here, for variables of the playbooks."""

from __future__ import annotations

DOCUMENTATION = r"""
name: mode
short_description: Names and target of a mode
version_added: 0.1.0
author: gpuaas.parity contributors (@gpuaas)
description:
  - Reads C(modes/<mode>.yml) of a platform.
  - Where the platform cannot be read, returns what the last run of the state directory wrote down, so that a platform
    can be removed that is broken by now.
options:
  _terms:
    description: Names of modes.
    type: list
    elements: str
    required: true
  platform:
    description: Folder of the platform.
    type: path
    required: true
  instance:
    description: Name of the instance. Empty for the one that has none.
    type: str
    default: ""
  state_dir:
    description: Directory of the run's own files.
    type: path
    required: true
"""

EXAMPLES = r"""
- name: Show what the kind cluster of an instance is called
  ansible.builtin.debug:
    msg: "{{ lookup('gpuaas.parity.mode', 'kind', platform='platform', instance='demo', state_dir='.parity/kind').cluster }}"
"""

RETURN = r"""
_raw:
  description: For each mode its C(target), C(tier), C(may), C(instead), C(cluster) and C(project).
  type: list
  elements: dict
"""

from pathlib import Path
from typing import Any

from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase
from ansible_collections.gpuaas.parity.plugins.module_utils import _libraries
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.head import known_head
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError


class LookupModule(LookupBase):
    """gpuaas.parity.mode"""

    def run(self, terms: list[str], variables: dict[str, Any] | None = None, **kwargs: Any) -> list[dict[str, Any]]:
        self.set_options(var_options=variables, direct=kwargs)
        platform, state_dir = Path(self.get_option("platform")), Path(self.get_option("state_dir"))
        try:
            _libraries.demand()
            return [known_head(platform, str(term), str(self.get_option("instance")), state_dir).as_dict() for term in terms]
        except ParityError as error:
            raise AnsibleLookupError(str(error)) from error
