# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of gpuaas.parity.probe; the action plugin of the same name runs it."""

from __future__ import annotations

DOCUMENTATION = r"""
module: probe
short_description: Check that the platform works, once or until it does
version_added: 0.1.0
author: gpuaas.parity contributors (@gpuaas)
description:
  - Makes the checks of the platform and of its components (C(checks.yml) in the folder of each) in parallel, once or until
    a deadline. Fails unless all of them hold.
  - Fails closed. A component without a check of its readiness, and of what else it declares, is an error, and so is a
    check that could not be made.
  - Only checks that hold on the target of the contract are made. A component that the surroundings of the mode provide has
    none.
  - A check of type C(exec) runs a program of the component in its container, through C(kubectl exec) or C(docker exec). In
    a cluster, that is proved to be the run's own first.
  - While it waits, it reports what it waits for, how much of the time is used and what blocks, and the verdict of each
    check as soon as it is known. What each check saw on the way is written to C(logs/probe.log) in O(state_dir).
extends_documentation_fragment:
  - gpuaas.parity.attributes
  - gpuaas.parity.kubeconfig
  - gpuaas.parity.platform
  - gpuaas.parity.state_dir
requirements:
  - httpx >= 0.28
  - jsonschema >= 4.26
  - Docker Engine >= 23
  - kubectl, for checks of type C(exec) in a cluster
options:
  contract:
    description: The rendered contract. The default is to read C(rendered/contract.json) in O(state_dir).
    type: dict
    default: {}
  components:
    description: Limit the checks, and the demand that there are enough of them, to these components. All when empty.
    type: list
    elements: str
    default: []
  phase:
    description:
      - V(up) makes the checks that a platform that is ready must pass.
      - V(validate) makes all checks.
    type: str
    choices: [up, validate]
    default: validate
  gate:
    description:
      - Make exactly the checks of the validations that C(gates.yml) in O(platform) demands for this gate, whatever O(phase)
        is. One of them is that all modes of the contract mean the same.
      - Fails closed. A check that was not made, a mode other than that of the gate and a platform that is not up are
        failures.
    type: str
    choices: ["", merge, deploy]
    default: ""
  timeout:
    description: Seconds to wait until all checks hold. V(0) makes each check once.
    type: float
    default: 0
  cluster:
    description: Name of the kind cluster, the container of whose node is inspected.
    type: str
    default: gpuaas-parity
  report:
    description: Name of the report to write to C(reports/) in O(state_dir), as JUnit XML and as JSON. None when empty.
    type: str
    default: ""
attributes:
  check_mode:
    support: full
    details:
      - Makes each check once and returns what was found, without waiting, without failing on it and without a report.
  diff_mode:
    support: N/A
    details:
      - This module changes nothing but its log and reports.
"""

EXAMPLES = r"""
- name: Wait for every component
  gpuaas.parity.probe:
    kubeconfig: .parity/kind/kubeconfig
    state_dir: .parity/kind
    platform: platform
    phase: up
    timeout: 180

- name: Prove the platform
  gpuaas.parity.probe:
    kubeconfig: .parity/kind/kubeconfig
    state_dir: .parity/kind
    platform: platform
    phase: validate
    report: validate

- name: Prove the platform in Docker Compose
  gpuaas.parity.probe:
    state_dir: .parity/compose
    platform: platform
    report: validate

- name: Make the checks that must hold before a merge
  gpuaas.parity.probe:
    kubeconfig: .parity/kind/kubeconfig
    state_dir: .parity/kind
    platform: platform
    gate: merge
    report: gate

- name: Check the API alone
  gpuaas.parity.probe:
    kubeconfig: .parity/kind/kubeconfig
    state_dir: .parity/kind
    platform: platform
    components: [api]
"""

RETURN = r"""
extends_documentation_fragment:
  - gpuaas.parity.failure
checks:
  description: Every check with its verdict, in order of dependency.
  returned: always
  type: list
  elements: dict
  contains:
    id:
      description: Name of the check.
      type: str
    component:
      description: What it is about, a service of the contract or V(platform).
      type: str
    proves:
      description: What it proves, one of V(ready), V(ingress), V(config), V(security) and V(function).
      type: str
    type:
      description: Type of the check.
      type: str
    ok:
      description: Whether it holds.
      type: bool
    seen:
      description: What was last seen.
      type: str
    reason:
      description: Reason id of the failure, empty when it holds.
      type: str
    do:
      description: What to type next, empty when it holds.
      type: str
    seconds:
      description: Seconds until the verdict.
      type: float
    attempts:
      description: Number of attempts.
      type: int
    details:
      description: What else is known, free of secrets.
      type: dict
  sample:
    - id: api-ready
      component: api
      proves: ready
      type: workload
      ok: true
      seen: "deployment/api: 1/1 ready"
      reason: ""
      do: ""
      seconds: 11.2
      attempts: 31
      details: {}
failed_checks:
  description: Ids of the checks that do not hold.
  returned: always
  type: list
  elements: str
  sample: []
elapsed:
  description: Seconds that the checks took.
  returned: always
  type: float
  sample: 11.3
reports:
  description: Paths of the reports that were written.
  returned: always
  type: list
  elements: str
  sample: [.parity/kind/reports/validate.junit.xml, .parity/kind/reports/validate.json]
log:
  description: Path of the log.
  returned: always
  type: str
  sample: .parity/kind/logs/probe.log
"""
