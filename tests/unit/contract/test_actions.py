"""The actions through Ansible itself: arguments, check mode, diff, idempotence, reasons, no secret shown."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import yaml
from ansible_collections.gpuaas.parity.tests.unit.contract.small_platform import Platform

PLAYBOOK = """
- hosts: localhost
  gather_facts: false
  tasks:
    - gpuaas.parity.contract_render: &render
        platform: "{{ root }}/platform"
        state_dir: "{{ root }}/state"
      check_mode: true
      register: dry
    - gpuaas.parity.local_secrets: &secrets
        contract: "{{ dry.contract }}"
        state_dir: "{{ root }}/state"
        tier: local
      check_mode: true
      register: dry_secrets
    - gpuaas.parity.local_ca: &ca
        contract: "{{ dry.contract }}"
        state_dir: "{{ root }}/state"
      check_mode: true
      register: dry_ca
    - assert:
        that:
          - dry is changed and dry_secrets is changed and dry_ca is changed
          - dry_ca.fingerprint is none
          - (root ~ '/state') is not exists

    - gpuaas.parity.contract_render: *render
      diff: true
      register: first
    - gpuaas.parity.local_secrets: *secrets
      register: first_secrets
    - gpuaas.parity.local_ca: *ca
      register: first_ca
    - assert:
        that:
          - first is changed and first.contract == dry.contract and first.files == dry.files
          - "'+++ b/front/kustomization.yaml' in first.diff.prepared"
          - first_secrets.generated == ['cookie_key', 'db_password']
          - first_ca.issued == ['ca', 'shop']

    - gpuaas.parity.contract_render: *render
      register: second
    - gpuaas.parity.local_secrets:
        contract: "{{ root }}/state/rendered/contract.json"
        state_dir: "{{ root }}/state"
        tier: local
        cluster_exists: true
      register: second_secrets
    - gpuaas.parity.local_ca: *ca
      register: second_ca
    - assert:
        that:
          - second is not changed and second_secrets is not changed and second_ca is not changed
          - second_ca.fingerprint == first_ca.fingerprint and second_ca.not_after == first_ca.not_after

    - gpuaas.parity.contract_render:
        platform: "{{ root }}/platform"
        state_dir: "{{ root }}/state"
        lane: nowhere
      register: refused
      failed_when: refused.reason != 'CONTRACT_UNKNOWN_LANE' or 'core' not in refused.seen

    # Bad input is found before anything is made.
    - gpuaas.parity.contract_render:
        platform: "{{ root }}/{{ item.folder }}"
        state_dir: "{{ root }}/{{ item.folder }}-state"
      register: half
      failed_when: half.reason != item.reason or item.seen not in half.seen or half.do | length == 0
      loop:
        - {folder: team, reason: PLATFORM_COMPONENT_TWICE, seen: team/components/db}
        - {folder: nowhere, reason: PLATFORM_MISSING, seen: nowhere holds no platform.yml}
    - assert:
        that:
          - (root ~ '/team-state') is not exists
          - (root ~ '/nowhere-state') is not exists
"""

MODES = """
- hosts: localhost
  gather_facts: false
  tasks:
    - gpuaas.parity.contract_render: &render
        platform: "{{ root }}/platform"
        modes: [kind, local]
        state_root: "{{ root }}/.parity"
        compose_dir: "{{ root }}/deploy/local"
      check_mode: true
      register: dry
    - assert:
        that:
          - dry is changed
          - (root ~ '/deploy') is not exists
          - (root ~ '/.parity') is not exists

    - gpuaas.parity.contract_render: *render
      diff: true
      register: first
    - gpuaas.parity.contract_render: *render
      register: second
    - assert:
        that:
          - first is changed and first.diff | length == 2
          - first.renderings.local.rendered == root ~ '/deploy/local'
          - (root ~ '/.parity/local/rendered') is link
          - (root ~ '/.parity/local/rendered') | realpath == root ~ '/deploy/local'
          - (root ~ '/.parity/kind/rendered/contract.json') is file
          - second is not changed and second.renderings.kind.contract == first.renderings.kind.contract

    - gpuaas.parity.contract_render:
        platform: "{{ root }}/platform"
        mode: local
        state_dir: "{{ root }}/.parity/local"
        rendered_dir: "{{ root }}/deploy/local"
      register: alone
    - assert:
        that:
          - alone is not changed and alone.contract == first.renderings.local.contract

    - ansible.builtin.copy:
        dest: "{{ root }}/deploy/local/api.env"
        content: mine
        mode: "0600"
    - ansible.builtin.file:
        path: "{{ root }}/.parity/kind/rendered/contract.json"
        state: absent
    - gpuaas.parity.contract_render: *render
      register: refused
      failed_when: refused.reason != 'RENDERED_EDITED' or 'api.env' not in refused.seen
    # Nothing is written unless all can be.
    - assert:
        that:
          - (root ~ '/.parity/kind/rendered/contract.json') is not exists
          - lookup('ansible.builtin.file', root ~ '/deploy/local/api.env') == 'mine'

    - gpuaas.parity.contract_diff_info: &diff
        platform: "{{ root }}/platform"
        a: kind
        b: local
      register: compared
    - assert:
        that:
          - compared is not changed
          - compared.counts.meaning == 0 and compared.counts.transport == 3 and compared.counts.placement > 0
    - ansible.builtin.copy:
        dest: "{{ root }}/platform/components/api/compose.yml"
        content: 'environment: {APP_WORKERS: 9}'
        mode: "0600"
    - gpuaas.parity.contract_diff_info: *diff
      register: differs
      failed_when: differs.reason != 'COMPOSE_CHANGES_MEANING' or 'APP_WORKERS' not in differs.seen
