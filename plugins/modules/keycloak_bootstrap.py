# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of gpuaas.parity.keycloak_bootstrap; the action plugin of the same name runs it."""

from __future__ import annotations

DOCUMENTATION = r"""
module: keycloak_bootstrap
short_description: Keep a Keycloak realm equal to a document
version_added: 0.1.0
author: gpuaas.parity contributors (@gpuaas)
description:
  - Makes the permanent administrator of realm C(master), reconciles one realm with the rendering of
    C(platform/realm.yml), and removes the temporary administrator that Keycloak started with once the permanent one has
    proved that it may administer.
  - What is missing is created, what differs is changed, and what this module made and the document has dropped is
    deleted. Only the fields that the document rules are compared. Objects that this module did not make are never
    touched; what it made is recorded in attribute C(parity.owned) of the realm, before it is made.
  - A password that was changed in Keycloak, or in O(secrets_file), is set again. Nobody has to log in for that to be
    seen, so nobody is locked out by it.
  - Where Keycloak does not know the administrator's new password yet, its replaced ones are tried, and the new one is
    set. They are in C(previous.yml) beside O(secrets_file), which gpuaas.parity.secret_rotate writes, and which is
    removed once all of it is settled.
  - A run that was interrupted, at whatever step, is finished by the next one.
options:
  document:
    description:
      - The realm, as a mapping or as the path of the file that gpuaas.parity.contract_render made of
        C(platform/realm.yml). Its format is C(platform/realm.schema.json).
    type: raw
    required: true
  url:
    description:
      - Public URL of Keycloak. Its host must be loopback or a name under C(.localhost), which is not resolved.
    type: str
    required: true
  ca_file:
    description: File of the only CA that is trusted. Without it O(url) must be plain C(http).
    type: path
  secrets_file:
    description: File with the values of the secrets that O(document) and O(bootstrap_secret) name.
    type: path
    required: true
  bootstrap_client_id:
    description: Client of realm C(master) that Keycloak makes at its first start (C(KC_BOOTSTRAP_ADMIN_CLIENT_ID)).
    type: str
    default: parity-bootstrap
  bootstrap_secret:
    description: Name, in O(secrets_file), of the secret of O(bootstrap_client_id). It is a name and not a value.
    type: str
    default: keycloak_bootstrap_client_secret
  adopt:
    description:
      - Take over a realm or objects in it that have a name of O(document) but were not made by this module. They are
        changed and, once the document drops them, deleted like all others.
      - With V(false) such an object is a failure, and nothing is changed.
    type: bool
    default: false
attributes:
  check_mode:
    support: full
    description: Logs in and compares; sends no request that changes anything.
  diff_mode:
    support: full
    description: Shows the fields of every object that differ. Values of secrets are masked.
seealso:
  - module: gpuaas.parity.contract_render
  - module: gpuaas.parity.local_secrets
  - module: gpuaas.parity.secret_rotate
"""

EXAMPLES = r"""
- name: Keep the realm equal to the contract
  gpuaas.parity.keycloak_bootstrap:
    document: .parity/kind/rendered/realm.json
    url: https://auth.gpuaas.localhost:8443
    ca_file: .parity/kind/tls/ca.crt
    secrets_file: .parity/kind/secrets/secrets.yml

- name: Show what would change in a realm that was made by hand
  gpuaas.parity.keycloak_bootstrap:
    document: .parity/kind/rendered/realm.json
    url: https://auth.gpuaas.localhost:8443
    ca_file: .parity/kind/tls/ca.crt
    secrets_file: .parity/kind/secrets/secrets.yml
    adopt: true
  check_mode: true
  diff: true
"""

RETURN = r"""
realm:
  description: Name of the realm.
  returned: success
  type: str
  sample: gpuaas
issuer:
  description: Issuer of the realm's tokens when they are asked for at O(url).
  returned: success
  type: str
  sample: https://auth.gpuaas.localhost:8443/realms/gpuaas
changes:
  description: What was changed or, in check mode, would be; in the order of the work.
  returned: success
  type: list
  elements: dict
  contains:
    kind:
      description: Kind of the object.
      type: str
      sample: client
    name:
      description: Name of the object, of a group its path.
      type: str
      sample: gpuaas-web
    action:
      description: V(create), V(update) or V(delete).
      type: str
      sample: update
    fields:
      description: Names of the fields concerned.
      type: list
      elements: str
      sample: [redirectUris, secret]
kept:
  description: Groups that the document dropped but that have children which this module did not make.
  returned: success
  type: list
  elements: str
  sample: []
requests:
  description: How many requests Keycloak was sent.
  returned: success
  type: int
  sample: 17
reason:
  description: Id of the reason, one of those in the runbook.
  returned: failure
  type: str
  sample: KEYCLOAK_AUTH
seen:
  description: What was observed.
  returned: failure
  type: str
do:
  description: What to type next.
  returned: failure
  type: str
"""
