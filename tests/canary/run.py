"""Plants a canary in each class of data, and looks for it everywhere where a platform keeps or says something: it is nowhere.

    .venv/bin/python tests/canary/run.py STATE_DIR

The platform is a Compose project of a lane that provisions, and up. *Tenant* data is what is private of an instance, sealed on a device
that is no part of the platform; *platform* data is the name of somebody who is logged in to the console, and the token that they
came to the API with. Each place is searched for a word of metadata as well, which is there: so the search would find the others.
"""

from __future__ import annotations

import sys
from pathlib import Path

from ansible_collections.gpuaas.parity.tests.canary.places import journal, places
from ansible_collections.gpuaas.parity.tests.canary.plant import planted, until
from ansible_collections.gpuaas.parity.tests.canary.search import search
from ansible_collections.gpuaas.parity.tests.canary.spellings import Spellings, found
from ansible_collections.gpuaas.parity.tests.local_dev.running import Running


def main(directory: str) -> int:
    """0 when it is nowhere."""
    project = Running.load(Path(directory))
    with planted(project.state_dir, project.containers["api"]["Config"]["Image"]) as its:
        instance = {"instance": Spellings(its.plain["instance"])}
        until(lambda: bool(found(instance, journal(project))), "the journal has the instance")
        wrong = search(places(project), its)
    print("\n".join(wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
