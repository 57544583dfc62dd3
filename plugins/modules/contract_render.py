# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of gpuaas.parity.contract_render; the action plugin of the same name runs it."""

from __future__ import annotations

DOCUMENTATION = r"""
module: contract_render
short_description: Render the contract for a lane, in one mode or several
version_added: 0.1.0
author: gpuaas.parity contributors (@gpuaas)
description:
  - Reads C(platform.yml), the components, the mode file and C(realm.yml) of O(platform), refuses what is not consistent,
    and writes what a deployment consumes to C(rendered) in O(state_dir).
  - The same inputs give the same bytes on every machine. Nothing is taken from the environment, and no secret is rendered.
  - For Kubernetes, every role that has services in the lane and a directory C(files/manifests) becomes a Kustomize
    overlay. Its ports, names, namespaces and references are compared with the contract and never changed. Hosts of
    Ingress objects, the port of the entry point, replicas and storage are set. Where others deliver secrets,
    certificates and images (C(target) V(gitops) of the mode), the overlay stands alone and refers to them by name.
  - For Docker Compose there is one project in one plain file.
  - The rendering is replaced as a whole, and only when a byte of it differs. It records its own digests. A file that was
    edited by hand is named and refused (C(RENDERED_EDITED)). A file that is missing is rendered again.
extends_documentation_fragment:
  - gpuaas.parity.attributes
  - gpuaas.parity.platform
  - gpuaas.parity.platform.instance
  - gpuaas.parity.platform.lane
  - gpuaas.parity.platform.options
  - gpuaas.parity.platform.security
  - gpuaas.parity.platform.source
requirements:
  - jsonschema >= 4.26
options:
  mode:
    description: Name of the mode, which is the name of a file in C(modes/).
    type: str
    default: kind
  state_dir:
    description: State directory of the run. Required unless O(state_root) is given.
    type: path
  rendered_dir:
    description:
      - Directory to render to. The default is C(rendered) in O(state_dir).
      - When it is elsewhere, C(rendered) in O(state_dir) becomes a link to it. A directory that holds anything else is
        refused (C(RENDERED_NOT_OURS)).
    type: path
  modes:
    description:
      - With O(state_root), render several modes together, instead of O(mode), O(state_dir) and O(rendered_dir). All modes of
        the platform when empty.
      - Nothing is written unless all of them can be rendered. Each mode is locked against other runs of it.
    type: list
    elements: str
    default: []
  state_root:
    description:
      - Render O(modes) instead of one mode. This is the directory of their state directories, each of which has the name of
        its mode.
    type: path
  compose_dir:
    description: O(rendered_dir) of those O(modes) whose target is C(compose).
    type: path
attributes:
  check_mode:
    support: full
    details:
      - Says whether C(rendered) would change.
  diff_mode:
    support: full
    details:
      - Returns a unified diff of every rendered file that differs.
seealso:
  - module: gpuaas.parity.local_secrets
  - module: gpuaas.parity.local_ca
"""

EXAMPLES = r"""
- name: Render the core lane for kind
  gpuaas.parity.contract_render:
    platform: "{{ playbook_dir }}/../platform"
    mode: kind
    state_dir: "{{ playbook_dir }}/../.parity/kind"
  register: render

- name: Render two modes together
  gpuaas.parity.contract_render:
    platform: "{{ playbook_dir }}/../platform"
    modes: [compose, kind]
    state_root: "{{ playbook_dir }}/../.parity"
    compose_dir: "{{ playbook_dir }}/../deploy/local"
  register: renderings
"""

RETURN = r"""
extends_documentation_fragment:
  - gpuaas.parity.failure
contract:
  description:
    - The resolved contract, as in C(rendered/contract.json). It names secrets and holds none.
    - It has the endpoints and services of the lane, and the secrets of all lanes.
  returned: success, when O(modes) is not given
  type: dict
  contains:
    contract:
      description: Version of the format.
      type: int
      sample: 1
    mode:
      description: Name of the mode.
      type: str
      sample: kind
    target:
      description: What the mode is rendered for, V(compose), V(kubernetes) or V(gitops).
      type: str
      sample: kubernetes
    project:
      description: Name of the Compose project, for target V(compose).
      type: str
      sample: gpuaas-local
    lane:
      description: Name of the lane.
      type: str
      sample: core
    domain:
      description: Domain of all public names.
      type: str
      sample: gpuaas.localhost
    endpoints:
      description: For each endpoint its C(host), C(port), C(scheme), C(url), C(service), C(health) and C(purpose).
      type: dict
      sample:
        api:
          host: api.gpuaas.localhost
          port: 8443
          scheme: https
          url: https://api.gpuaas.localhost:8443
          service: api
          health: /healthz/ready
          purpose: REST API
    services:
      description: >-
        For each service its C(role), C(image), C(host), C(port), C(settings), C(secrets), and its placement: C(namespace),
        C(replicas) and, where it has any, C(storage) with C(storage_class) or C(node_path); for target V(compose) C(publish), C(source)
        and C(volume); C(provided_by) where the surroundings of the mode provide the service.
      type: dict
      sample:
        redis:
          role: data_stores
          image: valkey
          host: redis.gpuaas-data.svc
          port: 6379
          namespace: gpuaas-data
          replicas: 1
    secrets:
      description: For each secret its C(kind) and what it C(means).
      type: dict
      sample:
        redis_password:
          kind: password
          means: password of the cache
rendered:
  description: Path of the directory that was rendered.
  returned: success, when O(modes) is not given
  type: str
  sample: /home/me/parity/.parity/kind/rendered
files:
  description: Paths of the rendered files below RV(rendered), sorted.
  returned: success, when O(modes) is not given
  type: list
  elements: str
  sample: [contract.json, identity/kustomization.yaml]
renderings:
  description: For each mode its RV(contract), RV(rendered), RV(files) and whether it C(changed).
  returned: success, when O(modes) is given
  type: dict
  sample:
    kind:
      changed: true
      contract: {contract: 1, mode: kind}
      rendered: /home/me/parity/.parity/kind/rendered
      files: [contract.json, identity/kustomization.yaml]
"""
