# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of gpuaas.parity.platform_status; the action plugin of the same name runs it."""

from __future__ import annotations

DOCUMENTATION = r"""
module: platform_status
short_description: Show on one screen what of the platform stands
version_added: 0.1.0
author: gpuaas.parity contributors (@gpuaas)
description:
  - Shows the cluster or the Docker Compose project, each component's readiness, age and restarts with what blocks it, the
    endpoints with their answer now, the users with the place of their passwords, the CA, and the ports of the host that
    lead to data stores.
  - Fails with reason C(NOT_READY) unless all of it is ready, with C(CLUSTER_ABSENT) when there is no cluster and with
    C(PROJECT_ABSENT) when there is no container of the project.
  - Takes about a second and never waits for something to become ready. No secret is read.
options:
  kubeconfig:
    description:
      - The run's own kubeconfig. Its server must be on this machine.
      - Needed unless the contract's target is V(compose), which has no cluster.
    type: path
  state_dir:
    description: Directory of the run's own state, with the rendered contract and the CA.
    type: path
    required: true
  cluster:
    description: Name of the kind cluster.
    type: str
    default: gpuaas-parity
attributes:
  check_mode:
    description: Changes nothing, so it runs the same.
    support: full
  diff_mode:
    description: Changes nothing, so there is nothing to compare.
    support: none
"""

EXAMPLES = r"""
- name: Show what stands
  gpuaas.parity.platform_status:
    kubeconfig: .parity/kind/kubeconfig
    state_dir: .parity/kind

- name: Show what stands of the Docker Compose project
  gpuaas.parity.platform_status:
    state_dir: .parity/compose
"""

RETURN = r"""
ready:
  description: Whether cluster or project, components and endpoints are all ready.
  returned: always
  type: bool
  sample: true
text:
  description: The screen.
  returned: when there is a cluster or a project
  type: str
  sample: "cluster gpuaas-parity: Ready, Kubernetes v1.36.3, age 12m"
data:
  description: The same as data.
  returned: when there is a cluster or a project
  type: dict
  contains:
    ready:
      description: Whether cluster or project, components and endpoints are all ready.
      type: bool
    mode:
      description: Mode of the run.
      type: str
    lane:
      description: Lane of the run.
      type: str
    cluster:
      description: Name, node, node image, Kubernetes version, age in seconds and readiness. Not of a project.
      type: dict
    project:
      description: Name, containers that run and that should, age in seconds, readiness and the jobs that failed. Not of
        a cluster.
      type: dict
    components:
      description: Each with replicas ready and wanted, age in seconds, restarts and blocker, in a project also its
        addresses on the host.
      type: list
      elements: dict
    endpoints:
      description: Each with URL, whether it answers as it should, what it answers now, and its purpose.
      type: list
      elements: dict
    users:
      description: Each with role, and file and key of the password.
      type: list
      elements: dict
    ca:
      description: Path, end, days left, and the command that makes this machine trust it.
      type: dict
"""
