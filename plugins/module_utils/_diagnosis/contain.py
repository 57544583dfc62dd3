# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Turn any failure of a block into a text: what diagnoses a failure must not become one."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError


class Contained:
    """``with Contained() as outcome:`` never raises an ``Exception``; ``outcome.why`` says what went wrong, if anything.

    An interrupt passes through.
    """

    why = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> bool:
        if isinstance(error, ParityError):
            self.why = f"{error.reason}: {error.seen}"
        elif isinstance(error, Exception):
            self.why = f"{type(error).__name__}: {error}"
        return isinstance(error, Exception)
