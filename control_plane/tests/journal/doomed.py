"""A worker that gets SIGKILL once its store has so many entries, before it can note them.

JOURNAL is a list: the store's URL, the directory of the certificate, the CA, and how many entries.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
from pathlib import Path

from gpuaas import database
from gpuaas.journal.chain import Entry
from gpuaas.journal.feeder import Feeder
from gpuaas.journal.journal import Journal
from gpuaas.journal.store import Access, parse
from gpuaas.settings import MigrateSecrets, MigrateSettings, read_secrets, read_settings
from support.journal import KEY


def doomed(journal: Journal, last: int) -> Journal:
    """Kills this process after entry ``last``."""
    append = journal.append

    def then_die(entry: Entry) -> bool:
        written = append(entry)
        if entry.number == last:
            os.kill(os.getpid(), signal.SIGKILL)
        return written

    journal.append = then_die  # type: ignore[method-assign]
    return journal


async def main() -> None:
    url, certificate, ca_file, last = json.loads(os.environ["JOURNAL"])
    settings = read_settings(MigrateSettings, os.environ)
    secrets = read_secrets(MigrateSecrets, settings.secrets_source.provider(settings.ca_file))
    journal = parse(url).journal(Access(KEY, Path(certificate), Path(ca_file)))
    async with database.create_pool(settings, secrets.database_password, size=2) as pool:
        await Feeder(pool, doomed(journal, last)).run()


asyncio.run(main())
