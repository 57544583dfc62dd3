# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The stream of a run's events, and what is shown of it."""

from __future__ import annotations

DOCUMENTATION = r"""
name: progress
type: stdout
short_description: A calm account of a run
version_added: 0.1.0
author: gpuaas.parity contributors (@gpuaas)
description:
  - Makes an event of every step, joins the events that the steps themselves emit, appends all of them to C(events.jsonl)
    in the directory of a run that has one, and shows them.
  - As text, it shows a line for each step that changed something, failed, or took at least a second, and nothing for the
    others. On a terminal one live line says what is being worked on; elsewhere a line does when more of it is there, and
    at least every 30 seconds.
  - A failure of this collection is shown as its reason id, what was seen and what to type next, not as a data dump.
  - With C(-v) each step's result is shown as well.
  - When the variable C(parity_output) is V(json), the standard output has JSON only, and the text goes to the standard
    error. It is one event on each line, the verdict last. The playbooks C(status), C(drift), C(diff), C(doctor) and C(list),
    which answer a question, print their answer as one document instead.
extends_documentation_fragment:
  - result_format_callback
"""

import atexit
import json
import os
import shutil
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TextIO

import yaml
from ansible import constants as C
from ansible.errors import AnsibleError
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.callback import CallbackBase
from ansible.template import Templar
from ansible_collections.gpuaas.parity.plugins.module_utils._reasons import REASONS
from ansible_collections.gpuaas.parity.plugins.module_utils._reports.words import failure_text
from ansible_collections.gpuaas.parity.plugins.module_utils._run.events import channel
from ansible_collections.gpuaas.parity.plugins.module_utils._run.events.emitter import Emitter, Record
from ansible_collections.gpuaas.parity.plugins.module_utils._run.events.journal import Journal
from ansible_collections.gpuaas.parity.plugins.module_utils._run.events.json_line import json_line
from ansible_collections.gpuaas.parity.plugins.module_utils._run.events.model import Note, Run, Step, Verdict
from ansible_collections.gpuaas.parity.plugins.module_utils._run.events.screen import Screen

# What showing a result of an unexpected shape can end in.
_ODD = (AnsibleError, AttributeError, KeyError, RecursionError, TypeError, ValueError, yaml.YAMLError)
# They do nothing themselves; the tasks that they choose are the steps.
_CHOICES = ("include_tasks", "ansible.builtin.include_tasks")
# A role that changes the machine says so with these.
_SPOKEN = ("debug", "ansible.builtin.debug")
# Playbooks that answer a question: for a machine, the answer is all that they print.
_ANSWERS = ("status", "drift", "diff", "doctor", "list", "command", "clean_cache", "host_undo")
_COLOURS = {"": None, "ok": C.COLOR_OK, "changed": C.COLOR_CHANGED, "warning": C.COLOR_WARN, "error": C.COLOR_ERROR}
_EVERY = 1.0  # seconds between two looks at what works


def _is_terminal(stream: TextIO) -> bool:
    """Whether a line of it can be drawn again."""
    try:
        return stream.isatty() and os.environ.get("TERM") != "dumb"
    except (AttributeError, ValueError, OSError):
        return False


def step_name(task: Any) -> str:
    """A task's name, after the short name of its role and without the names of the files it is in."""
    name = " ".join(str(task.get_name()).split())
    role, separator, rest = name.partition(" : ")
    told = (rest if separator else name).rpartition(" | ")[2]
    return f"{role.rpartition('.')[2]}: {told}" if separator else told


