"""Whatever stands in a file of a platform: it renders, or a reason says what is wrong. Never a traceback, never half of it."""

from __future__ import annotations

import copy
import tempfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.render import render
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.tests.unit.contract.small_platform import Platform
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

FILES = (
    "platform.yml",
    "realm.yml",
    "modes/kind.yml",
    "modes/local.yml",
    "components/api/component.yml",
    "components/api/kubernetes/api.yaml",
    "components/api/compose.yml",
    "components/db/component.yml",
    "components/db/compose.yml",
    "components/db/kubernetes/kustomization.yaml",
    "components/db/kubernetes/db.yaml",
)
REALM = 'users: {anna: {password: db_password}}\nclients: [{secret: cookie_key, uris: ["${endpoints.shop.url}/x"], ttl: 5}]\n'
JUNK = (None, True, 0, -1, 1.5, "", "x", "${", "${domain}", [], {}, [[]], [None], {"x": None}, [{}], {"x": [{}]})


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place of a document, its whole included."""
    inner = list(value.items()) if isinstance(value, dict) else list(enumerate(value)) if isinstance(value, list) else []
    return [path, *(found for key, item in inner for found in places(item, (*path, key)))]


def damaged(document: Any, path: tuple[Any, ...], junk: Any) -> Any:
    if not path:
        return junk
    copied = copy.deepcopy(document)
    holder = copied
    for part in path[:-1]:
        holder = holder[part]
    holder[path[-1]] = copy.deepcopy(junk)
    return copied


@pytest.mark.parametrize("file", FILES)
@settings(
    max_examples=25,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow],
)
@given(st.data())
def test_damaged_file_has_a_reason(file: str, data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as root:
        platform = Platform(Path(root))
        platform.other("local", "compose")
        platform.write()
        (platform.folder / "realm.yml").write_text(REALM)
        path = platform.folder / file
        documents = list(yaml.safe_load_all(path.read_text()))
        place = data.draw(st.sampled_from(places(documents)[1:]))
        changed = damaged(documents, place, data.draw(st.sampled_from(JUNK)))
        path.write_text(yaml.safe_dump_all(changed, sort_keys=False))
        for mode in ("kind", "local"):
            try:
                render(platform.folder, mode, "core")
            except ParityError as error:
                assert error.seen
