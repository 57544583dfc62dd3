# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose an object is: ours, its owner's data, or Kubernetes' own."""

from __future__ import annotations

from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._apply.apply import FIELD_MANAGER

DATA = {("", "PersistentVolumeClaim"), ("", "PersistentVolume")}
# They go last, and stay with what they hold.
HOLDERS = {("", "Namespace"), ("apiextensions.k8s.io", "CustomResourceDefinition")}
# Kubernetes puts them into every namespace.
OF_EVERY_NAMESPACE = {("", "ConfigMap", "kube-root-ca.crt"), ("", "ServiceAccount", "default")}
# They follow something else without saying so by an owner.
FOLLOWERS = {("", "Endpoints"), ("", "Event"), ("events.k8s.io", "Event")}


def applied_by_us(meta: dict[str, Any]) -> bool:
    """Whether our field manager applied the object of this metadata."""
    return any((entry.get("manager"), entry.get("operation")) == (FIELD_MANAGER, "Apply") for entry in meta.get("managedFields") or [])
