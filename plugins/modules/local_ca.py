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
  - Keeps C(tls/) in O(state_dir). The CA is constrained to servers below the domain of the contract (RFC 5280 4.2.1.10).
    Certificates of components add their hosts, and clients where there is one. It is valid for a year.
  - Every endpoint has a certificate for exactly its host, and every component those that its C(component.yml) declares,
    valid for 90 days. One is issued again when it expires within 14 days, when its names or its use changed, or when it is
    broken or was issued by another CA.
  - The key of the CA is generated once. Its certificate is renewed with the same key when it expires within 14 days or the
    names that it may vouch for changed. A CA that is missing or broken although it has issued certificates is refused, not
    replaced.
extends_documentation_fragment:
  - gpuaas.parity.attributes
  - gpuaas.parity.contract
  - gpuaas.parity.state_dir
requirements:
  - cryptography >= 50
attributes:
  check_mode:
    support: full
    details:
      - Says what would be issued.
  diff_mode:
    support: none
    details:
      - RV(issued) and RV(removed) say what changes.
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
extends_documentation_fragment:
  - gpuaas.parity.failure
ca_file:
  description: Path of the certificate of the CA. Its mode is 0644, because it is not secret.
  returned: success
  type: str
  sample: /home/me/parity/.parity/kind/tls/ca.crt
fingerprint:
  description: SHA-256 of the certificate of the CA in hexadecimal. Null in check mode when the CA has yet to be issued.
  returned: success
  type: str
  sample: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
not_after:
  description: When the certificate of the CA expires, in UTC. Null in check mode when the CA has yet to be issued.
  returned: success
  type: str
  sample: "2027-11-21T21:48:00Z"
issued:
  description: What this run issued, C(ca), the name of an endpoint, or C(<component>-<certificate>).
  returned: success
  type: list
  elements: str
  sample: [api, auth, ca, web]
causes:
  description: For each of RV(issued), why it was issued.
  returned: success
  type: dict
  sample: {"web": "it expires soon"}
removed:
  description: Certificates that were removed because the contract has them no more.
  returned: success
  type: list
  elements: str
  sample: []
"""
