"""Modules of the collection come from Python's bytecode cache."""

from __future__ import annotations

import json
import subprocess
import sys

# In a process of its own, as Ansible leaves one that has loaded its plugins.
SCRIPT = """
import importlib, json, sys
from ansible.plugins.loader import init_plugin_loader

init_plugin_loader([])
from ansible_collections.gpuaas.parity.plugins.plugin_utils import _bytecode

_bytecode.keep()
asked = list(sys.meta_path)
_bytecode.keep()
PLUGINS = "ansible_collections.gpuaas.parity.plugins"
names = [f"{PLUGINS}.module_utils._reports.words", f"{PLUGINS}.module_utils._reports", f"{PLUGINS}.module_utils",
         "ansible_collections.community.docker.plugins.module_utils._version"]
found = {name: importlib.import_module(name) for name in names}
print(json.dumps({
    "twice": sys.meta_path == asked,
    "loaders": [type(module.__loader__).__name__ for module in found.values()],
    "cached": [str(getattr(module, "__cached__", None)).endswith(".pyc") for module in found.values()],
}))
"""


def test_modules_of_the_collection_are_loaded_with_their_cache_and_others_as_ansible_does() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    seen = json.loads(done.stdout)
    module, package, made_up, other = seen["loaders"]
    assert (module, package) == ("SourceFileLoader", "SourceFileLoader")
    assert made_up.startswith("_Ansible")
    assert other.startswith("_Ansible")
    assert seen["cached"][:2] == [True, True]
    assert seen["twice"]
