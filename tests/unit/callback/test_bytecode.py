"""Modules of the collection come from Python's bytecode cache."""

from __future__ import annotations

import importlib
import sys
from importlib.machinery import SourceFileLoader

import pytest
from ansible_collections.gpuaas.parity.plugins.plugin_utils import _bytecode

WORDS = "ansible_collections.gpuaas.parity.plugins.module_utils._reports.words"


@pytest.fixture(autouse=True)
def restored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    monkeypatch.delitem(sys.modules, WORDS, raising=False)


def test_a_module_of_the_collection_is_loaded_with_its_cache() -> None:
    _bytecode.keep()
    loader = importlib.import_module(WORDS).__loader__
    assert isinstance(loader, SourceFileLoader)
    assert importlib.import_module(WORDS).__cached__.endswith(".pyc")


def test_keeping_twice_asks_once() -> None:
    _bytecode.keep()
    asked = list(sys.meta_path)
    _bytecode.keep()
    assert sys.meta_path == asked


def test_other_modules_are_none_of_its_business() -> None:
    _bytecode.keep()
    assert sys.meta_path[0].find_spec("ansible_collections.community.docker.plugins", ["/x"]) is None
