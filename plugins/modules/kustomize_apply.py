# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of gpuaas.parity.kustomize_apply; the action plugin of the same name runs it."""

from __future__ import annotations

DOCUMENTATION = r"""
module: kustomize_apply
short_description: Apply Kustomize bases to the run's own cluster, server-side
version_added: 0.1.0
author: gpuaas.parity contributors (@gpuaas)
description:
  - Builds every base of O(bases) with Kustomize and applies all of their objects in one server-side apply.
  - All objects start at the same time. Order comes from readiness, see M(gpuaas.parity.probe). They are sent namespace by
    namespace in the order of O(bases), so that on a busy machine the first ones start first.
  - An object counts as changed when the server says that it was set in the second of this run or later.
  - Before anything is sent, the cluster is proved to be the run's own, see O(kubeconfig). A shared cluster is never
    written to, whatever the inventory says.
  - A Job whose template changed is replaced, because a Job cannot be changed.
  - What each base was applied as is kept in C(applied.json) of O(state_dir), for M(gpuaas.parity.stale_objects_info).
extends_documentation_fragment:
  - gpuaas.parity.attributes
  - gpuaas.parity.state_dir
requirements:
  - httpx >= 0.28
  - kubectl
options:
  bases:
    description: Directories with a C(kustomization.yaml).
    type: list
    elements: path
    required: true
  kubeconfig:
    description:
      - The run's own kubeconfig, in O(state_dir). No other kubeconfig is read.
      - Its server must be on loopback, its CA must be the one recorded in C(<state_dir>/cluster.json) when the cluster was
        created, and the cluster that answers must have the recorded uid.
      - The contract rendered in O(state_dir) must be for a cluster of this machine (C(target) V(kubernetes)).
    type: path
    required: true
  cache_dir:
    description:
      - A directory that outlives clusters. It records, by Kubernetes version, which fields servers have accepted.
      - Objects whose fields were accepted before are applied without asking the server again whether it knows each of
        them, which halves the time.
    type: path
    required: true
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
"""

EXAMPLES = r"""
- name: Apply the ingress and the data stores
  gpuaas.parity.kustomize_apply:
    bases:
      - .parity/kind/rendered/ingress
      - .parity/kind/rendered/data_stores
    kubeconfig: .parity/kind/kubeconfig
    state_dir: .parity/kind
    cache_dir: /home/me/.cache/gpuaas-parity
"""

RETURN = r"""
extends_documentation_fragment:
  - gpuaas.parity.failure
created:
  description: Objects that did not exist, as C(Kind namespace/name).
  type: list
  elements: str
  returned: success
  sample: [Namespace gpuaas-data]
configured:
  description: Objects that were changed.
  type: list
  elements: str
  returned: success
  sample: [StatefulSet gpuaas-data/postgres]
restarted:
  description:
    - Workloads that were restarted, because a pod of theirs started before a ConfigMap or Secret that it reads was set
      back to what O(bases) say.
  type: list
  elements: str
  returned: success
  sample: []
unchanged:
  description: Number of objects that were already as they should be.
  type: int
  returned: success
  sample: 41
"""
