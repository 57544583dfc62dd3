"""The three actions through Ansible itself: arguments, check mode, diff, idempotence, reasons, no secret shown."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import yaml
from ansible_collections.gpuaas.parity.tests.unit.contract.small_platform import REPOSITORY, Platform

PLAYBOOK = """
- hosts: localhost
  gather_facts: false
  tasks:
    - gpuaas.parity.contract_render: &render
        contract_dir: "{{ root }}/contract"
        roles_dir: "{{ root }}/roles"
        state_dir: "{{ root }}/state"
      check_mode: true
      register: dry
    - gpuaas.parity.local_secrets: &secrets
        contract: "{{ dry.contract }}"
        schema: "{{ repository }}/contract/secrets.schema.json"
        state_dir: "{{ root }}/state"
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
        schema: "{{ repository }}/contract/secrets.schema.json"
        state_dir: "{{ root }}/state"
        cluster_exists: true
      register: second_secrets
    - gpuaas.parity.local_ca: *ca
      register: second_ca
    - assert:
        that:
          - second is not changed and second_secrets is not changed and second_ca is not changed
          - second_ca.fingerprint == first_ca.fingerprint and second_ca.not_after == first_ca.not_after

    - gpuaas.parity.contract_render:
        contract_dir: "{{ root }}/contract"
        roles_dir: "{{ root }}/roles"
        state_dir: "{{ root }}/state"
        lane: nowhere
      register: refused
      failed_when: refused.reason != 'CONTRACT_UNKNOWN_LANE' or 'core' not in refused.seen
"""


def test_actions(platform: Platform, tmp_path: Path) -> None:
    platform.write()
    playbook = tmp_path / "playbook.yml"
    playbook.write_text(PLAYBOOK)
    command = [
        str(Path(sys.executable).parent / "ansible-playbook"),
        "-i",
        "localhost,",
        "-c",
        "local",
        "-vvv",
        str(playbook),
    ]
    command += ["-e", f"root={tmp_path}", "-e", f"repository={REPOSITORY}"]
    environment = {**os.environ, "ANSIBLE_LOCALHOST_WARNING": "false", "ANSIBLE_STDOUT_CALLBACK": "default"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    values = yaml.safe_load((tmp_path / "state/secrets/secrets.yml").read_text()).values()
    assert not [value for value in values if value in done.stdout + done.stderr]
    assert "PRIVATE KEY" not in done.stdout + done.stderr
