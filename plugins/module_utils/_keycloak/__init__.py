# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: Apache-2.0
"""Keeps a Keycloak realm equal to a document: what differs is changed, what was dropped is removed, the rest is left alone."""
