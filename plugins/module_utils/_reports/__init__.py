# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reports of a run for machines: JUnit XML and JSON."""
