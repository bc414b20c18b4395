"""What the conformance suite says of the client that upstreams see, where a server wants tokens."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Mapping

import pytest
from court import HERE, JUDGES, SCOPE, Run

pytestmark = pytest.mark.req("AUTH-06", "AUTH-07", "AUTH-09")

CONFORMANCE = SCOPE / "conformance/dist/index.js"
CLIENT = f"{sys.executable} {HERE / 'client.py'}"

BOTH = (
    "metadata-default",
    "metadata-var1",
    "metadata-var2",
    "basic-cimd",
    "scope-from-www-authenticate",
    "scope-from-scopes-supported",
    "scope-omitted-when-undefined",
    "scope-retry-limit",
    "token-endpoint-auth-basic",
    "token-endpoint-auth-post",
    "token-endpoint-auth-none",
    "pre-registration",
)
NEW = (
    "resource-mismatch",
    "offline-access-scope",
    "offline-access-not-supported",
    "authorization-server-migration",
    "iss-supported",
    "iss-not-advertised",
    "iss-supported-missing",
    "iss-wrong-issuer",
    "iss-unexpected",
    "iss-normalized",
    "metadata-issuer-mismatch",
)
PASSED = [
    ("2025-03-26-oauth-metadata-backcompat", "2025-03-26"),
    *((name, "2025-11-25") for name in (*BOTH, "scope-step-up")),
    *((name, "2026-07-28") for name in (*BOTH, *NEW)),
    ("client-credentials-jwt", ""),
    ("client-credentials-basic", ""),
]
"""Scenarios, and the protocol that they are run with."""

WARNED: Mapping[str, int] = {"scope-from-www-authenticate": 1, "scope-step-up": 1}
"""Advice that is not followed: no request goes without a token, so the first one's challenge has told no scopes yet."""

LEFT_OUT: Mapping[str, str] = {
    "metadata-var3": "its metadata is named in the challenge to a POST alone, and we look for the challenge by GET",
    "scope-step-up": "in 2026-07-28 the answer to server/discover asks for scopes, and is taken for an older server's",
    "2025-03-26-oauth-endpoint-fallback": "endpoints are never guessed: a host names them",
    "enterprise-managed-authorization": "an extension that there is no strategy for",
    "dpop": "an extension that there is no strategy for",
    "dpop-nonce": "an extension that there is no strategy for",
    "wif-jwt-bearer": "an extension that there is no strategy for",
}
"""What is not run, and why; `scope-step-up` in the newer protocol alone."""


@pytest.mark.parametrize(("scenario", "version"), PASSED)
def test_a_server_that_wants_tokens_finds_no_fault(node: str, scenario: str, version: str) -> None:
    words = ["client", "--command", CLIENT, "--scenario", f"auth/{scenario}"]
    words += ["--spec-version", version] if version else []
    done = subprocess.run(
        [node, str(CONFORMANCE), *words], check=False, capture_output=True, text=True, timeout=60, cwd=JUDGES
    )
    told = done.stdout + done.stderr
    found = re.search(r"Passed: (\d+)/\d+, (\d+) failed, (\d+) warnings", told)
    assert found is not None, told
    passed, failed, warned = map(int, found.groups())
    assert (passed > 0, failed, warned) == (True, 0, WARNED.get(scenario, 0)), told


def test_every_scenario_about_tokens_is_run_or_left_out_for_a_reason(run: Run) -> None:
    told = run(CONFORMANCE, "list", "--client")
    assert {*re.findall(r"- auth/([\w-]+) \[", told)} == {*(name for name, _ in PASSED), *LEFT_OUT}
