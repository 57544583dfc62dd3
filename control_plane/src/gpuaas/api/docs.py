"""One page about the API, without script and without anything from elsewhere."""

from __future__ import annotations

import base64
import hashlib
from html import escape
from typing import Any

_STYLE = """
:root{color-scheme:light dark;--line:#8884;--soft:#8882}
body{font:16px/1.55 system-ui,sans-serif;max-width:52rem;margin:3rem auto;padding:0 1.25rem}
h1{font-size:1.6rem;margin-bottom:.25rem}
section{border:1px solid var(--line);border-radius:.6rem;padding:.25rem 1.25rem 1rem;margin:1rem 0}
h2{font:600 1rem/1.5 ui-monospace,monospace;margin:.75rem 0 .25rem}
b{display:inline-block;min-width:4.5rem;color:#2f7d5b}
table{border-collapse:collapse;width:100%}
td{border-top:1px solid var(--line);padding:.3rem .5rem .3rem 0;vertical-align:top}
td:first-child{white-space:nowrap;font-family:ui-monospace,monospace;width:12rem}
"""
_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
POLICY = f"default-src 'none'; style-src 'sha256-{_HASH}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


def render(document: dict[str, Any]) -> str:
    """The OpenAPI document for people."""
    info = document["info"]
    operations = [
        _operation(method, path, operation, _body(document, operation))
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(info['title'])}</title><style>{_STYLE}</style>"
        f"<h1>{escape(info['title'])} <small>{escape(info['version'])}</small></h1>"
        f"<p>{escape(info['description'])}</p>"
        '<p>For machines: <a href="/openapi.json">/openapi.json</a></p>' + "".join(operations) + "</html>"
    )


def _operation(method: str, path: str, operation: dict[str, Any], body: list[tuple[str, str]]) -> str:
    rows = [
        (
            _marked(item["name"], item.get("required", False)),
            f"{item['in']} · {item.get('description', '')}".strip(" ·"),
        )
        for item in operation.get("parameters", [])
    ]
    rows += body
    rows += [(status, answer["description"]) for status, answer in sorted(operation["responses"].items())]
    cells = "".join(f"<tr><td>{escape(left)}</td><td>{escape(right)}</td></tr>" for left, right in rows)
    return (
        f"<section><h2><b>{escape(method.upper())}</b> {escape(path)}</h2>"
        f"<p>{escape(operation.get('description', ''))}</p><table>{cells}</table></section>"
    )


def _body(document: dict[str, Any], operation: dict[str, Any]) -> list[tuple[str, str]]:
    if "requestBody" not in operation:
        return []
    schemas = document["components"]["schemas"]
    name = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
    schema = schemas[name]
    return [
        (_marked(field, field in schema.get("required", [])), f"body · {_values(schemas, rule)}".strip(" ·"))
        for field, rule in schema["properties"].items()
    ]


def _values(schemas: dict[str, Any], rule: dict[str, Any]) -> str:
    if reference := rule.get("$ref"):
        return ", ".join(schemas[reference.rpartition("/")[2]]["enum"])
    if "minimum" in rule:
        return f"{rule['minimum']:g} to {rule['maximum']:g}"
    return str(rule.get("description", ""))


def _marked(name: str, required: bool) -> str:
    return f"{name} *" if required else name
