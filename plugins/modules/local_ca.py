# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of gpuaas.parity.local_ca; the action plugin of the same name runs it."""

from __future__ import annotations

DOCUMENTATION = r"""
module: local_ca
short_description: Keep a local CA and the certificates of endpoints and components
version_added: 0.1.0
author: gpuaas.parity contributors (@gpuaas)
description:
  - Keeps C(tls/) in O(state_dir). The CA is for servers below the contract's domain and nothing else (RFC 5280 4.2.1.10);
    certificates of components add their hosts, and clients where there is one. It is valid for a year.
  - Every endpoint has a certificate for exactly its host, and every component those of its component.yml, valid for 90
    days. One is issued again when it ends within 14 days, when its names or its use changed, or when it is broken or not of this CA.
  - The key of the CA is made once. Its certificate is renewed under the same key when it ends within 14 days or the
    names that it may vouch for changed. A CA that is missing or broken although certificates of it exist is refused, not replaced.
options:
  contract:
    description: The resolved contract, as gpuaas.parity.contract_render returns it, or the path of C(contract.json).
    type: raw
    required: true
  state_dir:
    description: Directory of the run's own files.
    type: path
    required: true
attributes:
  check_mode:
    support: full
    description: Says what would be issued, and writes nothing.
  diff_mode:
    support: none
    description: RV(issued) and RV(removed) tell what changes.
seealso:
  - module: gpuaas.parity.contract_render
"""

EXAMPLES = r"""
- name: Keep the certificates of the endpoints
  gpuaas.parity.local_ca:
    contract: "{{ render.contract }}"
    state_dir: "{{ playbook_dir }}/../.parity/kind"
  register: ca
"""

RETURN = r"""
ca_file:
  description: Path of the CA's certificate. Its mode is 0644; it is no secret.
  returned: success
  type: str
  sample: /home/me/parity/.parity/kind/tls/ca.crt
fingerprint:
  description: SHA-256 of the CA's certificate in hexadecimal; null in check mode when the CA is yet to be issued.
  returned: success
  type: str
  sample: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
not_after:
  description: When the CA's certificate ends, in UTC; null in check mode when the CA is yet to be issued.
  returned: success
  type: str
  sample: "2027-11-21T21:48:00Z"
issued:
  description: What was issued in this run, C(ca), C(<endpoint>) or C(<component>-<certificate>).
  returned: success
  type: list
  elements: str
  sample: [api, auth, ca, web]
causes:
  description: For each of RV(issued) why.
  returned: success
  type: dict
  sample: {"web": "it expires soon"}
removed:
  description: Certificates that were removed because the contract has them no more.
  returned: success
  type: list
  elements: str
  sample: []
reason:
  description: Reason id of the failure.
  returned: failure
  type: str
  sample: CA_CORRUPT
"""
