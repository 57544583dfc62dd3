"""Can the refusals fail? Each check is taken out of the source, one at a time, and something must then not be refused by name.

What is taken out: the condition of every ``if`` that raises, every check of a signature, the comparison of every
name that a record is bound to, and what an instance's event id is computed of.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.abc import InspectLoader
from pathlib import Path
from types import ModuleType

import pytest
from joserfc.errors import JoseError

from gpuaas.encryption import epoch, instance, jwe, jws, keys, member, strict, tenant
from gpuaas.encryption.refusal import Reason, RefusedError
from support import key_files, negatives, of_instances
from support.envelopes import BINDING, OTHERS, PLAINTEXT, Served, World

MODULES = (strict, keys, jws, jwe, member, epoch, instance, tenant)
WORLD = World()
CASES = negatives.cases(WORLD)


@dataclass(frozen=True)
class Mutant(InspectLoader):
    """``module`` with something taken out of its ``source``."""

    name: str
    module: ModuleType
    source: str

    def get_source(self, _fullname: str) -> str:
        return self.source


def _mutants(module: ModuleType) -> Iterator[Mutant]:
    source = inspect.getsource(module)
    for place in range(sum(1 for _node in ast.walk(ast.parse(source)))):
        tree = ast.parse(source)
        node = list(ast.walk(tree))[place]
        if isinstance(node, ast.If) and any(isinstance(each, ast.Raise) for each in node.body):
            taken = f"if {ast.unparse(node.test)}"
            # What the condition assigns is still assigned.
            node.test = ast.BoolOp(ast.And(), [node.test, ast.Constant(False)])
        elif isinstance(node, ast.Expr) and ast.unparse(node.value).startswith("jws.verify("):
            taken = ast.unparse(node.value)
            node.value = ast.Constant(None)
        else:
            continue
        yield Mutant(f"{module.__name__.rpartition('.')[2]}: {taken}", module, ast.unparse(tree))


def _not_compared(name: str) -> Mutant:
    """``tenant``, which does not compare ``name``."""
    source = inspect.getsource(tenant)
    changed = source.replace("if bound[name] != ", f"if name != {name!r} and bound[name] != ")
    assert changed != source
    return Mutant(f"tenant: {name} is not compared", tenant, changed)


def _not_of(what: str) -> Mutant:
    """``instance``, in which an event id says nothing about ``what``."""
    source = inspect.getsource(instance)
    changed = source.replace(f" + {what}", "")
    assert changed != source
    return Mutant(f"instance: {what} is not bound", instance, changed)


MUTANTS = [mutant for module in MODULES for mutant in _mutants(module)]
MUTANTS += [_not_compared(name) for name in OTHERS]
MUTANTS += [_not_of(what) for what in ("instance_id.bytes", 'name.encode("ascii")')]


@pytest.fixture
def _mutated(request: pytest.FixtureRequest) -> Iterator[None]:
    """The module as the mutant has it, and what others took from it, until the test ends."""
    mutant: Mutant = request.param
    kept = {module: dict(vars(module)) for module in MODULES}
    mutant.exec_module(mutant.module)
    for module in MODULES:
        for name, value in kept[module].items():
            if value is kept[mutant.module].get(name):
                setattr(module, name, getattr(mutant.module, name))
    yield
    for module in MODULES:
        vars(module).clear()
        vars(module).update(kept[module])


@pytest.mark.usefixtures("_mutated")
@pytest.mark.parametrize("_mutated", [pytest.param(each, id=each.name) for each in MUTANTS], indirect=True)
def test_a_check_that_is_taken_out_is_missed(tmp_path: Path) -> None:
    assert not _all_refused(tmp_path)


def test_with_all_of_them_everything_is_refused(tmp_path: Path) -> None:
    assert WORLD.served.opened() == PLAINTEXT
    assert _all_refused(tmp_path)


def test_there_are_mutants() -> None:
    """Of each signature, of what is bound, and of the rest."""
    names = {mutant.name for mutant in MUTANTS}
    assert len(names) == len(MUTANTS) > 50
    assert sum("jws.verify(" in name for name in names) == 2


def _all_refused(directory: Path) -> bool:
    return (
        all(_as(served) == reason for served, reason in CASES.values())
        and all(_of_instance(asked) for asked in of_instances.cases(WORLD).values())
        and _too_much_is_refused()
        and all(_file_is_refused(case, directory / str(at)) for at, case in enumerate(key_files.CASES.values()))
    )


def _as(served: Served) -> Reason | str | None:
    try:
        return served.refused()
    except (AttributeError, LookupError, TypeError, ValueError, RecursionError, JoseError) as error:
        return f"refused, but not by name: {error!r}"


def _of_instance(asked: of_instances.Asked) -> bool:
    """Sealed and asked for by the same source, so that an author who binds less is caught as well."""
    try:
        return asked.as_wanted(WORLD)
    except ValueError:
        return False  # Refused, but not by name.


def _too_much_is_refused() -> bool:
    try:
        tenant.seal(bytes(tenant.LONGEST_PLAINTEXT + 1), BINDING, WORLD.alice, WORLD.chain.current)
    except RefusedError as error:
        return error.reason is Reason.ENVELOPE_OVERSIZE
    return False


def _file_is_refused(case: key_files.Case, directory: Path) -> bool:
    directory.mkdir()
    return key_files.refused(case, directory) is case[1]
