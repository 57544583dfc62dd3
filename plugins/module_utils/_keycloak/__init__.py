# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keeps a Keycloak realm equal to a document: what differs is changed, what was dropped goes, the rest stays."""
