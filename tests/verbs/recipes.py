"""Recipes of the runbook, as a user copies them."""

from __future__ import annotations

import re
import subprocess

from ansible_collections.gpuaas.parity.tests.verbs.run import environment
from ansible_collections.gpuaas.parity.tests.verbs.stream import ROOT

_BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def recipe(words: str) -> str:
    """The one block of the runbook that has these words."""
    (found,) = [block for block in _BLOCK.findall((ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")) if words in block]
    return str(found)


def typed(script: str, said: str = "") -> str:
    """What a script prints, run from the checkout, with ``said`` as its input."""
    done = subprocess.run(["sh", "-euc", script], cwd=ROOT, env=environment(), input=said, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout
