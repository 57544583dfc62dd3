"""The one entry through which every action plugin of the collection runs.

All work of the collection happens on the controller: it is the machine the
platform runs on. A module that is shipped to a target and started there costs
half a second a run; an action plugin costs a fork, and it alone can show
progress while it works.
"""

from __future__ import annotations

import abc
import importlib
import traceback
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from ansible.errors import AnsibleActionFail, AnsibleError
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible_collections.gpuaas.parity.plugins.module_utils import _libraries, _yaml
from ansible_collections.gpuaas.parity.plugins.module_utils._advice import Commands
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._run.events import channel
from ansible_collections.gpuaas.parity.plugins.module_utils._run.events.emitter import Emitter
from ansible_collections.gpuaas.parity.plugins.module_utils._run.events.model import Emit
from ansible_collections.gpuaas.parity.plugins.module_utils._run.events.screen import Screen
from ansible_collections.gpuaas.parity.plugins.module_utils._run.files import own_path
from ansible_collections.gpuaas.parity.plugins.module_utils._run.lock import RunLock
from ansible_collections.gpuaas.parity.plugins.module_utils._run.os_error import explained
from ansible_collections.gpuaas.parity.plugins.module_utils._run.process import run_pid


def argument_spec(documentation: str) -> dict[str, Any]:
    """The argument spec that a module's DOCUMENTATION and its fragments state, so that it is written once."""

    def convert(options: dict[str, Any]) -> dict[str, Any]:
        spec: dict[str, Any] = {}
        for name, option in options.items():
            entry = {k: v for k, v in option.items() if k in ("type", "required", "default", "choices", "elements", "no_log")}
            if "suboptions" in option:
                entry["options"] = convert(option["suboptions"])
            spec[name] = entry
        return spec

    return convert(_options(documentation))


def _options(documentation: str) -> dict[str, Any]:
    """The options of a module: those of the fragments that it extends, and over them its own."""
    document = _yaml.load(documentation)
    options: dict[str, Any] = {}
    for name in document.get("extends_documentation_fragment", []):
        file, _dot, variant = name.removeprefix("gpuaas.parity.").partition(".")
        fragment = importlib.import_module(f"ansible_collections.gpuaas.parity.plugins.doc_fragments.{file}").ModuleDocFragment
        options |= _yaml.load(getattr(fragment, variant.upper() or "DOCUMENTATION")).get("options", {})
    for name, option in document.get("options", {}).items():
        options[name] = {**options.get(name, {}), **option}
    return options


def plain(value: Any) -> Any:
    """``value`` without Ansible's data tags, which YAML and JSON writers outside of Ansible refuse."""
    if isinstance(value, dict):
        return {plain(key): plain(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(entry) for entry in value]
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return int.__int__(value)
    if isinstance(value, float):
        return float.__float__(value)
    return value


def _shown() -> Emit:
    """Events as lines of text, through whichever callback there is."""
    emitter = Emitter()
    emitter.readers = [Screen(lambda text, tone="": Display().display(text))]
    return emitter


class ParityAction(ActionBase, metaclass=abc.ABCMeta):
    """Base of all action plugins: validated arguments in, a result or a reason out.

    A subclass names its module's ``DOCUMENTATION`` and implements ``perform``. What it must return
    also when it fails it keeps in ``_found``, which starts as ``_nothing_found``.
    """

    _supports_check_mode = True
    _supports_async = False
    DOCUMENTATION: str
    _commands = Commands()
    _nothing_found: Mapping[str, Any] = {}
    _found: dict[str, Any]

    @abc.abstractmethod
    def perform(self, params: dict[str, Any]) -> dict[str, Any]:
        """Do the work; return the module result. Raise ParityError to fail."""

    @property
    def check_mode(self) -> bool:
        return bool(self._task.check_mode)

    @property
    def diff_mode(self) -> bool:
        return bool(self._task.diff)

    @cached_property
    def emit(self) -> Emit:
        """Takes the events of this step to its run while the work goes on; with a callback that is not ours, to the screen."""
        return channel.sender() or _shown()

    def advise(self, text: str) -> str:
        """``text`` with what to type in the mode of this run."""
        return self._commands.fill(text)

    def advise_all(self, value: Any) -> Any:
        """Plain data with what to type in the mode of this run, in every text of it."""
        if isinstance(value, dict):
            return {key: self.advise_all(entry) for key, entry in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.advise_all(entry) for entry in value]
        return self.advise(value) if isinstance(value, str) else value

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        self._found = dict(self._nothing_found)
        result = super().run(tmp, task_vars)
        del tmp
        self._commands = self._commands_of(task_vars or {})
        result.update(self._attempt())
        return {**self._found, **result}

    def _attempt(self) -> dict[str, Any]:
        """What ``perform`` returns, or how it failed."""
        try:
            _validation, params = self.validate_argument_spec(argument_spec=argument_spec(self.DOCUMENTATION))
        except AnsibleActionFail as error:
            return self._failure(ParityError("ARGUMENT_INVALID", error.message))
        try:
            _libraries.demand()
            return self._perform(plain(params))
        except ParityError as error:
            return self._failure(error)
        except AnsibleActionFail:
            raise
        except OSError as error:
            problem = explained(error)
            return self._failure(problem) if problem else self._defect(error)
        except Exception as error:
            return self._defect(error)

    def _perform(self, params: dict[str, Any]) -> dict[str, Any]:
        """``perform``, while the state directory is marked where the run holds its lock."""
        if not params.get("state_dir"):
            return self.perform(params)
        with RunLock(own_path(params["state_dir"])).working(run_pid()):
            return self.perform(params)

    def _defect(self, error: Exception) -> dict[str, Any]:
        defect = ParityError("INTERNAL", f"{type(error).__name__}: {error}")
        return {**self._failure(defect), "exception": "".join(traceback.format_exception(error))}

    def _commands_of(self, variables: dict[str, Any]) -> Commands:
        """What to type in this run, as far as its variables tell: they may be what is wrong."""
        try:
            found = [self._templar.template(variables.get(name) or "") for name in ("parity_target", "instance", "platform")]
        except AnsibleError:
            return Commands()
        return Commands(*map(str, found))

    def _failure(self, error: ParityError) -> dict[str, Any]:
        msg, seen, do = (self.advise(text) for text in (str(error), error.seen, error.do))
        return {"failed": True, "msg": msg, "reason": error.reason, "seen": seen, "do": do, "details": self.advise_all(error.details)}
