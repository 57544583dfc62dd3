# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of gpuaas.parity.kind_cluster; the action plugin of the same name runs it."""

from __future__ import annotations

DOCUMENTATION = r"""
module: kind_cluster
short_description: Create, start, stop and remove the run's own kind cluster
version_added: 0.1.0
author: gpuaas.parity contributors (@gpuaas)
description:
  - Creates the cluster if it is missing, creates it again if its creation was interrupted, starts it if it is stopped,
    and repairs what a restart of Docker broke.
  - A cluster that exists and differs from what was requested is reported in RV(drift) and never recreated.
  - A cluster of that name that was not created from O(state_dir), and a kubeconfig that leads elsewhere, are refused
    before anything is written.
  - The new cluster has neither CoreDNS nor kube-proxy. They belong to the manifests that are applied first.
  - O(state=absent) removes containers, volumes, network and files, and fails if anything is left.
  - Neither E(KUBECONFIG) nor any other export of the shell is read, except the variables of Docker.
extends_documentation_fragment:
  - gpuaas.parity.attributes
  - gpuaas.parity.state_dir
requirements:
  - httpx >= 0.28
  - Docker Engine >= 23
options:
  name:
    description: Name of the cluster and of its Docker network.
    type: str
    default: gpuaas-parity
  state:
    description: State that the cluster should have.
    type: str
    choices: [present, stopped, absent]
    default: present
  kubeconfig:
    description: The kubeconfig file, 0600. The default is C(kubeconfig) in O(state_dir). A file elsewhere is refused.
    type: path
  supply:
    description:
      - What M(gpuaas.parity.image) wrote about the node image and the kind program, both of which must be on this machine.
        The default is C(images/supply.json) in O(state_dir). Only O(state=present) reads it.
    type: path
  ports:
    description: Ports of this machine that lead to the node.
    type: list
    elements: dict
    default: []
    suboptions:
      host_port:
        description: The port of this machine.
        type: int
        required: true
      node_port:
        description: The port of the node.
        type: int
        required: true
      listen:
        description: The address of this machine.
        type: str
        default: 127.0.0.1
  directories:
    description: Directories that are created in the node together with the cluster, for volumes.
    type: list
    elements: str
    default: []
  cgroup_version:
    description:
      - The cgroup version of the host, as M(gpuaas.parity.host_preflight_info) found it. The default is to ask the Docker engine.
    type: int
    choices: [1, 2]
  wait_seconds:
    description: Seconds that the API may take to become ready. Nodes and pods are not awaited.
    type: float
    default: 120
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
seealso:
  - module: gpuaas.parity.kind_cluster_info
"""

EXAMPLES = r"""
- name: Create or repair the cluster
  gpuaas.parity.kind_cluster:
    state_dir: /home/me/gpuaas-parity/.parity/kind
    ports:
      - host_port: 8443
        node_port: 8443

- name: Remove the cluster and prove that nothing is left
  gpuaas.parity.kind_cluster:
    state: absent
    state_dir: /home/me/gpuaas-parity/.parity/kind
"""

RETURN = r"""
extends_documentation_fragment:
  - gpuaas.parity.failure
actions:
  description: What was done, or would be done in check mode, in words.
  returned: success
  type: list
  elements: str
  sample: [start gpuaas-parity-control-plane]
before:
  description: What was found (V(absent), V(half-made), V(running), V(stopped), or V(remains) of a cluster).
  returned: success
  type: str
  sample: stopped
after:
  description: What is there now.
  returned: success
  type: str
  sample: running
drift:
  description: Where an existing cluster differs from what was requested.
  returned: success
  type: list
  elements: dict
  sample:
    - what: ports
      wanted: 127.0.0.1:8443->8443
      found: 127.0.0.1:9443->8443
uid:
  description: The uid of the namespace kube-system, which identifies the cluster.
  returned: when the API was asked
  type: str
  sample: 0d1b1f4e-6f0d-4ac2-8f7b-0b6f6a1fd7ad
kubernetes_version:
  description: The version of the API server.
  returned: when the API was asked
  type: str
  sample: v1.36.3
kubeconfig:
  description: Path of the kubeconfig file.
  returned: success
  type: str
  sample: /home/me/gpuaas-parity/.parity/kind/kubeconfig
residue:
  description: What is left after O(state=absent). Always empty on success.
  returned: success
  type: list
  elements: str
  sample: []
"""
