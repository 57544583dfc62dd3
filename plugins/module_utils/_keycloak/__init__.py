# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: Apache-2.0
"""Keeps a Keycloak realm equal to a document: what differs is changed, what was dropped goes, the rest stays."""
