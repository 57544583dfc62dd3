# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A calm account of a run: what changed, what took long, what failed and what to type next."""

from __future__ import annotations

DOCUMENTATION = r"""
name: progress
type: stdout
short_description: A calm account of a run
version_added: 0.1.0
author: gpuaas.parity contributors (@gpuaas)
description:
  - Shows a line for each task that changed something, failed, or took at least a second, and nothing for the others.
  - A failure of this collection is shown as its reason id, what was seen and what to type next, not as a data dump.
  - On a terminal the running task is shown on one live line. Elsewhere a line stands only for what has happened.
  - With C(-v) each task's result is shown as well.
  - Lines that a result holds under C(_parity_lines) are printed as they are.
  - When the extra variable C(parity_output) is V(json), only such lines go to the standard output, all others to the
    standard error.
extends_documentation_fragment:
  - result_format_callback
options:
  log_path:
    description:
      - File that every event is appended to, with its time and result. None when it is not set.
      - It is written as soon as its directory exists, which a run may make itself.
    type: path
    env:
      - name: PARITY_LOG
    ini:
      - section: callback_progress
        key: log_path
"""

import datetime
import os
import sys
import time
from collections.abc import Mapping
from typing import Any, TextIO

import yaml
from ansible import constants as C
from ansible.errors import AnsibleError
from ansible.plugins.callback import CallbackBase
from ansible.plugins.loader import filter_loader, test_loader
from ansible_collections.gpuaas.parity.plugins.module_utils._reports.words import compact, failure_text

# What showing a result of an unexpected shape can end in.
_ODD = (AnsibleError, AttributeError, KeyError, RecursionError, TypeError, ValueError, yaml.YAMLError)
_CLEAR = "\r\x1b[2K"
_LONG = 1.0  # seconds from which on a task that changed nothing is worth a line
_KEPT_LINES = 2000  # of the log, while its directory does not exist
# Said to the actions, which run in workers that have no terminal of their own.
_TTY = "PARITY_TTY"


def _is_terminal(stream: TextIO) -> bool:
    try:
        return stream.isatty()
    except (AttributeError, ValueError, OSError):
        return False


def task_name(task: Any) -> str:
    """A task's name, after the short name of its role and without the names of the files it is in."""
    name = " ".join(str(task.get_name()).split())
    role, separator, rest = name.partition(" : ")
    told = (rest if separator else name).rpartition(" | ")[2]
    return f"{role.rpartition('.')[2]}: {told}" if separator else told


# They do nothing themselves; the tasks that they choose are the steps.
_CHOICES = ("include_tasks", "ansible.builtin.include_tasks")

# A role that changes the machine says so with these.
_SPOKEN = ("debug", "ansible.builtin.debug")


