"""Both actions through Ansible itself: arguments, check mode, diff, reasons, no value shown."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import yaml
from ansible_collections.gpuaas.parity.tests.unit.secrets.made_up_state import CONTRACT

PLAYBOOK = """
- hosts: localhost
  gather_facts: false
  vars:
    common: &common
      contract: "{{ root }}/contract.json"
      state_dir: "{{ root }}/state"
  tasks:
    - gpuaas.parity.local_secrets: {<<: *common}
      register: without
      ignore_errors: true
    - gpuaas.parity.local_secrets: {<<: *common, tier: production}
      register: unknown
      ignore_errors: true
    - assert:
        that:
          - without is failed and 'tier' in without.msg
          - unknown is failed and 'local, ci, staging' in unknown.msg
    - gpuaas.parity.local_secrets: {<<: *common, tier: ci}
      register: seedless
      failed_when: seedless.reason != 'SEED_MISSING'
    - gpuaas.parity.local_secrets: {<<: *common, tier: staging}
      register: incomplete
      failed_when: incomplete.reason != 'SECRETS_INCOMPLETE' or incomplete.details.names | length != 3
    - gpuaas.parity.local_secrets: {<<: *common, tier: local}

    - gpuaas.parity.secret_rotate: &rotate {<<: *common, tier: local, name: db_password}
      check_mode: true
      diff: true
      register: dry
    - gpuaas.parity.secret_rotate: *rotate
      diff: true
      register: done
    - assert:
        that:
          - dry is changed and dry.replaced and dry.diff == done.diff
          - done is changed and done.replaced and done.readers == ['api', 'db']
          - "done.diff.before == 'db_password: (current)\\n' and done.diff.after == 'db_password: (new)\\n'"
          - done.files | map('basename') | list == ['database', 'password']
    - gpuaas.parity.local_secrets: {<<: *common, tier: local, cluster_exists: true}
      register: after
      failed_when: after is changed
    - gpuaas.parity.secret_rotate: {<<: *common, tier: local, name: ""}
      register: nameless
      failed_when: nameless.reason != 'SECRET_UNKNOWN' or 'cookie_key' not in nameless.seen
"""


def test_actions(tmp_path: Path) -> None:
    (tmp_path / "contract.json").write_text(json.dumps(CONTRACT))
    playbook = tmp_path / "play.yml"
    playbook.write_text(PLAYBOOK)
    extra = json.dumps({"root": str(tmp_path)})
    program = Path(sys.executable).with_name("ansible-playbook")
    command = [str(program), "-i", "localhost,", "-c", "local", "-vvv", "-e", extra, str(playbook)]
    environment = {**os.environ, "ANSIBLE_LOCALHOST_WARNING": "false", "ANSIBLE_STDOUT_CALLBACK": "default"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path, env=environment, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "db_password is replaced; it is read by api, db" in done.stdout
    told = yaml.safe_load((tmp_path / "state/secrets/secrets.yml").read_text()).values()
    replaced = yaml.safe_load((tmp_path / "state/secrets/previous.yml").read_text())["db_password"]
    assert not [value for value in (*told, *replaced) if value in done.stdout + done.stderr]
