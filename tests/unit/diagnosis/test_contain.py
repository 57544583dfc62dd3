# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What diagnoses a failure hides none, and an interrupt least of all."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.gpuaas.parity.plugins.module_utils._diagnosis import bundle
from ansible_collections.gpuaas.parity.plugins.module_utils._diagnosis.contain import Contained
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError


@pytest.mark.parametrize("interrupt", [KeyboardInterrupt, SystemExit])
def test_an_interrupt_passes_through(interrupt: type[BaseException]) -> None:
    with pytest.raises(interrupt), Contained():
        raise interrupt


def test_an_interrupt_ends_the_writing_of_a_bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(bundle, "_collect", interrupted)
    with pytest.raises(KeyboardInterrupt):
        bundle.write_bundle(bundle.Sources(tmp_path / "kind"), bundle.Failure("up", "INTERNAL", "x"))


def test_every_other_failure_becomes_a_text() -> None:
    with Contained() as outcome:
        raise ParityError("STATE_ABSENT", "nothing here")
    assert outcome.why == "STATE_ABSENT: nothing here"
    with Contained() as outcome:
        raise ValueError("odd")
    assert outcome.why == "ValueError: odd"
    with Contained() as outcome:
        pass
    assert outcome.why == ""
