"""Visit the minimal platform's own service as a user who is logged in, and as one who is not."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.session import Site, open_context
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.login.users import bearer, user_token


def main() -> None:
    state_dir = Path(sys.argv[1])
    contract = json.loads((state_dir / "rendered" / "contract.json").read_text(encoding="utf-8"))
    url = contract["endpoints"]["hello"]["url"]
    with open_context(Site(contract, state_dir, state_dir / "kubeconfig")) as context:
        stranger = context.http.get(url)
        if stranger.status_code != 401:
            raise SystemExit(f"{url} answers a stranger with {stranger.status_code}")
        for visit in (1, 2):
            answer = context.http.get(url, headers=bearer(user_token(context, "alice", "gpuaas-web")))
            if answer.text.strip() != f"hello alice, visit {visit}":
                raise SystemExit(f"{url} answers alice with {answer.status_code}: {answer.text.strip()}")
        print(answer.text.strip())


if __name__ == "__main__":
    main()
