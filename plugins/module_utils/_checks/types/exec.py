# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A component's own probe: a program that runs where the component runs."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import ClassVar

from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.inside import check_timeout, is_up, run_inside, said
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.model import HERE, Context, Observation, failed, passed


@dataclass(frozen=True)
class Exec:
    """``command`` ends with 0 in the component's own container, and ``expect``, a regular expression, is in what it prints.

    It is started again for every look, as the container's user and with its environment, without a shell unless the
    command names one, and given ``timeout`` seconds. A secret is never an argument of it: it reads the mounted file. What
    it printed is shown only when it fails: the end of it, with every secret masked. ``container`` is another container
    of the component's pod, or another service of the project.

    ``heal`` is started there where ``command`` did not hold and the run may heal, as `up` may; then ``command`` is started
    again. It changes nothing that is right, since it is started as often as the check looks. With it nothing is started
    before the component is ready.
    """

    targets: ClassVar[frozenset[str]] = HERE
    component: str
    command: list[str]
    expect: str = ""
    timeout: float = 20.0
    container: str = ""
    heal: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        if not self.command or not all(self.command) or not all(self.heal):
            raise ValueError("command is empty, or it or heal has an empty part")
        check_timeout(self.timeout)
        try:
            re.compile(self.expect)
        except re.error as error:
            raise ValueError(f"expect is no regular expression: {error}") from error

    def run(self, context: Context) -> Observation:
        if not self.heal or not context.heals:
            return self._look(context)
        if not is_up(context, self.component):
            return failed("EXEC_FAILED", f"{self.component} is not ready")
        found = self._look(context)
        if found.ok:
            return found
        run_inside(context, self.component, self.heal, self.timeout, self.container)
        return self._look(context)

    def _look(self, context: Context) -> Observation:
        where, done = run_inside(context, self.component, self.command, self.timeout, self.container)
        what, advice = f"{self.command[0]} in {where}", f"{{logs}} COMPONENT={self.component}"
        if done.rc != 0:
            return failed("EXEC_FAILED", f"{what} ended with {done.rc}: {said(context, done)}", advice=advice)
        if not re.search(self.expect, done.stdout):
            return failed("EXEC_FAILED", f"{what} did not print {self.expect!r}: {said(context, done)}", advice=advice)
        return passed(f"{what}: as expected")
