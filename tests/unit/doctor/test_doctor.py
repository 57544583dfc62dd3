# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The doctor names what would stop which mode, blames no mode for another's trouble, and changes nothing."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.gpuaas.parity.plugins.module_utils._doctor.screen import screen
from ansible_collections.gpuaas.parity.plugins.module_utils._run.state import hold
from ansible_collections.gpuaas.parity.plugins.module_utils._tls.keep import keep as keep_tls
from ansible_collections.gpuaas.parity.tests.unit.doctor.conftest import MODES, NOW, ROOT, Site
from ansible_collections.gpuaas.parity.tests.unit.host.conftest import GIB

LOCAL = ("compose", "kind")
PROJECT = "label=com.docker.compose.project=gpuaas-local"
CLUSTER = "label=io.x-k8s.kind.cluster=gpuaas-parity"


def tree(root: Path) -> dict[str, tuple[int, bytes]]:
    """Every file with its mode and bytes, and every folder."""
    return {
        str(path.relative_to(root)): (path.lstat().st_mode, path.read_bytes() if path.is_file() else b"")
        for path in sorted(root.rglob("*"))
    }


def test_a_fresh_checkout_on_a_machine_that_is_well_is_ready_for_all(site: Site) -> None:
    before = tree(site.root)
    found = site.examine()
    assert [(mode, one.findings) for mode, one in found.items()] == [(mode, []) for mode in MODES]
    assert tree(site.root) == before


def test_after_runs_it_is_as_ready_and_nothing_is_changed(site: Site) -> None:
    for mode in LOCAL:
        site.render(mode)
    before = tree(site.root)
    assert site.reasons() == {}
    assert tree(site.root) == before


# the checkout


def test_an_environment_that_is_not_the_locked_one_stops_every_mode(site: Site) -> None:
    site.versions["httpx"] = "0.1"
    found = site.examine()
    assert all([each.reason for each in one.findings] == ["REQUIREMENTS_OUTDATED"] for one in found.values())
    assert found["kind"].findings[0].seen.startswith("httpx is 0.1, locked is ")


def test_an_entry_of_the_lock_that_is_for_another_python_is_passed_over(site: Site) -> None:
    with (site.root / "requirements" / "runtime.txt").open("a") as lock:
        lock.write("other==1.0 ; python_full_version < '3' \\\n    --hash=sha256:00\n")
    assert site.reasons() == {}


def test_a_broken_contract_stops_every_mode_and_a_broken_mode_file_its_own(site: Site) -> None:
    file = site.root / "platform" / "modes" / "vm-105.yml"
    file.write_text(file.read_text() + "mode: vm-105\n")
    assert site.reasons() == {"vm-105": ["CONTRACT_DUPLICATE_KEY"]}
    (site.root / "platform" / "modes" / "kind.yml").unlink()
    assert site.reasons()["kind"] == ["CONTRACT_UNKNOWN_MODE"]
    (site.root / "platform" / "platform.yml").unlink()
    assert site.reasons() == {mode: ["PLATFORM_MISSING"] for mode in MODES}


@pytest.mark.parametrize("mode", LOCAL)
def test_a_rendered_file_that_was_edited_by_hand_is_named(site: Site, mode: str) -> None:
    state_dir, _contract = site.render(mode)
    file = state_dir / "rendered" / "realm.json"
    file.write_text(file.read_text() + " ")
    found = site.examine()
    assert site.reasons() == {mode: ["RENDERED_EDITED"]}
    assert "realm.json" in found[mode].findings[0].seen


# the modes' own folders


def test_a_run_at_work_is_named(site: Site) -> None:
    state_dir, _contract = site.render("kind")
    hold(state_dir, pid=os.getpid(), verb="up", create=False, check_mode=False)
    found = site.examine()
    assert site.reasons() == {"kind": ["RUN_IN_PROGRESS"]}
    assert str(os.getpid()) in found["kind"].findings[0].seen


def test_a_folder_that_is_not_ours_is_named(site: Site) -> None:
    folder = site.place.state_dir("vm-105")
    folder.mkdir(parents=True)
    (folder / "thesis.txt").write_text("x")
    assert site.reasons() == {"vm-105": ["STATE_DIR_UNSAFE"]}


@pytest.mark.parametrize("mode", LOCAL)
def test_secrets_are_judged_by_name(site: Site, mode: str) -> None:
    state_dir, _contract = site.render(mode)
    secrets = state_dir / "secrets" / "secrets.yml"
    whole = secrets.read_text()
    value = whole.split("redis_password: ")[1].splitlines()[0].strip('"')
    secrets.chmod(0o644)
    assert site.reasons() == {mode: ["SECRETS_PERMISSIONS"]}
    secrets.chmod(0o600)
    secrets.write_text(whole.replace(value, value[:3]))
    found = site.examine()
    assert site.reasons() == {mode: ["SECRETS_INVALID"]}
    assert "redis_password" in found[mode].findings[0].seen
    assert value[:3] not in "\n".join(screen(list(found.values()), 80)).replace("redis_password", "")
    secrets.unlink()
    (state_dir / {"kind": "cluster.json", "compose": "machine.yml"}[mode]).write_text("{}")
    assert "SECRETS_MISSING" in site.reasons()[mode]


