# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of gpuaas.parity.host_preflight_info; the action plugin of the same name runs it."""

from __future__ import annotations

DOCUMENTATION = r"""
module: host_preflight_info
short_description: Check that this machine can run the platform
version_added: 0.1.0
author: gpuaas.parity contributors (@gpuaas)
description:
  - Reads the Docker engine, disk, memory, inotify limits, ports, cgroup version, capabilities and clock of the
    controller, in well under a second, and changes nothing.
  - All problems are reported together, each with what was seen and what to type.
extends_documentation_fragment:
  - gpuaas.parity.attributes
  - gpuaas.parity.attributes.reads_only
  - gpuaas.parity.capacity
options:
  cluster_name:
    description: Name of the kind cluster or Compose project that may hold the ports.
    type: str
    default: gpuaas-parity
  build:
    description: Whether images are built on this machine, which needs buildx, mmdebstrap and more disk.
    type: bool
    default: true
  compose:
    description:
      - Whether the platform runs in Docker Compose. That needs the Compose plugin 2.20.2 or newer and Docker Engine 25 or
        newer, but not what a Kubernetes node needs.
    type: bool
    default: false
  ports:
    description: Ports that the platform will publish.
    type: list
    elements: dict
    default: []
    suboptions:
      host_port:
        description: The port.
        type: int
        required: true
      listen:
        description: The address at which the port is published.
        type: str
        default: 127.0.0.1
  checkout:
    description: Directory whose files the clock cannot be older than.
    type: path
  wait_seconds:
    description: Seconds that an engine that was just started may take to answer.
    type: float
    default: 0
  report_only:
    description: Report the problems in RV(problems) and RV(plan) instead of failing.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Check the machine
  gpuaas.parity.host_preflight_info:
    ports:
      - host_port: 8443
"""

RETURN = r"""
extends_documentation_fragment:
  - gpuaas.parity.failure
facts:
  description: What was found. Sizes are in bytes, times in seconds since the epoch.
  returned: success
  type: dict
  sample:
    architecture: x86_64
    cgroup_version: 2
    docker_version: 26.1.5
    restrict_oom_score_adj: false
    rootless: false
problems:
  description: Every problem with its reason id, what was seen and what to type. Empty unless O(report_only=true).
  returned: success
  type: list
  elements: dict
  sample:
    - reason: HOST_PORT_IN_USE
      seen: port 8443 on 127.0.0.1 is held by process 812 (nginx)
      do: "end its owner, or take other ports: make kind-parity-up INSTANCE=two"
reasons:
  description: The reason ids of RV(problems).
  returned: success
  type: list
  elements: str
  sample: [HOST_PORT_IN_USE]
plan:
  description:
    - What may be changed on this machine to solve the problems, for the role C(host).
    - RV(ignore:packages) come from RV(ignore:suite) where that is set, RV(ignore:plain_packages) from the configured
      suites.
  returned: success
  type: dict
  sample:
    packages: [docker.io, docker-buildx, docker-cli]
    plain_packages: [mmdebstrap]
    suite: ""
    sources: ""
    preferences: ""
    start: true
    raise_limits: false
    grant: false
"""
