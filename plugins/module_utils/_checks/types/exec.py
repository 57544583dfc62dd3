# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A component's own probe: a program that runs where the component runs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.inside import check_timeout, run_inside, said
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.model import HERE, Context, Observation, failed, passed


@dataclass(frozen=True)
class Exec:
    """``command`` ends with 0 in the component's own container, and ``expect``, a regular expression, is in what it prints.

    It is started again for every look, as the container's user and with its environment, without a shell unless the
    command names one, and given ``timeout`` seconds. A secret is never an argument of it: it reads the mounted file. What
    it printed is shown only when it fails: the end of it, with every secret masked. ``container`` is another container
    of the component's pod, or another service of the project.
    """

    targets: ClassVar[frozenset[str]] = HERE
    component: str
    command: list[str]
    expect: str = ""
    timeout: float = 10.0
    container: str = ""

    def __post_init__(self) -> None:
        if not self.command or not all(self.command):
            raise ValueError("command is empty, or has an empty part")
        check_timeout(self.timeout)
        try:
            re.compile(self.expect)
        except re.error as error:
            raise ValueError(f"expect is no regular expression: {error}") from error

    def run(self, context: Context) -> Observation:
        where, done = run_inside(context, self.component, self.command, self.timeout, self.container)
        what, advice = f"{self.command[0]} in {where}", f"{{logs}} COMPONENT={self.component}"
        if done.rc != 0:
            return failed("EXEC_FAILED", f"{what} ended with {done.rc}: {said(context, done)}", advice=advice)
        if not re.search(self.expect, done.stdout):
            return failed("EXEC_FAILED", f"{what} did not print {self.expect!r}: {said(context, done)}", advice=advice)
        return passed(f"{what}: as expected")
