# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What every module returns when it fails."""

from __future__ import annotations


class ModuleDocFragment:
    RETURN = r"""
reason:
  description: Reason id of the failure. The runbook lists them all.
  returned: failure
  type: str
  sample: ARGUMENT_INVALID
seen:
  description: What was observed.
  returned: failure
  type: str
  sample: "value of output must be one of: text, json, got: yaml"
do:
  description: What to type next.
  returned: failure
  type: str
  sample: correct the value; make help lists what each command accepts
details:
  description: Data for diagnosis, free of secrets. What it holds depends on RV(reason).
  returned: failure
  type: dict
  sample: {}
"""