class CallbackModule(CallbackBase):
    """Turns the events of a run into lines, and into a log."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "gpuaas.parity.progress"

    def __init__(self, display: Any = None, options: dict[str, Any] | None = None) -> None:
        super().__init__(display=display, options=options)
        self._began = time.monotonic()
        self._task_began = self._began
        self._steps = self._changes = 0
        self._reason = ""
        self._check_mode = False
        self._machine = False
        self._live = _is_terminal(sys.stdout)
        self._log: TextIO | None = None
        self._unwritten: list[str] = []
        os.environ[_TTY] = "1" if self._live else "0"
        if not self._live and hasattr(sys.stdout, "reconfigure"):
            # A line is a sign of life only when it arrives.
            sys.stdout.reconfigure(line_buffering=True)

    # -- output ------------------------------------------------------------

    def _say(self, text: str, color: str | None = None) -> None:
        self._clear()
        self._display.display(text, color=color, stderr=self._machine)

    def _clear(self) -> None:
        if self._live:
            self._display.display(_CLEAR, newline=False, screen_only=True)

    def _record(self, text: str) -> None:
        stamp = datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")
        self._unwritten.append(f"{stamp} {text}\n")
        del self._unwritten[:-_KEPT_LINES]
        try:
            path = self.get_option("log_path")
            if not path:
                return
            if self._log is None:
                handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
                self._log = os.fdopen(handle, "a", encoding="utf-8", errors="replace")
            self._log.writelines(self._unwritten)
            self._log.flush()
            self._unwritten.clear()
        except (KeyError, OSError):
            # The directory does not exist yet, or no longer; the run matters more than its log.
            return

    def _dump(self, result: Any) -> str:
        try:
            return self._dump_results(result)
        except _ODD as error:
            return f"(a result that cannot be shown: {type(error).__name__})"

    # -- one result --------------------------------------------------------

    def _report(self, result: Any, status: str, color: str | None, always: bool) -> dict[str, Any]:
        found = getattr(result, "result", None)
        data: dict[str, Any] = dict(found) if isinstance(found, Mapping) else {}
        try:
            self._handle_warnings(dict(data))
        except _ODD as error:
            self._record(f"warnings could not be shown: {type(error).__name__}: {error}")
        seconds = time.monotonic() - self._task_began
        name = task_name(result.task)
        host = "" if str(result.host) == "localhost" else f"[{result.host}] "
        lines = data.pop("_parity_lines", None)
        self._record(f"{status:<8} {host}{name} {seconds:.1f}s {compact(data)}")
        if always or seconds >= _LONG or self._display.verbosity > 0:
            self._say(f"  {status:<8} {host}{name}  {seconds:.1f} s", color)
        if getattr(result.task, "action", "") in _SPOKEN and isinstance(data.get("msg"), str):
            self._say(f"  {data['msg']}")
        if isinstance(lines, (list, tuple)):
            self._clear()
            for line in lines:
                self._display.display(str(line))
        if self._display.verbosity > 0:
            self._say(self._dump(data))
        return data

    def _failed(self, result: Any, status: str = "failed") -> None:
        data = self._report(result, status, C.COLOR_ERROR, always=True)
        self._reason = self._reason or str(data.get("reason") or "")
        text = failure_text(data)
        self._say("\n".join(f"    {line}".rstrip() for line in text.splitlines()), C.COLOR_ERROR)

    # -- events ------------------------------------------------------------

    def v2_playbook_on_start(self, playbook: Any) -> None:
        # Ansible reads all of these when a template uses the first: here once, and not in every fork.
        filter_loader.get("default")
        test_loader.get("defined")
        self._record(f"playbook {getattr(playbook, '_file_name', '')}")

    def v2_playbook_on_play_start(self, play: Any) -> None:
        manager = play.get_variable_manager()
        extra = getattr(manager, "extra_vars", None) or {}
        self._machine = str(extra.get("parity_output", "")) == "json"
        if self._machine:
            self._live = False
            os.environ[_TTY] = "0"
        name = str(play.get_name()).strip()
        self._record(f"play {name}")
        if getattr(play, "check_mode", False) and not self._check_mode:
            self._check_mode = True
            self._say("check mode: nothing is changed", C.COLOR_CHANGED)
        self._say(name)

    def v2_playbook_on_task_start(self, task: Any, is_conditional: bool) -> None:
        self._task_began = time.monotonic()
        self._record(f"task {task_name(task)}")
        if self._live:
            # The cursor goes back, so that a warning overwrites the line instead of following it.
            width = max(20, int(self._display.columns) - 4)
            self._display.display(f"{_CLEAR}  {task_name(task)[:width]}\r", newline=False, screen_only=True)

    def v2_playbook_on_handler_task_start(self, task: Any) -> None:
        self.v2_playbook_on_task_start(task, False)

    def v2_runner_on_ok(self, result: Any) -> None:
        if getattr(result.task, "action", "") in _CHOICES:
            return
        self._steps += 1
        changed = bool(result.is_changed())
        self._changes += changed
        status = ("would change" if self._check_mode else "changed") if changed else "ok"
        self._report(result, status, C.COLOR_CHANGED if changed else C.COLOR_OK, always=changed)

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        self._steps += 1
        if ignore_errors:
            self._report(result, "ignored", C.COLOR_WARN, always=True)
        else:
            self._failed(result)

    def v2_runner_on_unreachable(self, result: Any) -> None:
        self._steps += 1
        self._failed(result, "unreachable")

    def v2_runner_on_skipped(self, result: Any) -> None:
        self._record(f"skipped  {task_name(result.task)}")

    def v2_runner_item_on_failed(self, result: Any) -> None:
        self._failed(result)

    def v2_on_file_diff(self, result: Any) -> None:
        data = getattr(result, "result", None)
        items = data.get("results") if isinstance(data, Mapping) and result.task.loop else [data]
        for item in items or []:
            if isinstance(item, Mapping) and item.get("diff") and item.get("changed"):
                text = self._get_diff(item["diff"])
                if text:
                    self._say(text.rstrip("\n"))

    def v2_playbook_on_no_hosts_matched(self) -> None:
        self._say("no host matches: is an inventory given, such as -i inventories/kind?", C.COLOR_ERROR)

    def v2_playbook_on_stats(self, stats: Any) -> None:
        failed = any(
            summary.get("failures") or summary.get("unreachable") for summary in (stats.summarize(host) for host in stats.processed)
        )
        changes = f"{self._changes} would change" if self._check_mode else f"{self._changes} changed"
        seconds = time.monotonic() - self._began
        steps = "1 step" if self._steps == 1 else f"{self._steps} steps"
        reason = f": {self._reason}" if failed and self._reason else ""
        line = f"{'failed' if failed else 'ok'} in {seconds:.1f} s ({steps}, {changes}){reason}"
        self._record(line)
        self._say(line, C.COLOR_ERROR if failed else C.COLOR_OK)
        if self._log is not None:
            self._log.close()
            self._log = None
