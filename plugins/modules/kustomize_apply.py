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
  - Builds every base of O(bases) with Kustomize and applies all their objects in one server-side apply.
  - The objects start at once; order comes from readiness, see M(gpuaas.parity.probe). They are sent namespace by namespace
    in the order of O(bases), so that of a busy machine's time the first ones get theirs first.
  - What changed is what the server says it set in the second of this run or later.
  - Before anything is sent, the cluster is proved to be the run's own, see O(kubeconfig). A cluster that is shared is
    never written to, whatever the inventory says.
  - A Job whose template changed is replaced, because a Job cannot be changed.
options:
  bases:
    description: Folders with a C(kustomization.yaml).
    type: list
    elements: path
    required: true
  kubeconfig:
    description:
      - The run's own kubeconfig, in O(state_dir). No other is read.
      - Its server must be on loopback, its CA the one recorded in C(<state_dir>/cluster.json) when the cluster was made,
        and the cluster that answers must have the recorded uid.
    type: path
    required: true
  state_dir:
    description:
      - The run's own folder; kubectl keeps its discovery cache there.
      - What each base was applied as is kept there in C(applied.json), for M(gpuaas.parity.stale_objects_info).
      - The contract rendered in it must be for a cluster of this machine (C(target) V(kubernetes)).
    type: path
    required: true
  cache_dir:
    description:
      - A folder that outlives clusters. Which fields servers accepted is remembered there, by Kubernetes version.
      - Objects whose fields were accepted before are applied without asking again whether the server knows each of them,
        which saves half of the time.
    type: path
    required: true
attributes:
  check_mode:
    description: Can run in check_mode and return changed status prediction without modifying target
    support: full
  diff_mode:
    description: Will return details on what has changed (or possibly needs changing in check_mode), when in diff mode
    support: full
"""

EXAMPLES = r"""
- name: Apply what the ingress and the data stores consist of
  gpuaas.parity.kustomize_apply:
    bases:
      - .parity/kind/rendered/ingress
      - .parity/kind/rendered/data_stores
    kubeconfig: .parity/kind/kubeconfig
    state_dir: .parity/kind
    cache_dir: /home/me/.cache/gpuaas-parity
"""

RETURN = r"""
created:
  description: Objects that did not exist, as C(Kind namespace/name).
  type: list
  elements: str
  returned: always
  sample: [Namespace gpuaas-data]
configured:
  description: Objects that were changed.
  type: list
  elements: str
  returned: always
  sample: [StatefulSet gpuaas-data/postgres]
unchanged:
  description: How many objects were as they should be.
  type: int
  returned: always
  sample: 41
"""