class CallbackModule(CallbackBase):
    """Turns what Ansible tells into events, and gives those of the whole run to who reads them."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "gpuaas.parity.progress"

    def __init__(self, display: Any = None, options: dict[str, Any] | None = None, monotonic: Callable[[], float] = time.monotonic) -> None:
        super().__init__(display=display, options=options)
        self._monotonic = monotonic
        self._began = self._step_began = monotonic()
        self._steps = self._changes = 0
        self._first_failure: Step | None = None
        self._answer: Any = None
        self._check_mode = self._machine = self._ended = False
        self._emit = Emitter(monotonic=monotonic)
        self._journal = Journal()
        self._screen = Screen(self._write, None, monotonic=monotonic)
        # Steps send their events from processes of their own; a thread takes them in, and says that a run still works.
        self._channel = channel.connect()
        self._lock = threading.RLock()
        if not _is_terminal(sys.stdout) and hasattr(sys.stdout, "reconfigure"):
            # A line is a sign of life only when it arrives.
            sys.stdout.reconfigure(line_buffering=True)

    # -- output ------------------------------------------------------------

    def _print(self, text: str, **how: Any) -> None:
        try:
            self._display.display(text, **how)
        except BrokenPipeError:
            # Who read it has seen enough, as `head` has. The work goes on.
            os.dup2(os.open(os.devnull, os.O_WRONLY), (sys.stderr if how.get("stderr") else sys.stdout).fileno())

    def _write(self, text: str, tone: str = "") -> None:
        self._print(text, color=_COLOURS.get(tone, tone), stderr=self._machine)

    def _live(self, text: str) -> None:
        self._print(text, newline=False, screen_only=True)

    def _write_json(self, record: Record) -> None:
        self._print(json_line(record))

    def _dump(self, result: Any) -> str:
        try:
            return str(self._dump_results(result))
        except _ODD as error:
            return f"(a result that cannot be shown: {type(error).__name__})"

    # -- the stream --------------------------------------------------------

    def _pump(self) -> None:
        while not self._ended:
            self._channel.wait(_EVERY)
            with self._lock:
                if not self._ended:
                    self._take_in()
                    self._emit.tick()
                    self._screen.tick()

    def _take_in(self) -> None:
        for event in self._channel.drain():
            self._emit.take(event)

    def _keep(self, record: Record) -> None:
        try:
            self._journal(record)
        except OSError as error:
            self._give_up_journal(error)

    def _give_up_journal(self, error: OSError) -> None:
        self._journal.close()
        self._display.warning(f"events.jsonl is not written any more, the run goes on: {error}")

    # -- one result --------------------------------------------------------

    def _end_step(self, result: Any, status: str, **more: Any) -> None:
        self._take_in()
        found = getattr(result, "result", None)
        data: dict[str, Any] = dict(found) if isinstance(found, Mapping) else {}
        try:
            self._handle_warnings(dict(data))
        except _ODD as error:
            self._display.warning(f"warnings could not be shown: {type(error).__name__}: {error}")
        if isinstance(data.get("_parity_run_dir"), str):
            try:
                self._journal.begin(Path(data["_parity_run_dir"]))
            except OSError as error:
                self._give_up_journal(error)
        host = None if str(result.host) == "localhost" else str(result.host)
        seconds = round(self._monotonic() - self._step_began, 1)
        step = Step(step_name(result.task), status, seconds, bool(data.get("changed")), host, **more)
        self._emit(step)
        if status in ("failed", "unreachable"):
            self._first_failure = self._first_failure or step
        if getattr(result.task, "action", "") in _SPOKEN and isinstance(data.get("msg"), str):
            self._emit(Note(data["msg"]))
        answer = data.pop("_parity_answer", None)
        if isinstance(answer, Mapping):
            self._show_answer(answer)
        if self._display.verbosity > 0:
            self._screen.say(self._dump(data))

    def _show_answer(self, answer: Mapping[str, Any]) -> None:
        self._answer = answer.get("document")
        if not self._machine:
            for text in answer.get("lines") or ():
                self._screen.say(str(text))

    def _failed(self, result: Any, status: str = "failed") -> None:
        self._steps += 1
        found = getattr(result, "result", None)
        data: Mapping[str, Any] = found if isinstance(found, Mapping) else {}
        if data.get("reason") in REASONS:
            why = {name: str(data.get(name) or "") for name in ("reason", "seen", "do")}
        else:
            why = {"seen": failure_text(data)}
        self._end_step(result, status, **why)

    # -- what Ansible tells --------------------------------------------------

    def v2_playbook_on_start(self, playbook: Any) -> None:
        self._emit.verb = Path(str(getattr(playbook, "_file_name", ""))).stem
        atexit.register(self._end, ok=False)
        threading.Thread(target=self._pump, name="events", daemon=True).start()

    def v2_playbook_on_play_start(self, play: Any) -> None:
        with self._lock:
            first = not self._emit.readers
            if first:
                self._begin(play)
            check_mode = bool(getattr(play, "check_mode", False))
            if check_mode and not self._check_mode:
                self._check_mode = True
                self._screen.say("check mode: nothing is changed", "changed")
            self._emit(Run(str(play.get_name()).strip(), check_mode))

    def _begin(self, play: Any) -> None:
        """Learn from the first play what the run is, and who reads its events."""
        settings = _settings(play)
        self._emit.mode = settings["parity_mode"]
        self._machine = settings["parity_output"] == "json"
        live = _is_terminal(sys.stdout) and not self._machine
        self._screen = Screen(
            self._write,
            self._live if live else None,
            width=lambda: shutil.get_terminal_size().columns,
            everything=self._display.verbosity > 0,
            monotonic=self._monotonic,
        )
        self._emit.readers = [self._keep, self._screen]
        if self._machine and self._emit.verb not in _ANSWERS:
            self._emit.readers.append(self._write_json)

    def v2_playbook_on_task_start(self, task: Any, is_conditional: bool) -> None:
        if getattr(task, "action", "") in _CHOICES:
            return
        with self._lock:
            self._take_in()
            self._step_began = self._monotonic()
            self._emit(Step(step_name(task), "started"))

    def v2_playbook_on_handler_task_start(self, task: Any) -> None:
        self.v2_playbook_on_task_start(task, False)

    def v2_runner_on_ok(self, result: Any) -> None:
        if getattr(result.task, "action", "") in _CHOICES:
            return
        with self._lock:
            self._steps += 1
            changed = bool(result.is_changed())
            self._changes += changed
            self._end_step(result, ("would-change" if self._check_mode else "changed") if changed else "ok")

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        with self._lock:
            if ignore_errors:
                self._steps += 1
                self._end_step(result, "ignored")
            else:
                self._failed(result)

    def v2_runner_on_unreachable(self, result: Any) -> None:
        with self._lock:
            self._failed(result, "unreachable")

    def v2_runner_on_skipped(self, result: Any) -> None:
        if getattr(result.task, "action", "") not in _CHOICES:
            with self._lock:
                self._end_step(result, "skipped")

    def v2_runner_item_on_failed(self, result: Any) -> None:
        found = getattr(result, "result", None)
        with self._lock:
            self._emit(Note(failure_text(found if isinstance(found, Mapping) else {})))

    def v2_on_file_diff(self, result: Any) -> None:
        data = getattr(result, "result", None)
        items = data.get("results") if isinstance(data, Mapping) and result.task.loop else [data]
        for item in items or []:
            if isinstance(item, Mapping) and item.get("diff") and item.get("changed"):
                text = self._get_diff(item["diff"])
                if text:
                    with self._lock:
                        self._screen.say(text.rstrip("\n"))

    def v2_playbook_on_no_hosts_matched(self) -> None:
        with self._lock:
            self._screen.say("no host matches: is an inventory given, such as -i inventories/kind?", "error")

    def v2_playbook_on_stats(self, stats: Any) -> None:
        summaries = [stats.summarize(host) for host in stats.processed]
        self._end(ok=not any(summary.get("failures") or summary.get("unreachable") for summary in summaries))

    def _end(self, ok: bool) -> None:
        """Give the verdict, once: when Ansible has counted, or when the process ends without that."""
        with self._lock:
            if self._ended:
                return
            self._take_in()
            self._ended = True
            self._emit(self._verdict(ok))
            self._screen.close()
            self._journal.close()
            if self._machine and self._emit.verb in _ANSWERS:
                self._print(json.dumps(self._why() if self._answer is None else self._answer, indent=2, default=str))

    def _verdict(self, ok: bool) -> Verdict:
        seconds = round(self._monotonic() - self._began, 1)
        why = {} if ok else self._why()
        return Verdict(ok, self._steps, self._changes, seconds, self._check_mode, **why, document=self._answer or None)

    def _why(self) -> dict[str, str]:
        """Why the run failed: what its first step that failed said, or that no step did."""
        first = self._first_failure
        if first is None:
            return {"reason": "RUN_INTERRUPTED", "seen": "the run ended before its last step", "do": REASONS["RUN_INTERRUPTED"].do}
        return {name: value for name in ("reason", "seen", "do") if (value := getattr(first, name))}


def _settings(play: Any) -> Mapping[str, str]:
    """Mode and output of the play's first host. Where there is none, those of the command line."""
    manager = play.get_variable_manager()
    inventory = getattr(manager, "_inventory", None)
    hosts = inventory.get_hosts(play.hosts) if inventory else []
    found: Mapping[str, Any] = manager.get_vars(play=play, host=hosts[0]) if hosts else manager.extra_vars
    templar = Templar(DataLoader(), dict(found))
    return {name: str(templar.template(found.get(name)) or "") for name in ("parity_mode", "parity_output")}
