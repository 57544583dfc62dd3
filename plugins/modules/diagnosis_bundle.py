# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of gpuaas.parity.diagnosis_bundle; the action plugin of the same name runs it."""

from __future__ import annotations

DOCUMENTATION = r"""
module: diagnosis_bundle
short_description: Collect what is needed to diagnose a failed run in one file
version_added: 0.1.0
author: gpuaas.parity contributors (@gpuaas)
description:
  - Writes C(<state_dir>/bundles/<utc time>-<verb>.tar.gz), mode 0600. It holds the failure, a summary of every pod that is
    not well, events, object and pod states, logs (current and previous, the last 2000 lines of each container), the journal
    of the node, the rendered files, the image lock, reports and logs of the run, and facts of the host.
  - For a Docker Compose project it holds the states and logs of containers, networks and volumes instead of pods and node.
  - What cannot be collected, because there is no cluster, a broken cluster or no Docker, is listed with its reason in
    C(MANIFEST.txt) of the bundle and in RV(missed). The collectors run at the same time, each for at most O(each) seconds.
  - Every secret of the run is masked in every encoding in which it may appear, and so are private keys, tokens and
    credentials in headers and URLs. Kubernetes Secrets are never read. When a file with secrets cannot be read, only facts
    of the host are collected.
  - The module does not fail when the bundle cannot be written, because it runs while another failure is being reported. See
    RV(problem).
  - The last ten bundles are kept.
extends_documentation_fragment:
  - gpuaas.parity.attributes
requirements:
  - httpx >= 0.28
options:
  state_dir:
    description: State directory of the run. It is created if it is missing.
    type: path
    required: true
  kubeconfig:
    description:
      - The run's own kubeconfig. No other kubeconfig is read, and the file need not exist.
      - Without it, or where the target of the rendered contract is V(compose), the Docker Compose project is examined.
    type: path
  node:
    description: Name of the container of the node. Not used for a Docker Compose project.
    type: str
    default: ""
  verb:
    description: What the run did. It becomes part of the name of the file.
    type: str
    default: run
  reason:
    description: Reason id of the failure.
    type: str
    default: ""
  failure:
    description: The failure as it was shown to the user.
    type: str
    default: ""
  each:
    description: Seconds that one collector may take.
    type: float
    default: 10.0
  whole:
    description: Seconds that all collectors together may take.
    type: float
    default: 30.0
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
"""

EXAMPLES = r"""
- name: Bring the platform up
  block:
    - name: Create the cluster
      ansible.builtin.import_role:
        name: gpuaas.parity.cluster
  rescue:
    - name: Collect what is needed to diagnose the failure
      gpuaas.parity.diagnosis_bundle:
        kubeconfig: "{{ parity_state_dir }}/kubeconfig"
        state_dir: "{{ parity_state_dir }}"
        node: gpuaas-parity-control-plane
        verb: up
        reason: "{{ ansible_failed_result.reason | default('INTERNAL') }}"
        failure: "{{ ansible_failed_result.msg }}"
"""

RETURN = r"""
extends_documentation_fragment:
  - gpuaas.parity.failure
path:
  description: Path of the bundle.
  returned: when it was written
  type: str
  sample: /home/me/gpuaas-parity/.parity/kind/bundles/20260314T091500Z-up.tar.gz
problem:
  description: Why there is no bundle.
  returned: when it was not written
  type: str
  sample: "OSError: [Errno 28] No space left on device"
missed:
  description: What could not be collected, and why.
  returned: when it was written
  type: list
  elements: dict
  sample:
    - what: cluster
      why: "CLUSTER_ABSENT: no kubeconfig at /home/me/gpuaas-parity/.parity/kind/kubeconfig"
"""
