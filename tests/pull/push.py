"""Push an image of this machine to a registry as it lies there: docker push would compress its gigabytes with one core for minutes.

The registry's HTTP API and the manifest are those of the OCI distribution and image
specifications, where layers may be plain tar archives.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

import httpx

_IMAGE = "application/vnd.oci.image"
_PIECE = 1 << 22


def _upload(registry: httpx.Client, repository: str, path: Path, media_type: str) -> dict[str, Any]:
    """Upload one file; return the descriptor that names it."""
    with path.open("rb") as file:
        digest = f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"
    if not registry.head(f"/v2/{repository}/blobs/{digest}").is_success:
        begun = registry.post(f"/v2/{repository}/blobs/uploads/").raise_for_status()
        with path.open("rb") as file:
            registry.put(
                httpx.URL(begun.headers["Location"]).copy_merge_params({"digest": digest}),
                content=iter(lambda: file.read(_PIECE), b""),
                headers={"Content-Type": "application/octet-stream", "Content-Length": str(path.stat().st_size)},
            ).raise_for_status()
    return {"mediaType": media_type, "digest": digest, "size": path.stat().st_size}


def push(image: str, host: str, name: str) -> None:
    """Push the engine's ``image`` to the registry at ``host`` as ``name``, a repository and a tag."""
    repository, tag = name.rsplit(":", 1)
    with tempfile.TemporaryDirectory() as folder, httpx.Client(base_url=f"http://{host}", timeout=120, trust_env=False) as registry:
        saved = subprocess.Popen(["docker", "save", image], stdout=subprocess.PIPE)
        with tarfile.open(fileobj=saved.stdout, mode="r|") as archive:
            archive.extractall(folder, filter="data")
        if saved.wait() != 0:
            sys.exit(f"docker save {image} failed")
        root = Path(folder)
        (saved_as,) = json.loads((root / "manifest.json").read_text(encoding="utf-8"))
        manifest = {
            "schemaVersion": 2,
            "mediaType": f"{_IMAGE}.manifest.v1+json",
            "config": _upload(registry, repository, root / saved_as["Config"], f"{_IMAGE}.config.v1+json"),
            "layers": [_upload(registry, repository, root / layer, f"{_IMAGE}.layer.v1.tar") for layer in saved_as["Layers"]],
        }
        registry.put(
            f"/v2/{repository}/manifests/{tag}", content=json.dumps(manifest), headers={"Content-Type": manifest["mediaType"]}
        ).raise_for_status()


if __name__ == "__main__":
    push(*sys.argv[1:])
