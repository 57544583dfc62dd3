"""Every container is as hardened as a pod, and reveals no secret to whoever inspects it."""

from __future__ import annotations

import json

import pytest

from .running import Running

# What the one container may do that hands files to their owners.
ALLOWED = {"secrets": {"CHOWN", "DAC_OVERRIDE", "SETGID", "SETUID"}}


def test_every_container_is_hardened(running: Running) -> None:
    for service, container in running.containers.items():
        host = container["HostConfig"]
        assert host["ReadonlyRootfs"], service
        assert host["CapDrop"] == ["ALL"], service
        added = {name.removeprefix("CAP_") for name in host["CapAdd"] or []}
        assert added == ALLOWED.get(service, set()), service
        assert "no-new-privileges:true" in host["SecurityOpt"], service
        assert not host["Privileged"], service
        assert host["Memory"] > 0, service
        assert container["Config"]["User"].split(":")[0] != "0" or service == "secrets", service


def test_what_stays_running_has_a_health_check(running: Running) -> None:
    for service, container in running.containers.items():
        if container["HostConfig"]["RestartPolicy"]["Name"] != "no":
            assert container["State"]["Health"]["Status"] == "healthy", service
        else:
            assert container["State"]["Status"] == "exited", service
            assert container["State"]["ExitCode"] == 0, service


def test_no_secret_can_be_inspected(running: Running) -> None:
    shown = json.dumps(running.containers)
    values = [file.read_text(encoding="utf-8").strip() for file in (running.state_dir / "secrets" / "files").rglob("*") if file.is_file()]
    assert values
    # Not the values themselves: a failure would print them.
    assert sum(value in shown for value in values) == 0


def test_who_hands_out_the_files_keeps_no_power(running: Running) -> None:
    status = dict(line.split(":", 1) for line in running.inside("secrets", "cat", "/proc/1/status").splitlines())
    assert status["Uid"].split() == ["65534"] * 4
    assert int(status["CapEff"], 16) == 0
    assert status["NoNewPrivs"].strip() == "1"


@pytest.mark.parametrize("service", ["api", "web", "keycloak", "postgres", "redis"])
def test_a_service_has_its_own_secrets_and_no_others(running: Running, service: str) -> None:
    found = running.inside(service, "ls", "/run/secrets/gpuaas").split()
    assert sorted(found) == sorted(running.contract["services"][service]["secrets"])
    modes = set(running.inside(service, "sh", "-c", "stat -c '%a %u' /run/secrets/gpuaas/*").splitlines())
    uid = running.containers[service]["Config"]["User"].split(":")[0]
    assert modes == {f"400 {uid}"}
