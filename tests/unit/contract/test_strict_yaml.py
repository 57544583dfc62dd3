"""Strict YAML: what is read is what is written."""

from __future__ import annotations

import pytest
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.strict_yaml import YamlProblem, load, load_all


def test_scalars_of_the_core_schema() -> None:
    text = "{a: 1, b: -2, c: true, d: null, e: 1.5, f: '1', g: on, h: 1:30, i: 2026-01-01, j: 0x10, k: ~, l: yes, m: }"
    data = load(text).data
    assert data == {
        "a": 1,
        "b": -2,
        "c": True,
        "d": None,
        "e": 1.5,
        "f": "1",
        "g": "on",
        "h": "1:30",
        "i": "2026-01-01",
        "j": "0x10",
        "k": None,
        "l": "yes",
        "m": None,
    }


def test_keys_are_text_as_written() -> None:
    assert load("{8080: a, true: b}").data == {"8080": "a", "true": "b"}


def test_lines_of_keys_and_items() -> None:
    document = load("a:\n  b: 1\nc:\n  - x\n  - y\n")
    assert document.lines[("a", "b")] == 2
    assert document.lines[("c", 1)] == 5


def test_empty_text_is_null() -> None:
    assert load("# nothing\n").data is None


def test_duplicate_key_says_where() -> None:
    with pytest.raises(YamlProblem) as caught:
        load("a:\n  b: 1\n  c: 2\n  b: 3\n")
    assert (caught.value.kind, caught.value.path, caught.value.line) == ("duplicate", ("a", "b"), 4)
    assert "line 2" in caught.value.text


@pytest.mark.parametrize(
    "text",
    [
        "a: !!python/object/apply:os.system [id]",
        "a: !custom x",
        "a: !!binary aGk=",
        "a: !!set {x}",
        "a: !!int x",
        "a: &x 1\nb: *x",
        "a: {<<: {b: 1}}",
    ],
)
def test_tags_aliases_and_merges_are_refused(text: str) -> None:
    with pytest.raises(YamlProblem) as caught:
        load(text)
    assert caught.value.kind == "tag"


@pytest.mark.parametrize("text", ["a: [1", "a: b: c", "\tx: 1", "? [a]\n: b", "a: 1\n---\nb: 2", "a: \x01"])
def test_broken_text_is_refused(text: str) -> None:
    with pytest.raises(YamlProblem) as caught:
        load(text)
    assert caught.value.kind == "syntax"


@pytest.mark.parametrize("character", ["\u0085", "\u2028", "\u2029"])
def test_what_two_versions_of_yaml_read_differently_is_refused(character: str) -> None:
    with pytest.raises(YamlProblem, match=f"U\\+{ord(character):04X}") as caught:
        load(f"a: 1\nb: 'x{character}y'\n")
    assert (caught.value.kind, caught.value.line) == ("syntax", 2)
    assert load('b: "x\\N\\L\\Py"').data == {"b": "x\u0085\u2028\u2029y"}


def test_aliases_where_allowed() -> None:
    (document,) = load_all("a: &x {b: 1}\nc: *x\n", aliases=True)
    assert document.data == {"a": {"b": 1}, "c": {"b": 1}}


def test_alias_of_itself_is_refused() -> None:
    with pytest.raises(YamlProblem):
        list(load_all("a: &x [*x]\n", aliases=True))


def test_aliases_of_aliases_cost_nothing() -> None:
    levels = ["l0: &l0 [x, x, x, x, x, x, x, x, x]"]
    levels += [f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]" for n in range(1, 30)]
    (document,) = load_all("\n".join(levels), aliases=True)
    assert document.data["l1"][0] is document.data["l0"]
