# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of gpuaas.parity.shared_check; the action plugin of the same name runs it."""

from __future__ import annotations

DOCUMENTATION = r"""
module: shared_check
short_description: Check a shared mode through its public endpoints, only reading
version_added: 0.1.0
author: gpuaas.parity contributors (@gpuaas)
description:
  - Requests the endpoints of a mode that is not run from here once, at the given address, under the host names that the
    contract of the mode states. Makes the checks of O(platform) whose targets include V(shared), which are at least the
    health and certificate of every endpoint.
  - Only C(GET) and C(HEAD) requests are sent, to no other host, without credentials and without a body. Redirects are not
    followed.
  - Fails with the reason of the first check that does not hold, and with C(MODE_NO_ENDPOINT) without an address.
extends_documentation_fragment:
  - gpuaas.parity.attributes
  - gpuaas.parity.platform
  - gpuaas.parity.state_dir
requirements:
  - httpx >= 0.28
options:
  address:
    description: Where the ingress of the mode listens, as V(host:port). The default port is 443.
    type: str
    default: ""
  ca_file:
    description: PEM file with the only CA that is trusted. Without it, the CAs of the system are trusted.
    type: str
    default: ""
  contract:
    description: The rendered contract. The default is to read C(rendered/contract.json) in O(state_dir).
    type: dict
attributes:
  check_mode:
    support: full
    details:
      - Makes the same checks and writes no report.
  diff_mode:
    support: N/A
    details:
      - This module changes nothing but its reports.
"""

EXAMPLES = r"""
- name: Check vm-105
  gpuaas.parity.shared_check:
    address: "{{ parity_address }}"
    ca_file: "{{ parity_ca_file }}"
    platform: platform
    state_dir: .parity/vm-105
"""

RETURN = r"""
extends_documentation_fragment:
  - gpuaas.parity.failure
checks:
  description: Every check with its verdict.
  returned: once the endpoints were requested
  type: list
  elements: dict
  sample:
    - type: http
      attempts: 1
      component: api
      details: {}
      do: ""
      id: api-entry
      ok: true
      proves: ingress
      reason: ""
      seconds: 0.021
      seen: "GET https://api.gpuaas.vm-105.internal/openapi.json: 200"
failed_checks:
  description: Ids of the checks that did not hold.
  returned: once the endpoints were requested
  type: list
  elements: str
  sample: []
elapsed:
  description: Seconds that the checks took.
  returned: once the endpoints were requested
  type: float
  sample: 0.08
reports:
  description: Paths of the reports, JUnit and JSON.
  returned: once the endpoints were requested
  type: list
  elements: str
  sample: [.parity/vm-105/reports/validate.junit.xml, .parity/vm-105/reports/validate.json]
"""
