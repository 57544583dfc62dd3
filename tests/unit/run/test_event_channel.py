# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Events get from a forked step to its run: whole, in order, and never at the cost of the work."""

from __future__ import annotations

import os
import subprocess
import sys
import threading

import pytest
from ansible_collections.gpuaas.parity.plugins.module_utils._run.events.channel import Channel
from ansible_collections.gpuaas.parity.plugins.module_utils._run.events.model import Note, Wait


# The threads are those of pytest.
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_forked_step_is_heard() -> None:
    channel = Channel()
    if os.fork() == 0:
        channel.send(Wait("images", 1.0, "node", 0, 2))
        channel.send(Note("done"))
        os._exit(0)
    os.wait()
    assert list(channel.drain()) == [
        {"event": "wait", "awaited": "images", "elapsed": 1.0, "blocked_by": "node", "done": 0, "total": 2},
        {"event": "note", "text": "done"},
    ]
    assert list(channel.drain()) == []


def test_events_of_several_threads_stay_whole() -> None:
    channel = Channel()
    texts = [str(n) * 500 for n in range(8)]
    threads = [threading.Thread(target=lambda text=text: [channel.send(Note(text)) for _round in range(5)]) for text in texts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(event["text"] for event in channel.drain()) == sorted(texts * 5)


def test_a_long_text_is_cut_and_not_lost() -> None:
    channel = Channel()
    channel.send(Note("x" * 1_000_000))
    (event,) = channel.drain()
    assert 60_000 < len(event["text"]) < 70_000 and event["text"].endswith("…")


def test_a_run_that_is_gone_does_not_stop_the_work() -> None:
    channel = Channel()
    channel._reader.close()
    channel.send(Note("nobody is there"))


def test_waiting_ends_with_an_event() -> None:
    channel = Channel()
    channel.send(Note("x"))
    channel.wait(60)
    assert len(list(channel.drain())) == 1


def test_a_program_that_a_step_starts_does_not_have_it() -> None:
    channel = Channel()
    numbers = [channel._reader.fileno(), channel._writer.fileno()]
    script = f"import os\nfor n in {numbers}:\n    try: os.fstat(n); print('open')\n    except OSError: print('closed')"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["closed", "closed"]
