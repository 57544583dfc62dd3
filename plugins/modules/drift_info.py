# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of gpuaas.parity.drift_info; the action plugin of the same name runs it."""

from __future__ import annotations

DOCUMENTATION = r"""
module: drift_info
short_description: Find what runs otherwise than it was rendered
version_added: 0.1.0
author: gpuaas.parity contributors (@gpuaas)
description:
  - Compares every object of the cluster, and the realm of the identity provider, with what was rendered. Changes nothing.
  - What an object should be is what the API server answers to a dry run of the apply, so its defaults are no drift.
  - A row is a field that differs, a field that somebody else added (by its managed fields), an object that is missing, an
    object in a namespace of the platform that is not part of it, an Ingress elsewhere that claims one of its
    names, a binding elsewhere that gives its service accounts rights, and a pod that started before a ConfigMap or Secret
    that it reads was set back.
  - What Kubernetes makes by itself is not a row, and neither are claims and volumes that hold data of a component that was
    removed.
  - Makes the checks of types C(drift) and C(realm) that the platform and its components have in their C(checks.yml).
  - Fails with C(OBJECTS_DRIFTED) or C(REALM_DRIFTED) when there is any row, and when the comparison cannot be made.
extends_documentation_fragment:
  - gpuaas.parity.attributes
  - gpuaas.parity.attributes.reads_only
  - gpuaas.parity.kubeconfig
  - gpuaas.parity.platform
  - gpuaas.parity.state_dir
requirements:
  - httpx >= 0.28
  - jsonschema >= 4.26
  - kubectl
seealso:
  - module: gpuaas.parity.kustomize_apply
  - module: gpuaas.parity.keycloak_bootstrap
  - module: gpuaas.parity.probe
"""

EXAMPLES = r"""
- name: Show what is not as it was rendered
  gpuaas.parity.drift_info:
    kubeconfig: .parity/kind/kubeconfig
    state_dir: .parity/kind
    platform: platform
"""

RETURN = r"""
extends_documentation_fragment:
  - gpuaas.parity.failure
rows:
  description: What is not as it was rendered.
  type: list
  elements: dict
  returned: always, when the comparison could be made
  contains:
    object:
      description: The object, as C(Kind namespace/name).
      type: str
      sample: ConfigMap gpuaas-control-plane/api-config-g99mhhhfkg
    field:
      description: The field; empty for the object as a whole.
      type: str
      sample: data.GPUAAS_LOG_LEVEL
    live:
      description: What is there. Of a Secret a digest.
      type: str
      sample: "'debug'"
    wanted:
      description: What was rendered; empty where the rendering has nothing of it.
      type: str
      sample: "'info'"
    file:
      description: The file of O(state_dir) that says so, or that names what is generated.
      type: str
      sample: rendered/control_plane/kustomization.yaml
    do:
      description: What to type.
      type: str
      sample: make kind-parity-up
"""
