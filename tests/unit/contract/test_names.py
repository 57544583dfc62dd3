# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine and the functions know no component by name: whoever brings one writes its folder and nothing else."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from ansible_collections.gpuaas.parity.plugins.module_utils._reasons import REASONS
from ansible_collections.gpuaas.parity.tests.unit.contract import reference
from ansible_collections.gpuaas.parity.tests.unit.contract.small_platform import REPOSITORY

# Words of other things too: an API is what a server has, the web is where it is, a journal what a machine keeps. Looked for where
# they name a component.
_COMMON = {"api", "web", "journal"}
_NAMING = r"\b(services|endpoints|components|deployment|statefulset|job)[./]{name}\b|(?<![\w-]){name}-[a-z]"
# What the images of components are called, where that is another word.
_IMAGES = {component.source.data.get("image", "") for component in reference.PLATFORM.components.values()}
NAMES = sorted((set(reference.PLATFORM.components) | _IMAGES) - _COMMON - {"", "base", "control-plane"})
# What speaks to one server by that server's own protocol says so in its name; its reasons do too, and so does who uses it.
_OF_ONE_SERVER = re.compile(r"(^|/)_?keycloak(_bootstrap)?(/|\.|$)")
_SAID_OF_IT = {"gpuaas.parity.keycloak_bootstrap", "_keycloak.bootstrap", "_keycloak.change"} | {
    text for name, reason in REASONS.items() if name.startswith("KEYCLOAK_") for text in (name, reason.means, reason.do)
}
# kubeadm's add-ons, which the cluster is made without.
_ADDONS = {"addon/coredns", "addon/kube-proxy"}
# A client scope of Keycloak's own.
_SCOPES = {"web-origins"}
_DOCUMENTATION = {"DOCUMENTATION", "EXAMPLES", "RETURN"}


def tracked(*folders: str) -> list[str]:
    listed = subprocess.run(["git", "ls-files", "--", *folders], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    return [name for name in listed.stdout.splitlines() if (REPOSITORY / name).is_file()]


def words(text: str) -> set[str]:
    """The words of a text and of names in it, with hyphens and without."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", text)
    return {part for word in re.findall(r"[A-Za-z0-9-]+", spaced.replace("_", " ")) for part in (word.lower(), *word.lower().split("-"))}


def of_python(path: Path) -> Iterator[tuple[int, str]]:
    """Every identifier and every text of the code, without its documentation."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    passed_over = set()
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
            and ast.get_docstring(node, clean=False) is not None
        ):
            passed_over.add(node.body[0].value)
        if isinstance(node, ast.Assign) and {target.id for target in node.targets if isinstance(target, ast.Name)} & _DOCUMENTATION:
            passed_over.add(node.value)
    for node in ast.walk(tree):
        if node in passed_over:
            continue
        match node:
            case ast.Constant(value=str() as text) | ast.Name(id=text) | ast.Attribute(attr=text) | ast.arg(arg=text):
                yield node.lineno, text
            case ast.FunctionDef(name=text) | ast.ClassDef(name=text) | ast.AsyncFunctionDef(name=text):
                yield node.lineno, text
            case ast.ImportFrom(module=str() as text):
                yield node.lineno, text.partition("module_utils.")[2] or text


def of_yaml(path: Path) -> Iterator[tuple[int, str]]:
    """Every key and value, without comments and descriptions."""

    def scalars(node: yaml.Node) -> Iterator[tuple[int, str]]:
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                if key.value not in ("description", "short_description", "galaxy_info"):
                    yield from scalars(key)
                    yield from scalars(value)
        elif isinstance(node, yaml.SequenceNode):
            for item in node.value:
                yield from scalars(item)
        else:
            yield node.start_mark.line + 1, str(node.value)

    for document in yaml.compose_all(path.read_text(encoding="utf-8")):
        if document is not None:
            yield from scalars(document)


def texts(name: str) -> Iterator[tuple[int, str]]:
    path = REPOSITORY / name
    if name.endswith(".py"):
        yield from of_python(path)
    elif name.endswith((".yml", ".yaml")):
        yield from of_yaml(path)
    elif not name.endswith(".md"):
        yield from enumerate(path.read_text(encoding="utf-8").splitlines(), 1)


@pytest.mark.parametrize("component", NAMES)
def test_no_component_is_known_by_name(component: str) -> None:
    found = [
        f"{name}:{line}: {text.strip()[:100]}"
        for name in tracked("plugins", "roles", "playbooks")
        if not (component == "keycloak" and _OF_ONE_SERVER.search(name.removeprefix("plugins/").partition("/")[2]))
        for line, text in texts(name)
        if component in words(text) and text not in _SAID_OF_IT | _ADDONS
    ]
    assert found == []


def test_what_to_type_names_no_component() -> None:
    assert {name for name, reason in REASONS.items() if re.search(r"COMPONENT=[a-z]", reason.do)} == set()


@pytest.mark.parametrize("component", sorted(_COMMON))
def test_a_common_word_names_no_component(component: str) -> None:
    naming = re.compile(_NAMING.format(name=component))
    found = [
        f"{name}:{line}: {text}"
        for name in tracked("plugins", "roles", "playbooks")
        for line, text in texts(name)
        if naming.search(text) and text not in _SCOPES
    ]
    assert found == []


def test_what_is_looked_for_is_what_there_is() -> None:
    assert {"postgres", "redis", "keycloak", "traefik", "coredns", "valkey"} <= set(NAMES)
