"""The one entry through which every action plugin of the collection runs.

All work of the collection happens on the controller: it is the machine the
platform runs on. A module that is shipped to a target and started there costs
half a second a run; an action plugin costs a fork, and it alone can show
progress while it works.
"""

from __future__ import annotations

import abc
import importlib
import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible_collections.gpuaas.parity.plugins.module_utils import _libraries, _yaml
from ansible_collections.gpuaas.parity.plugins.module_utils._advice import advice
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError


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


def _demand_libraries() -> None:
    if lacking := _libraries.missing():
        locked = Path(__file__).parents[2] / "requirements" / "runtime.txt"
        do = f"{sys.executable} -m pip install --require-hashes --requirement {locked}"
        raise ParityError("REQUIREMENTS_MISSING", f"{sys.executable} lacks {', '.join(lacking)}", do)


class ParityAction(ActionBase, metaclass=abc.ABCMeta):
    """Base of all action plugins: validated arguments in, a result or a reason out.

    A subclass names its module's ``DOCUMENTATION`` and implements ``perform``.
    """

    _supports_check_mode = True
    _supports_async = False
    DOCUMENTATION: str
    _target = ""

    @abc.abstractmethod
    def perform(self, params: dict[str, Any]) -> dict[str, Any]:
        """Do the work; return the module result. Raise ParityError to fail."""

    @property
    def check_mode(self) -> bool:
        return bool(self._task.check_mode)

    @property
    def diff_mode(self) -> bool:
        return bool(self._task.diff)

    @property
    def show(self) -> Callable[..., None]:
        """Print a line on the user's terminal while the work goes on."""
        return Display().display

    @property
    def live(self) -> Callable[[str], None] | None:
        """Write on the user's terminal without ending the line; None where there is no terminal."""
        # The callback, which owns the terminal, says whether there is one; a worker cannot see it.
        if os.environ.get("PARITY_TTY") != "1":
            return None
        return lambda text: Display().display(text, newline=False, screen_only=True)

    def advise(self, text: str, reason: str = "") -> str:
        """``text``, of a failure for ``reason``, with what to type in the mode of this run."""
        return advice(text, self._target, reason)

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result = super().run(tmp, task_vars)
        del tmp
        # The inventory says what the run is for; it is there also when nothing has been rendered yet.
        self._target = str(self._templar.template((task_vars or {}).get("parity_target") or ""))
        spec = argument_spec(self.DOCUMENTATION)
        try:
            _validation, params = self.validate_argument_spec(argument_spec=spec)
        except AnsibleActionFail as error:
            result.update(self._failure(ParityError("ARGUMENT_INVALID", error.message)))
            return result
        try:
            _demand_libraries()
            result.update(self.perform(plain(params)))
        except ParityError as error:
            result.update(self._failure(error))
        except AnsibleActionFail:
            raise
        except Exception as error:
            defect = ParityError("INTERNAL", f"{type(error).__name__}: {error}")
            result.update(self._failure(defect), exception=traceback.format_exc())
        return result

    def _failure(self, error: ParityError) -> dict[str, Any]:
        msg, seen, do = (self.advise(text, error.reason) for text in (str(error), error.seen, error.do))
        return {"failed": True, "msg": msg, "reason": error.reason, "seen": seen, "do": do, "details": error.details}
