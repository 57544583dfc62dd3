# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of gpuaas.parity.platform_status_info; the action plugin of the same name runs it."""

from __future__ import annotations

DOCUMENTATION = r"""
module: platform_status_info
short_description: Show the state of the platform on one screen
version_added: 0.1.0
author: gpuaas.parity contributors (@gpuaas)
description:
  - Shows the cluster or the Docker Compose project, the readiness, age and restarts of each component with what blocks it,
    the endpoints with their current answer, the users with the place of their passwords, the CA, and the ports of the host
    that lead to data stores.
  - Fails with reason C(NOT_READY) unless all of it is ready, with C(CLUSTER_ABSENT) when there is no cluster and with
    C(PROJECT_ABSENT) when there is no container of the project.
  - Takes about a second and never waits for something to become ready. No secret is read.
extends_documentation_fragment:
  - gpuaas.parity.attributes
  - gpuaas.parity.attributes.reads_only
  - gpuaas.parity.kubeconfig
  - gpuaas.parity.state_dir
requirements:
  - cryptography >= 50
  - httpx >= 0.28
  - Docker Engine >= 23
options:
  cluster:
    description: Name of the kind cluster.
    type: str
    default: gpuaas-parity
"""

EXAMPLES = r"""
- name: Show the state of the platform
  gpuaas.parity.platform_status_info:
    kubeconfig: .parity/kind/kubeconfig
    state_dir: .parity/kind

- name: Show the state of the Docker Compose project
  gpuaas.parity.platform_status_info:
    state_dir: .parity/compose
"""

RETURN = r"""
extends_documentation_fragment:
  - gpuaas.parity.failure
ready:
  description: Whether the cluster or project, all components and all endpoints are ready.
  returned: always
  type: bool
  sample: true
text:
  description: The screen.
  returned: when there is a cluster or a project
  type: str
  sample: "cluster gpuaas-parity: Ready, Kubernetes v1.36.3, age 12m"
data:
  description: The content of the screen as data.
  returned: when there is a cluster or a project
  type: dict
  contains:
    ready:
      description: Whether the cluster or project, all components and all endpoints are ready.
      type: bool
      sample: true
    mode:
      description: Mode of the run.
      type: str
      sample: kind
    lane:
      description: Lane of the run.
      type: str
      sample: core
    cluster:
      description: Name, node, node image, Kubernetes version, age in seconds and readiness. Absent for a project.
      type: dict
    project:
      description: Name, containers that run and that should run, age in seconds, readiness and the jobs that failed. Absent
        for a cluster.
      type: dict
    components:
      description: Each with replicas ready and wanted, age in seconds, restarts, and where it is not ready the reason id,
        the blocker, whether it is starting, and which components in trouble it waits for. In a project also with its
        addresses on the host.
      type: list
      elements: dict
    endpoints:
      description: Each with URL, whether it answers as it should, its current answer, its purpose, and which components in trouble it
        waits for.
      type: list
      elements: dict
    users:
      description: Each with role, and file and key of the password.
      type: list
      elements: dict
    ca:
      description: Path, expiry, days left, and the command that makes this machine trust it.
      type: dict
"""