def test_a_seed_that_only_a_run_is_given_is_not_asked_for(site: Site) -> None:
    state_dir, _contract = site.render("kind")
    (state_dir / "secrets-tier").write_text("ci\n")
    assert site.reasons() == {}
    next((state_dir / "secrets" / "files").rglob("*_password")).chmod(0o644)
    assert site.reasons() == {"kind": ["SECRETS_PERMISSIONS"]}


def test_a_ca_key_that_is_gone_is_named(site: Site) -> None:
    state_dir, _contract = site.render("compose")
    (state_dir / "tls" / "ca.key").unlink()
    assert site.reasons() == {"compose": ["CA_CORRUPT"]}


def test_a_certificate_that_ends_soon_is_noted_with_what_up_does(site: Site) -> None:
    state_dir, contract = site.render("kind")
    assert not [note for note in site.examine("kind")["kind"].notes if "certificate" in note]
    keep_tls(contract, state_dir, NOW - timedelta(days=77), dry=False)
    found = site.examine("kind")["kind"]
    assert found.findings == []
    assert "certificate web: it expires soon; up issues it again" in found.notes


# the machine


def test_a_port_that_is_taken_stops_the_mode_that_wants_it(site: Site) -> None:
    site.machine.ps = "nginx\t\trunning\t127.0.0.1:8443->443/tcp\n"
    assert site.reasons() == {"kind": ["HOST_PORT_IN_USE"]}
    site.machine.ps = "db\t\trunning\t127.0.0.1:15432->5432/tcp\nproxy\t\trunning\t0.0.0.0:9443->443/tcp\n"
    assert site.reasons() == {"compose": ["HOST_PORT_IN_USE", "HOST_PORT_IN_USE"]}


def test_the_modes_do_not_stand_in_each_others_way(site: Site) -> None:
    site.machine.ps = "node\tgpuaas-parity\trunning\t127.0.0.1:8443->8443/tcp\n"
    assert site.reasons() == {}


def test_without_an_engine_both_local_modes_stop_and_the_shared_ones_do_not(site: Site) -> None:
    site.machine.docker = False
    assert site.reasons() == {"compose": ["HOST_DOCKER_MISSING", "HOST_COMPOSE_MISSING"], "kind": ["HOST_DOCKER_MISSING"]}


def test_too_little_room_and_limits(site: Site) -> None:
    site.machine.free = 1 * GIB
    site.machine.uid = 1000
    site.machine.write("/proc/sys/fs/inotify/max_user_instances", "128\n")
    assert site.reasons() == {"compose": ["HOST_DISK"], "kind": ["HOST_DISK", "HOST_INOTIFY"]}


def test_what_up_puts_right_by_itself_stops_nothing(site: Site) -> None:
    site.machine.write("/etc/os-release", 'ID=debian\nVERSION_ID="13"\n')
    site.machine.programs.pop("mmdebstrap")
    site.machine.write("/proc/sys/fs/inotify/max_user_instances", "128\n")
    found = site.examine()
    assert site.reasons() == {}
    assert any("up installs mmdebstrap first" in note for note in found["compose"].notes)
    assert any("up raises the limits first" in note for note in found["kind"].notes)


def test_compose_needs_its_plugin(site: Site) -> None:
    assert site.machine.info is not None
    site.machine.info["ClientInfo"]["Plugins"].pop()
    assert site.reasons() == {"compose": ["HOST_COMPOSE_MISSING"]}


# what runs


def container(state_dir: str, *ports: int, status: str = "running", restart: str = "unless-stopped") -> dict[str, Any]:
    return {
        "Id": f"c{state_dir}{status}",
        "Created": "2026-11-22",
        "Config": {"Labels": {"gpuaas.parity/state-dir": state_dir} if state_dir else {}},
        "State": {"Status": status},
        "HostConfig": {
            "RestartPolicy": {"Name": restart},
            "PortBindings": {"443/tcp": [{"HostIp": "127.0.0.1", "HostPort": str(port)} for port in ports]},
        },
    }


def test_our_own_project_holds_its_ports_and_its_memory(site: Site) -> None:
    ours = str(site.place.state_dir("compose"))
    # A job that has ended is not missing, as in the status.
    site.machine.containers[PROJECT] = [container(ours, 9443), container(ours, status="exited", restart="no")]
    site.machine.ps = "gpuaas-local-traefik-1\tgpuaas-local\trunning\t127.0.0.1:9443->443/tcp\n"
    site.machine.write("/proc/meminfo", "MemAvailable: 1024 kB\n")
    found = site.examine("compose")
    assert found["compose"].findings == []
    assert found["compose"].notes == ["1 of 1 containers of the project gpuaas-local run"]


@pytest.mark.parametrize("exists", [True, False])
def test_a_project_of_another_checkout_or_of_this_one_before_it_moved(site: Site, tmp_path: Path, exists: bool) -> None:
    other = tmp_path / "before" / ".parity" / "compose"
    if exists:
        other.mkdir(parents=True)
    site.machine.containers[PROJECT] = [container(str(other), 9443)]
    found = site.examine("compose")["compose"].findings
    assert [each.reason for each in found] == ["PROJECT_NOT_OURS"]
    assert str(other) in found[0].seen
    assert ("moved" in found[0].seen) != exists
    assert ("{down} in" in found[0].do) == exists


