"""``gpuaas api``, ``gpuaas web`` and ``gpuaas migrate``."""

from __future__ import annotations

import argparse
import gc
import os
import sys
from collections.abc import Sequence

from gpuaas import __version__
from gpuaas.settings import (
    ApiSecrets,
    ApiSettings,
    ConfigurationError,
    MigrateSecrets,
    MigrateSettings,
    WebSecrets,
    WebSettings,
    describe,
    read_secrets,
    read_settings,
    tls_context,
    unread,
)

EX_CONFIG = 78  # sysexits.h: a restart does not help, the configuration has to change


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    parser = argparse.ArgumentParser(prog="gpuaas", description="Reference GPUaaS control plane.")
    parser.add_argument("--version", action="version", version=f"gpuaas {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    commands.add_parser("api", help="serve the REST API")
    commands.add_parser("web", help="serve the web console")
    commands.add_parser("migrate", help="bring the database to this version's schema, then exit")
    command = parser.parse_args(arguments).command
    try:
        return {"api": _api, "web": _web, "migrate": _migrate}[command]()
    except ConfigurationError as error:
        print(f"gpuaas {command}: configuration: {error}", file=sys.stderr)
        return EX_CONFIG


def _api() -> int:
    settings = read_settings(ApiSettings, os.environ)
    secrets = read_secrets(ApiSecrets, settings.secrets_dir)
    tls = tls_context(settings.ca_file)
    configuration = {
        "service": "api",
        "version": __version__,
        "settings": describe(ApiSettings, os.environ),
        "unread": unread(ApiSettings, os.environ),
    }
    # Each command imports its own half only; what one does not use costs it no memory.
    gc.disable()
    from gpuaas.api.app import create_app
    from gpuaas.serve import serve

    return serve(create_app(settings, secrets, tls, configuration), settings.listen_port, settings.log_level)


def _web() -> int:
    settings = read_settings(WebSettings, os.environ)
    secrets = read_secrets(WebSecrets, settings.secrets_dir)
    tls = tls_context(settings.ca_file)
    gc.disable()
    from gpuaas.serve import serve
    from gpuaas.web.app import create_app

    return serve(create_app(settings, secrets, tls), settings.listen_port, settings.log_level)


def _migrate() -> int:
    settings = read_settings(MigrateSettings, os.environ)
    secrets = read_secrets(MigrateSecrets, settings.secrets_dir)
    from gpuaas.migrate import run

    return run(settings, secrets)
