"""Building one image: the log of a failure, and the record of packages. A fake docker stands in."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._images import build as build_module
from ansible_collections.gpuaas.parity.plugins.module_utils._images.build import Builder
from ansible_collections.gpuaas.parity.plugins.module_utils._images.catalog import Image

IMAGE = Image("valkey", context=Path("/src/valkey"), from_={"BASE": "base"}, contexts={"more": Path("/src/more")})
TAGS = {"valkey": "gpuaas-parity/valkey:k1", "base": "gpuaas-parity/base:k0"}


@pytest.fixture
def builder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Builder:
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    return Builder(tmp_path / "cache", TAGS)


def docker(tmp_path: Path, script: str) -> None:
    program = tmp_path / "bin" / "docker"
    program.parent.mkdir(exist_ok=True)
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)


def test_packages_are_recorded_by_version(builder: Builder, tmp_path: Path) -> None:
    docker(tmp_path, """[ "$1" = run ] && printf 'valkey-server\\t8.1.1\\n' || true""")
    builder.build(IMAGE, print, print)
    assert (tmp_path / "cache" / "packages" / "valkey-k1.txt").read_text() == "valkey-server\t8.1.1\n"


def test_an_image_without_packages_has_no_record(builder: Builder, tmp_path: Path) -> None:
    docker(tmp_path, '[ "$1" = run ] && exit 127 || true')
    builder.build(IMAGE, print, print)
    assert not (tmp_path / "cache" / "packages").exists()


def test_parents_reach_the_build_by_tag_and_folders_by_path(builder: Builder, tmp_path: Path) -> None:
    docker(tmp_path, f'echo "$@" >> {tmp_path}/calls')
    builder.build(IMAGE, print, print)
    called = (tmp_path / "calls").read_text()
    assert "--build-arg BASE=gpuaas-parity/base:k0 --build-context more=/src/more" in called
    assert called.splitlines()[0].endswith(" /src/valkey")


def test_a_failed_build_quotes_its_log_and_names_it(builder: Builder, tmp_path: Path) -> None:
    docker(tmp_path, "echo 'E: no space left'; exit 1")
    with pytest.raises(ParityError) as caught:
        builder.build(IMAGE, print, print)
    assert caught.value.reason == "IMAGE_BUILD_FAILED"
    assert "E: no space left" in caught.value.seen
    assert str(tmp_path / "cache" / "logs" / "valkey.log") in caught.value.do


def test_a_failed_step_is_quoted_rather_than_its_dockerfile(builder: Builder, tmp_path: Path) -> None:
    rule, source = "-" * 20, "\n".join(f"  {line} |     COPY a b" for line in range(10, 30))
    step = "------\n > [warm 3/3] RUN warm.sh:\n9.12 ERROR no connection\n------"
    said = f"{step}\nDockerfile:20\n{rule}\n{source}\n{rule}\nERROR: failed to solve"
    (tmp_path / "said").write_text(said + "\n")
    docker(tmp_path, f"cat {tmp_path}/said; exit 1")
    with pytest.raises(ParityError) as caught:
        builder.build(IMAGE, print, print)
    assert caught.value.seen.endswith("> [warm 3/3] RUN warm.sh:\n9.12 ERROR no connection")


def test_a_missing_engine_says_who_installs_it(builder: Builder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    with pytest.raises(ParityError) as caught:
        builder.build(IMAGE, print, print)
    assert "{up}" in caught.value.do


@pytest.mark.parametrize(
    ("said", "line"),
    [
        ("#9 12.3 gcc -c a.c\n#9 12.4 a.c:3:1: error: expected ;\n#9 12.5 make: *** [a.o] Error 1", "a.c:3:1: error: expected ;"),
        ("I: running apt-get\nE: Unable to locate package valkey", "E: Unable to locate package valkey"),
        (" > [warm 3/3] RUN fail.sh:\n9.12 no connection to the database\n9.13 Could not open it", "Could not open it"),
        ("went on\nand stopped", "and stopped"),
        ("", "it printed nothing"),
    ],
)
def test_the_line_that_matters_is_found(builder: Builder, tmp_path: Path, said: str, line: str) -> None:
    (tmp_path / "said").write_text(said)
    docker(tmp_path, f"cat {tmp_path}/said; exit 1")
    with pytest.raises(ParityError) as caught:
        builder.build(IMAGE, print, print)
    assert caught.value.details["line"] == line


def test_no_step_of_a_build_ends_by_a_clock_that_load_can_reach() -> None:
    """Looking at what is there may take a minute; what builds, bakes, pulls and commits takes as long as it takes."""
    working = {"run", "import", "pull", "commit", "exec", "rm"}
    found = set()
    for file in ("build", "node", "source"):
        module = ast.parse((Path(build_module.__file__).parent / f"{file}.py").read_text(encoding="utf-8"))
        for call in [node for node in ast.walk(module) if isinstance(node, ast.Call) and ast.unparse(node.func) == "run"]:
            words = [word.value for word in getattr(call.args[0], "elts", []) if isinstance(word, ast.Constant)]
            if words[:1] == ["docker"] and words[1] in working:
                found.add(words[1])
                assert {"timeout": "PATIENT"}.items() <= {each.arg: ast.unparse(each.value) for each in call.keywords}.items(), words
    assert found == working
