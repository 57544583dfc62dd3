"""A sign of life while images are built, in a terminal and in a build log."""

from __future__ import annotations

from ansible_collections.gpuaas.parity.plugins.module_utils._images.progress import BuildProgress


def test_a_build_log_gets_a_line_for_a_change_and_not_for_every_beat() -> None:
    lines: list[str] = []
    progress = BuildProgress(lines.append)
    for second in range(30):
        progress.beat(0, 2, second, "node [kubernetes 2/2]")
    progress.beat(1, 2, 31, "kind")
    assert lines == ["  building  0/2 built  0s  node [kubernetes 2/2]", "  building  1/2 built  31s  kind"]


def test_a_new_step_shows_after_a_while() -> None:
    lines: list[str] = []
    progress = BuildProgress(lines.append)
    for second in range(25):
        progress.beat(0, 1, second, f"step {second}")
    assert [line.split("built  ")[1].split("s")[0] for line in lines] == ["0", "10", "20"]


def test_a_terminal_has_one_live_line_that_is_taken_away() -> None:
    lines: list[str] = []
    live: list[str] = []
    progress = BuildProgress(lines.append, live.append, width=40)
    progress.beat(0, 2, 3, "a step with a name that is much too long for the terminal")
    progress.say("baking")
    assert lines == ["  baking"]
    assert len(live[0].removeprefix("\r\x1b[2K")) < 40
    assert live[-1] == "\r\x1b[2K"
