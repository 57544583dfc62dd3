"""Run one target of the Makefile as a machine would, and hold what it answers against what is documented.

    .venv/bin/python tests/verbs/run.py kind-parity-up [NAME=value ...]

Ends with the target's exit status, or with a traceback when its standard output is not what the runbook says.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.gpuaas.parity.tests.verbs.stream import ROOT, Event, events

# Whoever runs the tests has settings of these programs; a target has its own.
_FOREIGN = ("ANSIBLE_", "MAKE", "MFLAGS", "MOLECULE_", "PARITY_")
# Targets that answer a question print one document, all others their events.
_ANSWERS = (
    "-status",
    "-drift",
    "-diff",
    "-doctor",
    "-list",
    "-cache",
    "-undo",
    "-deadletters",
    "-rebuild",
    "-trace",
    "-verify",
    "-restore",
)


@dataclass(frozen=True)
class Answer:
    """What a target wrote to standard output."""

    ok: bool
    document: Any
    events: list[Event] = field(default_factory=list)
    text: str = field(default="", repr=False)

    @property
    def verdict(self) -> Event:
        """The last event."""
        return self.events[-1]


def environment() -> dict[str, str]:
    """The shell's environment without what is set for other programs."""
    return {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}


def command(target: str, **variables: str) -> list[str]:
    """The command that a user would type, for JSON."""
    return ["make", "--no-print-directory", target, "OUTPUT=json", *(f"{name}={value}" for name, value in variables.items())]


def run(target: str, **variables: str) -> Answer:
    """Run ``make target``; ``AssertionError`` when exit status and answer do not agree."""
    done = subprocess.run(command(target, **variables), cwd=ROOT, env=environment(), capture_output=True, text=True, check=False)
    ok = done.returncode == 0
    assert done.stdout, done.stderr
    if target.endswith(_ANSWERS):
        answer = Answer(ok, json.loads(done.stdout), text=done.stderr)
    else:
        found = events(done.stdout)
        answer = Answer(ok, found[-1].get("document"), found, done.stderr)
        assert answer.verdict["event"] == "verdict", answer.verdict
        assert answer.verdict["ok"] is ok, (done.returncode, answer.verdict, done.stderr)
        assert [event["event"] for event in found].count("verdict") == 1
    return answer


def main(target: str, *variables: str) -> int:
    """What is typed at a shell."""
    answer = run(target, **dict(variable.split("=", 1) for variable in variables))
    print(answer.text)
    return 0 if answer.ok else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
