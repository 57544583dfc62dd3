"""Write while a file exists, whose text says what is being done to the platform; then settle the account.

    .venv/bin/python tests/writes/write.py --state-dir DIR --while FILE --record FILE

Prints the counts. The exit status is 0 when everything acknowledged is stored, once, with one event.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from ansible_collections.gpuaas.parity.tests.writes.account import Account, stored
from ansible_collections.gpuaas.parity.tests.writes.database import sql_of
from ansible_collections.gpuaas.parity.tests.writes.writers import Writers

# Whoever began it may have been killed.
LONGEST = 4 * 3600.0


def read(file: Path) -> str:
    """What is being done now."""
    try:
        return file.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return "end"


def main() -> int:
    """Write, then compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--state-dir", type=Path, required=True, help="the run's directory of the platform")
    parser.add_argument("--while", type=Path, required=True, dest="phase", help="the file that ends it all when it goes")
    parser.add_argument("--record", type=Path, required=True, help="where every call is written")
    options = parser.parse_args()
    end = time.monotonic() + LONGEST
    with Writers(options.state_dir, options.record, lambda: read(options.phase)) as writers:
        while options.phase.exists() and time.monotonic() < end:
            time.sleep(0.2)
    account = Account(writers.record.calls, stored(sql_of(options.state_dir), writers.run), writers.visitor.pages)
    wrong = account.problems()
    print(*account.lines(), f"logins: {writers.user.logins} of who writes, {writers.visitor.logins} of who looks", sep="\n")
    print(*wrong[:20], sep="\n", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
