# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of gpuaas.parity.stale_objects_info; the action plugin of the same name runs it."""

from __future__ import annotations

DOCUMENTATION = r"""
module: stale_objects_info
short_description: Find what no component has any more in the run's own cluster
version_added: 0.1.0
author: gpuaas.parity contributors (@gpuaas)
description:
  - Compares the objects in the cluster with those that M(gpuaas.parity.kustomize_apply) applied last, and changes nothing.
  - Looks at objects of every kind that carry the label C(app.kubernetes.io/managed-by=gpuaas.parity) and that
    M(gpuaas.parity.kustomize_apply) applied. So what controllers made, and what others brought, is never among them.
  - Persistent volumes and claims hold data and are never among RV(objects), but among RV(kept). So are a namespace and a
    definition of resources that hold anything that stays.
  - Before anything else is asked, the cluster is proved to be the run's own, see O(kubeconfig).
options:
  kubeconfig:
    description:
      - The run's own kubeconfig, in O(state_dir). No other is read.
      - Its server must be on loopback, its CA the one recorded in C(<state_dir>/cluster.json) when the cluster was made,
        and the cluster that answers must have the recorded uid.
    type: path
    required: true
  state_dir:
    description:
      - The run's own folder, with what was rendered, and C(applied.json), which M(gpuaas.parity.kustomize_apply) keeps.
      - Every function that was rendered must have been applied.
    type: path
    required: true
attributes:
  check_mode:
    description: Can run in check_mode and return changed status prediction without modifying target
    support: full
  diff_mode:
    description: Will return details on what has changed (or possibly needs changing in check_mode), when in diff mode
    support: none
seealso:
  - module: gpuaas.parity.kustomize_apply
  - module: kubernetes.core.k8s
"""

EXAMPLES = r"""
- name: Find what no component has any more
  gpuaas.parity.stale_objects_info:
    kubeconfig: .parity/kind/kubeconfig
    state_dir: .parity/kind
  register: stale
"""

RETURN = r"""
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
server:
  description: URL of the API server that was asked; on loopback.
  type: str
  returned: success
  sample: https://127.0.0.1:6443
"""
