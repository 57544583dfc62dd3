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
  - Creates the permanent administrator of realm C(master), reconciles one realm with O(document), and removes the
    temporary administrator that Keycloak started with once the permanent one has proved that it can administer.
  - What is missing is created, what differs is changed, and what the realm has besides is deleted - roles, clients, client
    scopes, mappers, authentication flows, identity providers, user federation and keys from elsewhere - unless Keycloak itself
    puts it into every realm. Only the fields that the document sets are compared.
  - Users and groups that somebody made are data. They are returned in RV(kept) and never touched. Those that this module makes
    are recorded in attribute C(parity.owned) of the realm beforehand, and deleted when the document no longer has them.
  - Of realm C(master), the password policy, what slows down who guesses passwords, the recorded events and the URL are kept.
    Clients, identity providers, user federation and keys from elsewhere that somebody added there are deleted, a service account
    of Keycloak's own clients is switched off, and so is every user but the administrator. They are disabled and not deleted.
  - A password that was changed in Keycloak, or in O(secrets_file), is set again. The module detects that without logging
    in as the user, so it cannot lock the user out.
  - Where Keycloak does not know the new password of the administrator yet, the replaced ones are tried and the new one is
    set. They are in C(previous.yml) beside O(secrets_file), which M(gpuaas.parity.secret_rotate) writes and this module
    removes once every change has been made.
  - A run that was interrupted, at whatever step, is finished by the next one.
extends_documentation_fragment:
  - gpuaas.parity.attributes
requirements:
  - httpx >= 0.28
  - jsonschema >= 4.26
options:
  document:
    description:
      - The realm, as a mapping or as the path of the file that M(gpuaas.parity.contract_render) made from
        C(platform/realm.yml). Its format is C(platform/realm.schema.json).
      - Its C(admin.url) is where the module finds Keycloak. The host must be loopback or a name under C(.localhost), which is
        not resolved.
    type: raw
    required: true
  ca_file:
    description: File of the only CA that is trusted. Without it, the URL must be plain C(http).
    type: path
  secrets_file:
    description: File with the values of the secrets that O(document) and O(bootstrap_secret) name.
    type: path
    required: true
  bootstrap_client_id:
    description: Client of realm C(master) that Keycloak creates at its first start (C(KC_BOOTSTRAP_ADMIN_CLIENT_ID)).
    type: str
    default: parity-bootstrap
  bootstrap_secret:
    description: Name, in O(secrets_file), of the secret of O(bootstrap_client_id). It is a name and not a value.
    type: str
    default: keycloak_bootstrap_client_secret
  adopt:
    description:
      - Take over a realm, or users and groups in it, that have a name of O(document) but were not created by this module. They
        are changed and, once the document no longer has them, deleted like all others.
      - With V(false) such a realm, user or group is a failure, and nothing is changed.
    type: bool
    default: false
attributes:
  check_mode:
    support: full
    details:
      - Logs in and compares. Sends no request that changes anything.
  diff_mode:
    support: full
    details:
      - Shows the fields that differ of every object. Values of secrets are masked.
seealso:
  - module: gpuaas.parity.contract_render
  - module: gpuaas.parity.local_secrets
  - module: gpuaas.parity.secret_rotate
"""

EXAMPLES = r"""
- name: Reconcile the realm with the contract
  gpuaas.parity.keycloak_bootstrap:
    document: .parity/kind/rendered/realm.json
    ca_file: .parity/kind/tls/ca.crt
    secrets_file: .parity/kind/secrets/secrets.yml

- name: Show what would change in a realm that was made by hand
  gpuaas.parity.keycloak_bootstrap:
    document: .parity/kind/rendered/realm.json
    ca_file: .parity/kind/tls/ca.crt
    secrets_file: .parity/kind/secrets/secrets.yml
    adopt: true
  check_mode: true
  diff: true
"""

RETURN = r"""
extends_documentation_fragment:
  - gpuaas.parity.failure
realm:
  description: Name of the realm.
  returned: success
  type: str
  sample: gpuaas
issuer:
  description: Issuer of the tokens of the realm, below the URL at which its users find it.
  returned: success
  type: str
  sample: https://auth.gpuaas.localhost:8443/realms/gpuaas
changes:
  description: What was changed, or would be changed in check mode, in the order of the work.
  returned: success
  type: list
  elements: dict
  contains:
    kind:
      description: Kind of the object.
      type: str
      sample: client
    name:
      description: Name of the object. For a group, its path.
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
  description:
    - Users and groups that somebody made, each as C(user <name>) or C(group <path>), and groups that the document no longer
      has but that hold such a one.
  returned: success
  type: list
  elements: str
  sample: []
requests:
  description: Number of requests that were sent to Keycloak.
  returned: success
  type: int
  sample: 17
"""
