"""What was rendered lies where it should, and what was changed there by hand is never overwritten."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.rendered import RECORD, Place, with_record
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.tree import read_tree
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError

TREE = with_record({"contract.json": b"{}\n", "front/api.env": b"A=1\n"})
NEXT = with_record({"contract.json": b"{}\n", "front/api.env": b"A=2\n"})


def render(place: Place, tree: dict[str, bytes]) -> None:
    place.current(tree)
    place.write(tree)


def refused(place: Place, tree: dict[str, bytes]) -> ParityError:
    before = read_tree(place.root)
    with pytest.raises(ParityError) as caught:
        render(place, tree)
    assert read_tree(place.root) == before
    return caught.value


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place.of(tmp_path / "state", None)


@pytest.fixture
def elsewhere(tmp_path: Path) -> Place:
    return Place.of(tmp_path / ".parity" / "compose", tmp_path / "deploy" / "local")


def test_record_is_the_same_for_the_same_tree() -> None:
    files = {"b": b"2", "a": b"1"}
    assert with_record(files)[RECORD] == with_record(dict(reversed(files.items())))[RECORD]


def test_rendered_again_without_a_change(place: Place) -> None:
    render(place, TREE)
    assert place.current(TREE) == TREE
    render(place, NEXT)
    assert read_tree(place.root) == NEXT


def test_edited_file_is_refused_by_name(place: Place) -> None:
    render(place, TREE)
    file = place.root / "front/api.env"
    file.write_bytes(b"A=mine\n")
    for tree in (TREE, NEXT):
        error = refused(place, tree)
        assert error.reason == "RENDERED_EDITED"
        assert "edited by hand: front/api.env" in error.seen
        assert "contract.json" not in error.seen
        assert f"rm {file}" in error.do
        assert error.details == {"edited": ["front/api.env"], "added": []}
    file.unlink()
    render(place, NEXT)
    assert read_tree(place.root) == NEXT


def test_file_that_was_added_is_refused_by_name(place: Place) -> None:
    render(place, TREE)
    (place.root / "front/notes.txt").write_text("keep me")
    error = refused(place, NEXT)
    assert error.reason == "RENDERED_EDITED"
    assert "added by hand: front/notes.txt" in error.seen


def test_edit_that_the_contract_took_over_is_no_edit(place: Place) -> None:
    render(place, TREE)
    (place.root / "front/api.env").write_bytes(b"A=2\n")
    render(place, NEXT)
    assert read_tree(place.root) == NEXT


def test_file_replaced_by_a_link_is_refused(place: Place, tmp_path: Path) -> None:
    render(place, TREE)
    (tmp_path / "mine").write_bytes(b"A=1\n")
    (place.root / "front/api.env").unlink()
    (place.root / "front/api.env").symlink_to(tmp_path / "mine")
    assert refused(place, TREE).reason == "RENDERED_EDITED"


@pytest.mark.parametrize("name", ["front/api.env", "contract.json", RECORD])
def test_deleted_file_is_rendered_again(place: Place, name: str) -> None:
    render(place, TREE)
    (place.root / name).unlink()
    render(place, TREE)
    assert read_tree(place.root) == TREE


def test_deleted_tree_is_rendered_again(elsewhere: Place) -> None:
    render(elsewhere, TREE)
    for path in sorted(elsewhere.root.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    elsewhere.root.rmdir()
    render(elsewhere, NEXT)
    assert read_tree(elsewhere.root) == NEXT


def test_many_edits_are_told_with_the_directory_to_remove(place: Place) -> None:
    many = with_record({f"f{number}": b"1" for number in range(9)})
    render(place, many)
    for number in range(9):
        (place.root / f"f{number}").write_bytes(b"2")
    error = refused(place, many)
    assert "and 3 more" in error.seen
    assert f"rm -r {place.root}" in error.do


@pytest.mark.parametrize("record", [b"", b"[]", b'{"files": [1]}', b"\xff"])
def test_without_its_record_only_what_would_be_rendered_is_ours(place: Place, record: bytes) -> None:
    render(place, TREE)
    (place.root / RECORD).write_bytes(record)
    assert refused(place, NEXT).reason == "RENDERED_NOT_OURS"
    render(place, TREE)
    assert read_tree(place.root) == TREE


class TestElsewhere:
    """A rendering outside the state directory, which a link leads to."""

    def test_link_leads_there(self, elsewhere: Place) -> None:
        render(elsewhere, TREE)
        assert str((elsewhere.state_dir / "rendered").readlink()) == "../../deploy/local"
        assert (elsewhere.state_dir / "rendered/contract.json").read_bytes() == b"{}\n"
        assert elsewhere.is_linked()

    def test_parent_that_is_there_keeps_its_mode(self, elsewhere: Place) -> None:
        elsewhere.root.parent.mkdir(mode=0o755)
        render(elsewhere, TREE)
        assert elsewhere.root.parent.stat().st_mode & 0o777 == 0o755
        assert elsewhere.root.stat().st_mode & 0o777 == 0o700

    def test_link_that_is_gone_or_wrong_is_made_again(self, elsewhere: Place, tmp_path: Path) -> None:
        render(elsewhere, TREE)
        link = elsewhere.state_dir / "rendered"
        link.unlink()
        assert not elsewhere.is_linked()
        link.symlink_to(tmp_path)
        assert not elsewhere.is_linked()
        render(elsewhere, TREE)
        assert elsewhere.is_linked()

    def test_directory_that_moves(self, elsewhere: Place, tmp_path: Path) -> None:
        render(elsewhere, TREE)
        moved = Place.of(elsewhere.state_dir, tmp_path / "other")
        render(moved, NEXT)
        assert (elsewhere.state_dir / "rendered/front/api.env").read_bytes() == b"A=2\n"
        back = Place.of(elsewhere.state_dir, None)
        render(back, TREE)
        assert not back.root.is_symlink()
        assert read_tree(tmp_path / "other") == NEXT

    def test_rendering_in_the_state_directory_gives_way_unless_edited(self, elsewhere: Place) -> None:
        inside = Place.of(elsewhere.state_dir, None)
        render(inside, TREE)
        (inside.root / "front/api.env").write_bytes(b"A=mine\n")
        with pytest.raises(ParityError) as caught:
            render(elsewhere, TREE)
        assert caught.value.reason == "RENDERED_EDITED"
        (inside.root / "front/api.env").unlink()
        render(elsewhere, TREE)
        assert elsewhere.is_linked()

    def test_somebody_elses_directory(self, elsewhere: Place) -> None:
        elsewhere.root.mkdir(parents=True)
        (elsewhere.root / "thesis.tex").write_text("years of work")
        error = refused(elsewhere, TREE)
        assert error.reason == "RENDERED_NOT_OURS"
        assert "thesis.tex" in error.seen

    def test_empty_directory_is_taken(self, elsewhere: Place) -> None:
        elsewhere.root.mkdir(parents=True)
        render(elsewhere, TREE)
        assert read_tree(elsewhere.root) == TREE

    def test_file_or_link_in_its_place(self, elsewhere: Place, tmp_path: Path) -> None:
        elsewhere.root.parent.mkdir(parents=True)
        elsewhere.root.symlink_to(tmp_path)
        assert refused(elsewhere, TREE).reason == "RENDERED_NOT_OURS"
        elsewhere.root.unlink()
        elsewhere.root.write_text("mine")
        assert refused(elsewhere, TREE).reason == "RENDERED_NOT_OURS"
        assert elsewhere.root.read_text() == "mine"

    @pytest.mark.parametrize("root", ["state", ".", "state/.."])
    def test_directory_that_holds_the_state(self, tmp_path: Path, root: str) -> None:
        with pytest.raises(ParityError) as caught:
            Place.of(tmp_path / "state", tmp_path / root)
        assert caught.value.reason == "RENDERED_NOT_OURS"

    def test_paths_are_relative(self, elsewhere: Place, tmp_path: Path) -> None:
        paths = elsewhere.paths(tmp_path)
        assert (paths.state, paths.checkout) == ("../../.parity/compose", "../..")


@pytest.mark.parametrize("linked", [False, True])
def test_the_lane_of_what_stands_is_known(place: Place, elsewhere: Place, linked: bool) -> None:
    its = elsewhere if linked else place
    assert its.lane() is None
    render(its, with_record({"contract.json": b'{"lane": "large"}'}))
    assert its.lane() == "large"


@pytest.mark.parametrize("damaged", [b"", b"[]", b"{}", b'{"lane": 1}'])
def test_a_damaged_contract_has_no_lane(place: Place, damaged: bytes) -> None:
    render(place, TREE)
    (place.root / "contract.json").write_bytes(damaged)
    assert place.lane() is None
