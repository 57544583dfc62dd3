"""What lies on disk is private, and secrets lie nowhere but among the secrets."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from .running import Running


def files_below(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]


def test_the_state_directory_is_private(running: Running) -> None:
    directory = running.host.file(str(running.state_dir))
    assert directory.is_directory
    assert directory.mode == 0o700


def test_secrets_keys_and_kubeconfig_are_private(running: Running) -> None:
    private = [
        *files_below(running.state_dir / "secrets"),
        *running.state_dir.glob("tls/**/*.key"),
        running.state_dir / "kubeconfig",
    ]
    assert len(private) > len(running.contract["endpoints"])
    assert {path: oct(stat.S_IMODE(path.stat().st_mode)) for path in private} == dict.fromkeys(private, "0o600")


def test_folders_of_secrets_are_private(running: Running) -> None:
    secrets = running.state_dir / "secrets"
    folders = [secrets, *(path for path in secrets.rglob("*") if path.is_dir())]
    assert {path: oct(stat.S_IMODE(path.stat().st_mode)) for path in folders} == dict.fromkeys(folders, "0o700")


def test_every_secret_of_the_contract_has_a_value(running: Running) -> None:
    assert set(running.secret_forms) == set(running.contract["secrets"])
    assert not [name for name, found in running.secret_forms.items() if not found]


def test_a_leak_would_be_seen(running: Running) -> None:
    for name, found in running.secret_forms.items():
        for form in found:
            assert name in running.leaks(f"before {form} after")


@pytest.mark.parametrize("folder", ["rendered", "images", "logs", "reports", "kubectl-cache"])
def test_no_secret_is_in_what_a_run_writes(running: Running, folder: str) -> None:
    leaks = {path: running.leaks(path.read_bytes().decode(errors="replace")) for path in files_below(running.state_dir / folder)}
    assert not {path: names for path, names in leaks.items() if names}


def test_no_secret_is_in_the_checkout(running: Running) -> None:
    tracked = running.host.check_output("git -C %s ls-files -z --cached --others --exclude-standard", str(Path(__file__).parents[2]))
    paths = [Path(__file__).parents[2] / name for name in tracked.split("\0") if name]
    leaks = {path: running.leaks(path.read_bytes().decode(errors="replace")) for path in paths if path.is_file()}
    assert not {path: names for path, names in leaks.items() if names}


def test_the_users_own_kubeconfig_does_not_know_the_cluster(running: Running) -> None:
    config = running.host.file(str(Path.home() / ".kube" / "config"))
    assert not config.exists or running.node.removesuffix("-control-plane") not in config.content_string
