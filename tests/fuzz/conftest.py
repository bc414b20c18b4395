"""Fuzzing takes minutes: it runs where it is asked for (`nox -s fuzz`), and not with the tests."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

collect_ignore_glob = [] if os.environ.get("MCPBRIDGE_FUZZ") else ["test_fuzz_*.py"]

settings.register_profile(
    "fuzz", max_examples=int(os.environ.get("MCPBRIDGE_FUZZ", "0") or 0) or 100, deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)  # fmt: skip
