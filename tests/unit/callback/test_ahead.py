"""What a later step needs is imported while an earlier one works, and never while the process forks."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from ansible_collections.gpuaas.parity.plugins import action
from ansible_collections.gpuaas.parity.plugins.plugin_utils import _ahead

# In a process of its own: what happens at a fork cannot be taken back.
SCRIPT = """
import os, sys, threading
from ansible_collections.gpuaas.parity.plugins.plugin_utils import _ahead

def fork():
    child = os.fork()
    if not child:
        os._exit(0)
    os.waitpid(child, 0)

_ahead._ACTIONS = ""
_ahead._LATER = {"first": ("broken", "slow")}
_ahead._ALSO = {}
go, seen = threading.Event(), []
# Of what is registered for the moment before a fork, the first comes last.
os.register_at_fork(before=lambda: seen.append(hasattr(sys.modules.get("slow"), "complete")))
ahead = _ahead.Ahead()
ahead.during("gpuaas.parity.first")
fork()
ahead.during("gpuaas.parity.second")
# The import goes on when the second fork begins, and only if that lets another thread run.
os.register_at_fork(before=go.set)
sys.setswitchinterval(60)
fork()
print(*seen)
"""


def test_a_fork_has_what_was_imported_during_the_one_before(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("raise RuntimeError('told by the step that needs it')\n")
    (tmp_path / "slow.py").write_text("import __main__\n__main__.go.wait()\ncomplete = True\n")
    found = [str(tmp_path), *(path for path in sys.path if path)]
    # Python warns of any fork of a process with threads; Ansible's always has one.
    argv = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", f"import sys\nsys.path[:0] = {found!r}\n{SCRIPT}"]
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "True"]
    assert done.stderr == ""


def test_every_step_that_is_named_exists() -> None:
    there = {path.stem for path in Path(str(action.__path__[0])).glob("*.py")}
    later = {step for steps in _ahead._LATER.values() for step in steps}
    assert later | set(_ahead._ALSO) <= there
    assert set(_ahead._LATER) - {"docker_compose_v2"} <= there
