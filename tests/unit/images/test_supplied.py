"""What the image step leaves for the steps after it."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._images.supplied import Supplied, file_of


def test_what_is_written_is_what_is_read(tmp_path: Path) -> None:
    supplied = Supplied({"app": "k1"}, node_image="node:1", node_key="k2", default_cni=True, kind="/bin/kind")
    supplied.write(file_of(tmp_path))
    assert Supplied.read(file_of(tmp_path)) == supplied
    assert file_of(tmp_path).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("text", [None, "", "[]", "{}", '{"image_keys": {}, "colour": "red"}'])
def test_a_step_before_the_images_is_refused(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "supply.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(ParityError) as caught:
        Supplied.read(path)
    assert caught.value.reason == "IMAGES_NOT_SUPPLIED"
    assert str(path) in caught.value.seen
