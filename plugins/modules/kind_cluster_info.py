# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of gpuaas.parity.kind_cluster_info; the action plugin of the same name runs it."""

from __future__ import annotations

DOCUMENTATION = r"""
module: kind_cluster_info
short_description: Gather information about a kind cluster
version_added: 0.1.0
author: gpuaas.parity contributors (@gpuaas)
description:
  - Reads the containers, the network, the record and the API of a cluster, and changes nothing.
  - A cluster that is absent, broken or owned by another run is an answer, not a failure.
extends_documentation_fragment:
  - gpuaas.parity.attributes
  - gpuaas.parity.attributes.reads_only
  - gpuaas.parity.state_dir
requirements:
  - httpx >= 0.28
  - Docker Engine >= 23
options:
  name:
    description: Name of the cluster.
    type: str
    default: gpuaas-parity
  kubeconfig:
    description: The kubeconfig file. The default is C(kubeconfig) in O(state_dir).
    type: path
seealso:
  - module: gpuaas.parity.kind_cluster
"""

EXAMPLES = r"""
- name: Gather information about the cluster
  gpuaas.parity.kind_cluster_info:
    state_dir: /home/me/gpuaas-parity/.parity/kind
  register: cluster
"""

RETURN = r"""
extends_documentation_fragment:
  - gpuaas.parity.failure
cluster:
  description: The cluster.
  returned: success
  type: dict
  contains:
    name:
      description: Its name.
      type: str
      sample: gpuaas-parity
    exists:
      description: Whether there is any node container.
      type: bool
      sample: true
    running:
      description: Whether every node container is running.
      type: bool
      sample: true
    owned:
      description: Whether it was created from O(state_dir).
      type: bool
      sample: true
    half_made:
      description: Whether its creation was interrupted, or its record is missing.
      type: bool
      sample: false
    uid:
      description: The uid of the namespace kube-system.
      type: str
      sample: 0d1b1f4e-6f0d-4ac2-8f7b-0b6f6a1fd7ad
    kubernetes_version:
      description: The version of the API server when the cluster was created.
      type: str
      sample: v1.36.3
    created:
      description: When it was created, in seconds since the epoch; 0 when unknown.
      type: float
      sample: 1790000000.0
    node_image:
      description: Image of the node.
      type: str
      sample: gpuaas-parity/node:dev
    node_container:
      description: Name of the container of the node.
      type: str
      sample: gpuaas-parity-control-plane
    status:
      description: Docker's status of the container of the node, or V(absent).
      type: str
      sample: running
    ports:
      description: Ports of this machine that lead to the node.
      type: list
      elements: dict
      sample:
        - host_port: 8443
          node_port: 8443
          listen: 127.0.0.1
    kubeconfig:
      description: Path of the kubeconfig file; empty when there is none.
      type: str
      sample: /home/me/gpuaas-parity/.parity/kind/kubeconfig
    network:
      description: Name of the Docker network; empty when there is none.
      type: str
      sample: gpuaas-parity
    api_ready:
      description: Whether the API answers that it is ready.
      type: bool
      sample: true
    api_problem:
      description: Why the API is not ready; empty when it is.
      type: str
      sample: ""
    nodes:
      description: The nodes, as the API reports them.
      type: list
      elements: dict
      sample:
        - name: gpuaas-parity-control-plane
          ready: true
          version: v1.36.3
"""
