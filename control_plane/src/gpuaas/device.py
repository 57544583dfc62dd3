"""The commands of a member's device, and what they are told; ``gpuaas.encryption.commands`` does them."""

from __future__ import annotations

import argparse
import uuid
from pathlib import Path

NAMES = {
    "member": "write a new key file, and print its public half",
    "epoch": "print the record of a project's next epoch, with the members that are named",
    "seal": "seal standard input for the members of a project, as what is private of a new instance",
    "open": "open what is private of an instance, on standard input as GET /v1/instances/{id} has it",
}


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The commands and what they are told."""
    for name, does in NAMES.items():
        command = commands.add_parser(name, help=f"on a member's device: {does}")
        command.add_argument(
            "--environment", required=True, help="what the platform is called: the domain of its names"
        )
        command.add_argument("--key", required=True, type=Path, metavar="FILE", help="the member's key file, mode 0600")
        if name == "member":
            command.add_argument("--name", required=True, help="of the member or its device")
            continue
        command.add_argument("--project", required=True)
        command.add_argument(
            "--pin", required=True, type=Path, metavar="FILE", help="the newest epoch that was seen and is trusted"
        )
        command.add_argument(
            "--epochs", required=name != "epoch", type=Path, metavar="FILE", help="what GET /v1/epochs said"
        )
        if name == "epoch":
            command.add_argument(
                "--member", type=Path, action="append", default=[], metavar="FILE", help="public half of another member"
            )
            continue
        command.add_argument("--name", required=True, help="of the instance that it is of")
        if name == "open":
            command.add_argument("--instance", required=True, type=uuid.UUID, metavar="ID", help="the instance's id")
            command.add_argument("--author", metavar="KID", help="whose it must be")
            command.add_argument("--oldest-epoch", type=int, metavar="N", help="for a record that is known to be old")


def run(given: argparse.Namespace) -> int:
    """Do what is asked; returns the exit status."""
    # Imported here: no other command needs any of it.
    from gpuaas.encryption import commands

    return commands.run(given)
