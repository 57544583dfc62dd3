# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: Apache-2.0
"""Reports of a run for machines: JUnit XML and JSON."""
