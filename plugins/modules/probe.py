# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of gpuaas.parity.probe; the action plugin of the same name runs it."""

from __future__ import annotations

DOCUMENTATION = r"""
module: probe
short_description: Make the checks that the platform stands, once or until it does
version_added: 0.1.0
author: gpuaas.parity contributors (@gpuaas)
description:
  - Makes the checks of the platform and of its components (C(checks.yml) in the folder of each) side by side, once or
    until a deadline. Fails unless all hold.
  - Fails closed. A component without a check of its readiness, and of what else it declares, is an error, and so is a check that
    could not be carried out.
  - Only checks that hold on the contract's target are made. A component that the mode's surroundings provide has none.
  - A check of type C(exec) runs the component's own program in its container, through C(kubectl exec) or C(docker exec). In
    a cluster that is proved to be the run's own first.
  - While it waits it tells its run what is awaited, how much of the budget is used and what blocks, and the verdict of
    each check as soon as it is known. What each check saw on its way goes to C(logs/probe.log) in O(state_dir).
options:
  kubeconfig:
    description:
      - The run's own kubeconfig. Its server must be on this machine.
      - Needed unless the contract's target is V(compose), which has no cluster.
    type: path
  state_dir:
    description: Directory of the run's own state, with the rendered contract, secrets and CA.
    type: path
    required: true
  platform:
    description: Folder of the platform, whose components each have their C(checks.yml).
    type: path
    required: true
  contract:
    description: The rendered contract. By default C(rendered/contract.json) in O(state_dir) is read.
    type: dict
    default: {}
  components:
    description: Limit the checks, and the demand that there are enough of them, to these components. All when empty.
    type: list
    elements: str
    default: []
  phase:
    description:
      - With V(up) the checks that a platform that is ready must pass.
      - With V(validate) all checks.
    type: str
    choices: [up, validate]
    default: validate
  gate:
    description:
      - Makes exactly the checks that belong to the validations which C(gates.yml) in O(platform) demands before this, whatever
        O(phase) says. One of them is that all modes of the contract mean the same.
      - Fails closed. A check that was not made, another mode than the gate's and a platform that is not up are failures.
    type: str
    choices: ["", merge, deploy]
    default: ""
  timeout:
    description: Seconds to wait until all checks hold. V(0) makes each check once.
    type: float
    default: 0
  cluster:
    description: Name of the kind cluster, whose node's container is inspected.
    type: str
    default: gpuaas-parity
  report:
    description: Name of the report to write to C(reports/) in O(state_dir), as JUnit XML and as JSON. None when empty.
    type: str
    default: ""
attributes:
  check_mode:
    description: Makes each check once and returns what was found, without waiting and without failing on it.
    support: full
  diff_mode:
    description: Changes nothing, so there is nothing to compare.
    support: none
"""

EXAMPLES = r"""
- name: Await every component
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

- name: Prove what must be green before a merge
  gpuaas.parity.probe:
    kubeconfig: .parity/kind/kubeconfig
    state_dir: .parity/kind
    platform: platform
    gate: merge
    report: gate

- name: Look at the API alone
  gpuaas.parity.probe:
    kubeconfig: .parity/kind/kubeconfig
    state_dir: .parity/kind
    platform: platform
    components: [api]
"""

RETURN = r"""
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
      description: How often it looked.
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
  description: Seconds that it took.
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