def test_a_project_that_says_of_nobody(site: Site) -> None:
    site.machine.containers[PROJECT] = [container("")]
    assert site.reasons("compose") == {"compose": ["PROJECT_NOT_OURS"]}


def node() -> dict[str, Any]:
    return {
        "Id": "n1",
        "Name": "/gpuaas-parity-control-plane",
        "State": {"Status": "running"},
        "Image": "sha256:1",
        "Config": {"Image": "node", "Labels": {}},
        "HostConfig": {"PortBindings": {}},
        "NetworkSettings": {"Networks": {"gpuaas-parity": {"NetworkID": "net1"}}},
    }


def test_a_cluster_of_somebody_else_and_one_whose_record_is_broken(site: Site) -> None:
    site.machine.containers[CLUSTER] = [node()]
    assert site.reasons() == {"kind": ["CLUSTER_NOT_OURS"]}
    state_dir, _contract = site.render("kind")
    labels = {"gpuaas.parity/state-dir": str(state_dir), "gpuaas.parity/owner": "us"}
    site.machine.networks = [{"Id": "net1", "Name": "gpuaas-parity", "Labels": labels}]
    (state_dir / "cluster.json").write_text("{")
    damaged = site.examine("kind")["kind"]
    assert damaged.findings == []
    assert "the record of the cluster gpuaas-parity is damaged; up writes it again from the cluster" in damaged.notes
    record = {"name": "gpuaas-parity", "owner": "us", "phase": "creating", "containers": []}
    (state_dir / "cluster.json").write_text(json.dumps(record))
    found = site.examine("kind")["kind"]
    assert found.findings == []
    assert found.notes == ["the cluster gpuaas-parity is half-made; up makes it again"]


def test_a_kubeconfig_that_was_put_there_is_named(site: Site, tmp_path: Path) -> None:
    state_dir, _contract = site.render("kind")
    (state_dir / "kubeconfig").symlink_to(tmp_path / "shared")
    assert site.reasons() == {"kind": ["KUBECONFIG_FOREIGN"]}


# the screen


def test_the_screen_says_once_what_several_modes_share(site: Site) -> None:
    site.machine.free = 1 * GIB
    site.machine.ps = "nginx\t\trunning\t127.0.0.1:8443->443/tcp\n"
    found = site.examine()
    lines = screen(list(found.values()), 79)
    assert lines[:4] == [
        "compose           stopped   HOST_DISK",
        "kind              stopped   HOST_DISK, HOST_PORT_IN_USE",
        "vm-105            ready     make parity-render MODE=vm-105",
        "platform_control  ready     make parity-render MODE=platform_control",
    ]
    text = "\n".join(lines)
    assert text.count("HOST_DISK: ") == 1
    assert "\ncompose, kind\n  HOST_DISK: " in text and "\nkind\n  HOST_PORT_IN_USE: port 8443" in text
    assert "    -> docker system prune" in lines
    assert max(map(len, lines)) < 80


def test_the_screen_names_the_targets_of_the_mode(site: Site) -> None:
    state_dir, _contract = site.render("compose")
    (state_dir / "secrets" / "secrets.yml").write_text("- x\n")
    text = "\n".join(screen(list(site.examine().values()), 79))
    told = text.split("\n\n", 1)[1]
    assert "make local-dev-" in told and "make kind-parity-" not in told


# through Ansible


def doctor(state_root: Path, *options: str) -> tuple[int, str]:
    command = [Path(sys.executable).with_name("ansible-playbook"), ROOT / "playbooks/doctor.yml", "-i", ROOT / "inventories/kind"]
    environment = {**os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "HOME": str(state_root)}
    given = ["-e", f"parity_state_root={state_root}", *options]
    done = subprocess.run([*command, *given], capture_output=True, text=True, env=environment, cwd=state_root, check=False)
    return done.returncode, done.stdout


def test_the_playbook_reports_and_only_a_verdict_that_was_asked_for_fails(tmp_path: Path) -> None:
    folder = tmp_path / "vm-105"
    folder.mkdir()
    (folder / "thesis.txt").write_text("x")
    status, shown = doctor(tmp_path, "-e", "parity_output=json")
    assert status == 0
    found = json.loads(shown)
    assert [each["reason"] for each in found["vm-105"]["findings"]] == ["STATE_DIR_UNSAFE"]
    assert found["platform_control"] == {"ready": True, "findings": [], "notes": []}
    status, shown = doctor(tmp_path, "-e", "parity_doctor_mode=vm-105")
    assert status != 0
    assert "vm-105  stopped   STATE_DIR_UNSAFE" in shown and "kind" not in shown.split("->")[0]
    shutil.rmtree(folder)
    status, shown = doctor(tmp_path, "-e", "parity_doctor_mode=vm-105")
    assert status == 0 and "vm-105  ready" in shown