"""

SECURITY = """
- hosts: localhost
  gather_facts: false
  tasks:
    - gpuaas.parity.contract_render:
        platform: "{{ root }}/platform"
        state_dir: "{{ root }}/state"
        security: "{{ item.asked }}"
      register: render
      failed_when: render.contract.security != item.wanted or (render.contract.asked_security | default('')) != item.kept
      loop:
        - {asked: "", wanted: LOCAL, kept: ""}
        - {asked: PROD, wanted: PROD, kept: PROD}
        # Who says nothing gets no weaker one.
        - {asked: "", wanted: PROD, kept: PROD}
        - {asked: LOCAL, wanted: LOCAL, kept: ""}
        - {asked: "", wanted: LOCAL, kept: ""}
    # Of the file, where nobody asked for another.
    - ansible.builtin.replace:
        path: "{{ root }}/platform/modes/kind.yml"
        regexp: "LOCAL"
        replace: STAGING
    - gpuaas.parity.contract_render:
        platform: "{{ root }}/platform"
        state_dir: "{{ root }}/state"
      register: changed
      failed_when: changed.contract.security != 'STAGING'
    - gpuaas.parity.contract_render:
        platform: "{{ root }}/platform"
        state_dir: "{{ root }}/state"
        security: prod
      register: refused
      failed_when: refused is succeeded
"""

LANES = """
- hosts: localhost
  gather_facts: false
  tasks:
    - gpuaas.parity.contract_render: &default
        platform: "{{ root }}/platform"
        state_dir: "{{ root }}/state"
      register: default
    - gpuaas.parity.contract_render: &small
        platform: "{{ root }}/platform"
        state_dir: "{{ root }}/state"
        lane: small
      register: small
    - gpuaas.parity.contract_render: *default
      register: kept
    - assert:
        that:
          - default.contract.lane == 'core'
          - small is changed and small.contract.lane == 'small'
          - kept is not changed and kept.contract.lane == 'small'

    # The platform may lose a lane while it stands.
    - ansible.builtin.replace:
        path: "{{ root }}/platform/platform.yml"
        regexp: "small:"
        replace: "other:"
    - gpuaas.parity.contract_render: *default
      register: gone
      failed_when: gone.contract.lane != 'core'
"""


def run(text: str, tmp_path: Path) -> str:
    """What a playbook says, which must succeed."""
    playbook = tmp_path / "playbook.yml"
    playbook.write_text(text)
    command = [str(Path(sys.executable).parent / "ansible-playbook"), "-i", "localhost,", "-c", "local", "-vvv", str(playbook)]
    command += ["-e", f"root={tmp_path}", "-e", f"ansible_python_interpreter={sys.executable}"]
    environment = {**os.environ, "ANSIBLE_LOCALHOST_WARNING": "false", "ANSIBLE_STDOUT_CALLBACK": "default"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_actions(platform: Platform, tmp_path: Path) -> None:
    platform.write()
    (tmp_path / "team" / "components" / "db").mkdir(parents=True)
    (tmp_path / "team" / "platform.yml").write_text("extends: ../platform\n")
    said = run(PLAYBOOK, tmp_path)
    values = yaml.safe_load((tmp_path / "state/secrets/secrets.yml").read_text()).values()
    assert not [value for value in values if value in said]
    assert "PRIVATE KEY" not in said


def test_modes_and_their_difference(platform: Platform, tmp_path: Path) -> None:
    platform.other("local", "compose")
    platform.write()
    run(MODES, tmp_path)


def test_a_security_mode_is_kept_until_another_one_is_asked_for(platform: Platform, tmp_path: Path) -> None:
    keys = {"key_provider": "none", "member_keys": "devices"}
    platform.platform["security"] = {word: dict(keys) for word in ("LOCAL", "STAGING", "PROD")}
    platform.mode["security"] = "LOCAL"
    platform.write()
    run(SECURITY, tmp_path)


def test_a_lane_is_kept_until_another_one_is_named(platform: Platform, tmp_path: Path) -> None:
    platform.platform["lanes"]["small"] = ["db"]
    platform.write()
    run(LANES, tmp_path)
