# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of gpuaas.parity.stale_objects_info; the action plugin of the same name runs it."""

from __future__ import annotations

DOCUMENTATION = r"""
module: stale_objects_info
short_description: Find objects in the run's own cluster that no component has any more
version_added: 0.1.0
author: gpuaas.parity contributors (@gpuaas)
description:
  - Compares the objects in the cluster with those that M(gpuaas.parity.kustomize_apply) applied last, and changes nothing.
  - Looks at objects of every kind that carry the label C(app.kubernetes.io/managed-by=gpuaas.parity) and that
    M(gpuaas.parity.kustomize_apply) applied. What controllers or other tools created is never among them.
  - Persistent volumes and claims hold data and are never among RV(objects), but among RV(kept). So are a namespace and a
    definition of resources that hold anything that stays.
  - Names each Ingress that somebody else made and that claims a public name of the platform. It is for its
    owner to delete.
  - Before anything else is read, the cluster is proved to be the run's own, see O(kubeconfig).
  - O(state_dir) holds what was rendered, and C(applied.json), which M(gpuaas.parity.kustomize_apply) keeps. Every function
    that was rendered must have been applied.
extends_documentation_fragment:
  - gpuaas.parity.attributes
  - gpuaas.parity.attributes.reads_only
  - gpuaas.parity.state_dir
requirements:
  - httpx >= 0.28
options:
  kubeconfig:
    description:
      - The run's own kubeconfig, in O(state_dir). No other kubeconfig is read.
      - Its server must be on loopback, its CA must be the one recorded in C(<state_dir>/cluster.json) when the cluster was
        created, and the cluster that answers must have the recorded uid.
    type: path
    required: true
seealso:
  - module: gpuaas.parity.kustomize_apply
  - module: kubernetes.core.k8s
"""

EXAMPLES = r"""
- name: Find objects that no component has any more
  gpuaas.parity.stale_objects_info:
    kubeconfig: .parity/kind/kubeconfig
    state_dir: .parity/kind
  register: stale
"""

RETURN = r"""
extends_documentation_fragment:
  - gpuaas.parity.failure
objects:
  description: Objects that can go, as manifests of no more than their names; a namespace comes after what is in it.
  type: list
  elements: dict
  returned: success
  sample:
    - apiVersion: apps/v1
      kind: Deployment
      metadata:
        name: jobs
        namespace: gpuaas-app
kept:
  description: Objects that stay although no component has them any more.
  type: list
  elements: dict
  returned: success
  contains:
    object:
      description: The object, as C(Kind namespace/name).
      type: str
      sample: PersistentVolumeClaim gpuaas-data/data-postgres-0
    why:
      description: Why it stays.
      type: str
      sample: it holds data
shadows:
  description: Ingresses of others that claim a public name of the platform, as C(Kind namespace/name).
  type: list
  elements: str
  returned: success
  sample: []
server:
  description: URL of the API server that was read; on loopback.
  type: str
  returned: success
  sample: https://127.0.0.1:6443
"""
