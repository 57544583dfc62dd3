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
  - Looks once at the endpoints of a mode that is not run from here, at the address that is given, under the host names
    that the mode's contract states. Makes the checks of O(platform) whose targets hold V(shared), which are at least health
    and certificate of every endpoint.
  - Nothing but C(GET) and C(HEAD) can leave, to no other host, without credentials and without a body. Redirects are not
    followed.
  - Fails with the reason of the first check that does not hold, and with C(MODE_NO_ENDPOINT) without an address.
  - Runs on the controller.
options:
  address:
    description: Where the mode's ingress listens, as V(host:port). The port is 443 where it is left out.
    type: str
    default: ""
  ca_file:
    description: PEM file with the only CA that the certificates may come from. Without it the system's CAs are trusted.
    type: str
    default: ""
  platform:
    description: Folder of the platform, whose components each have their C(checks.yml).
    type: path
    required: true
  state_dir:
    description: The mode's own folder on this machine. The rendered contract is read from it and the reports are written to it.
    type: path
    required: true
  contract:
    description: The rendered contract; without it C(<state_dir>/rendered/contract.json).
    type: dict
attributes:
  check_mode:
    description: Looks the same and writes no report.
    support: full
  diff_mode:
    description: Changes nothing, so there is nothing to compare.
    support: none
"""

EXAMPLES = r"""
- name: Look at vm-105
  gpuaas.parity.shared_check:
    address: "{{ parity_address }}"
    ca_file: "{{ parity_ca_file }}"
    platform: platform
    state_dir: .parity/vm-105
"""

RETURN = r"""
checks:
  description: Every check with its verdict.
  returned: once the endpoints were looked at
  type: list
  elements: dict
  sample:
    - attempts: 1
      component: api
      details: {}
      do: ""
      id: api-entry
      ok: true
      proves: ingress
      reason: ""
      seconds: 0.021
      seen: "GET https://api.gpuaas.vm-105.internal/healthz/ready: 200"
      type: http
failed_checks:
  description: Ids of the checks that did not hold.
  returned: once the endpoints were looked at
  type: list
  elements: str
  sample: []
elapsed:
  description: Seconds that the look took.
  returned: once the endpoints were looked at
  type: float
  sample: 0.08
reports:
  description: The reports, JUnit and JSON.
  returned: once the endpoints were looked at
  type: list
  elements: str
  sample: [.parity/vm-105/reports/validate.junit.xml, .parity/vm-105/reports/validate.json]
"""
