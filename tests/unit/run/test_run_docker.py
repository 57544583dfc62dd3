# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Docker command line: an engine that cannot be used is distinguished from a command that failed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._run.command import Completed
from ansible_collections.gpuaas.parity.plugins.module_utils._run.docker import Docker


def answering(stdout: str = "", stderr: str = "", rc: int = 0) -> Callable[..., Completed]:
    def runner(argv: Sequence[str], **_options: Any) -> Completed:
        return Completed(stdout, stderr, rc)

    return runner


@pytest.mark.parametrize(
    ("stderr", "reason"),
    [
        (
            "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?",
            "HOST_DOCKER_UNREACHABLE",
        ),
        ("error during connect: Get x: dial tcp: refused", "HOST_DOCKER_UNREACHABLE"),
        (
            "permission denied while trying to connect to the Docker daemon socket at unix:///x",
            "HOST_DOCKER_PERMISSION",
        ),
        ("Error response from daemon: conflict", "COMMAND_FAILED"),
    ],
)
def test_the_reason_of_a_failure(stderr: str, reason: str) -> None:
    with pytest.raises(ParityError) as caught:
        Docker(answering(stderr=stderr, rc=1)).call("ps")
    assert caught.value.reason == reason


def test_a_missing_program_is_missing_docker() -> None:
    with pytest.raises(ParityError) as caught:
        Docker(program="/nonexistent/docker").call("ps")
    assert caught.value.reason == "HOST_DOCKER_MISSING"


def test_objects_that_do_not_exist_are_left_out() -> None:
    docker = Docker(answering('[{"Id": "a"}]', "Error: No such container: b\n", 1))
    assert docker.objects("container", ["a", "b"]) == [{"Id": "a"}]


def test_another_failure_of_inspect_is_one() -> None:
    with pytest.raises(ParityError):
        Docker(answering("", "Error response from daemon: boom", 1)).objects("container", ["a"])


def test_a_failure_that_says_nothing_is_one() -> None:
    with pytest.raises(ParityError):
        Docker(answering("[]", "\n", 1)).objects("container", ["a"])


def test_another_failure_beside_what_does_not_exist_is_one() -> None:
    with pytest.raises(ParityError) as caught:
        Docker(answering("[]", "Error: No such container: b\nError response from daemon: boom\n", 1)).objects("container", ["a", "b"])
    assert "boom" in caught.value.seen


def test_nothing_is_asked_about_nothing() -> None:
    def runner(argv: Sequence[str], **_options: Any) -> Completed:
        raise AssertionError(argv)

    assert Docker(runner).objects("volume", []) == []
