"""Programs in pods: kubectl is started with the proved cluster's kubeconfig, and not before the cluster is proved."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._kind import in_pod as module
from ansible_collections.gpuaas.parity.plugins.module_utils._kind.in_pod import InPod
from ansible_collections.gpuaas.parity.plugins.module_utils._run.command import Completed


def test_the_cluster_is_proved_once_and_what_was_proved_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    proved: list[tuple[Path, Path]] = []
    asked: list[tuple[Sequence[str], dict[str, Any]]] = []

    @contextmanager
    def own_cluster(state_dir: Path, kubeconfig: Path) -> Iterator[Path]:
        proved.append((state_dir, kubeconfig))
        yield Path("/pinned")
        proved.clear()

    def run(argv: Sequence[str], **options: Any) -> Completed:
        asked.append((argv, options))
        return Completed("", "", 3)

    monkeypatch.setattr(module, "own_cluster", own_cluster)
    with InPod(Path("/bin/kubectl"), tmp_path, tmp_path / "kubeconfig", run) as in_pod:
        assert proved == []
        assert [in_pod("ns", f"pod-{n}", "main", ["sh", "-c", "exit 3"], 5).rc for n in (1, 2)] == [3, 3]
        assert proved == [(tmp_path, tmp_path / "kubeconfig")]
    assert proved == []
    argv, options = asked[1]
    assert argv[:3] == ["/bin/kubectl", "--kubeconfig=/pinned", f"--cache-dir={tmp_path}/kubectl-cache"]
    assert argv[3:] == ["exec", "--namespace=ns", "--container=main", "pod-2", "--", "sh", "-c", "exit 3"]
    assert (options["timeout"], options["check"]) == (5, False)
    assert "KUBECONFIG" not in options["env"]


def test_nothing_is_started_where_the_cluster_is_not_the_runs_own(tmp_path: Path) -> None:
    def run(argv: Sequence[str], **_: Any) -> Completed:
        raise AssertionError(argv)

    in_pod = InPod(Path("kubectl"), tmp_path, tmp_path / "kubeconfig", run)
    with pytest.raises(ParityError, match="CONTRACT_NOT_RENDERED"):
        in_pod("ns", "pod", "main", ["true"], 5)
