# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""YAML without surprises: what is read is what is written, and every key stands once.

PyYAML's safe loader takes the last of two equal keys, reads ``on`` as true,
``1:30`` as 90 and a date as an object. Here scalars follow the core schema of
YAML 1.2 (section 10.3) for null, true, false, decimal integers and floats;
everything else is a string. Merge keys and application tags are refused, and
aliases too unless the reader allows them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._libraries import yaml

# ansible-test checks module_utils for Python 3.9, on which no module of this collection runs.
Path = tuple[str | int, ...]  # pylint: disable=unsupported-binary-operation

_TAG = "tag:yaml.org,2002:"
_SCALARS = {
    "null": re.compile(r"^(?:~|null|)$"),
    "bool": re.compile(r"^(?:true|false)$"),
    "int": re.compile(r"^[-+]?[0-9]+$"),
    "float": re.compile(r"^[-+]?(?:\.[0-9]+|[0-9]+\.[0-9]*)(?:[eE][-+]?[0-9]+)?$|^[-+]?[0-9]+[eE][-+]?[0-9]+$"),
}


# Section 5.4 of YAML 1.2 takes them for characters, libyaml for the end of a line, which it then folds into a space.
_DOUBTFUL = re.compile("[\u0085\u2028\u2029]")


class _Loader(yaml.CSafeLoader):
    """Composes nodes; the tag of a plain scalar comes from the table above and nothing else."""


_Loader.yaml_implicit_resolvers = {None: [(_TAG + name, pattern) for name, pattern in _SCALARS.items()]}


@dataclass
class YamlProblem(Exception):
    """What is wrong in a YAML text and where. ``kind`` is ``syntax``, ``duplicate`` or ``tag``.

    ``text`` may quote the document: it must not be shown for a file of secrets.
    """

    kind: str
    line: int
    path: Path
    text: str


@dataclass(frozen=True)
class Document:
    """Plain data, and the line (from 1) on which each of its keys stands."""

    data: Any
    lines: dict[Path, int]


def load(text: str) -> Document:
    """The one document in ``text``; an empty text is None. Raises YamlProblem."""
    documents = list(load_all(text))
    if len(documents) > 1:
        raise YamlProblem("syntax", documents[1].lines[()], (), "a second document")
    return documents[0] if documents else Document(None, {(): 1})


def load_all(text: str, *, aliases: bool = False) -> Iterator[Document]:
    """Every document in ``text``. Raises YamlProblem."""
    if found := _DOUBTFUL.search(text):
        line = text.count("\n", 0, found.start()) + 1
        seen = f"character U+{ord(found.group()):04X} ends a line in YAML 1.1 and not in YAML 1.2; write it as an escape, in double quotes"
        raise YamlProblem("syntax", line, (), seen)
    try:
        loader = _Loader(text)
        try:
            while loader.check_node():
                if (node := loader.get_node()) is not None:
                    yield _plain(node, aliases)
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise YamlProblem("syntax", mark.line + 1 if mark else 1, (), str(error.problem or error.context)) from None
    except yaml.YAMLError as error:
        raise YamlProblem("syntax", 1, (), str(error).splitlines()[0]) from None


def _plain(root: yaml.Node, aliases: bool) -> Document:
    lines: dict[Path, int] = {}
    # An alias is the very node that was anchored. What it stands for is kept, not
    # built again, so that aliases of aliases cost nothing.
    built: dict[int, Any] = {}
    open_nodes: set[int] = set()

    def convert(node: yaml.Node, path: Path) -> Any:
        line = node.start_mark.line + 1
        lines.setdefault(path, line)
        if id(node) in open_nodes:
            raise YamlProblem("tag", line, path, "an alias of what it stands in")
        if id(node) in built:
            if aliases:
                return built[id(node)]
            raise YamlProblem("tag", line, path, "an alias; write the value out")
        open_nodes.add(id(node))
        built[id(node)] = build(node, path, line)
        open_nodes.remove(id(node))
        return built[id(node)]

    def build(node: yaml.Node, path: Path, line: int) -> Any:
        if isinstance(node, yaml.ScalarNode):
            return _scalar(node, path)
        if isinstance(node, yaml.SequenceNode) and node.tag == _TAG + "seq":
            return [convert(item, (*path, index)) for index, item in enumerate(node.value)]
        if isinstance(node, yaml.MappingNode) and node.tag == _TAG + "map":
            result: dict[str, Any] = {}
            for key_node, value_node in node.value:
                key = _key(key_node, path)
                inner = (*path, key)
                at = key_node.start_mark.line + 1
                if key in result:
                    raise YamlProblem("duplicate", at, inner, f"also on line {lines[inner]}")
                lines[inner] = at
                result[key] = convert(value_node, inner)
            return result
        raise YamlProblem("tag", line, path, f"the tag {node.tag}")

    return Document(convert(root, ()), lines)


def _key(node: yaml.Node, path: Path) -> str:
    line = node.start_mark.line + 1
    if not isinstance(node, yaml.ScalarNode):
        raise YamlProblem("syntax", line, path, "a key that is not a scalar")
    if node.value == "<<" and not node.style:
        raise YamlProblem("tag", line, path, "a merge key; write the keys out")
    value = _scalar(node, path)
    # A key such as 8080 or true names something here; it is kept as it is written.
    return value if isinstance(value, str) else str(node.value)


def _scalar(node: yaml.ScalarNode, path: Path) -> Any:
    match node.tag.removeprefix(_TAG):
        case "str":
            return str(node.value)
        case "null" if _SCALARS["null"].match(node.value):
            return None
        case "bool" if _SCALARS["bool"].match(node.value):
            return node.value == "true"
        case "int" if _SCALARS["int"].match(node.value):
            return int(node.value)
        case "float" if _SCALARS["float"].match(node.value):
            return float(node.value)
        case _:
            raise YamlProblem("tag", node.start_mark.line + 1, path, f"the tag {node.tag}")
