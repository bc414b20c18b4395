"""For tests of tools: snapshots, contracts, approvers, recorded calls, a gateway in memory, and fake upstreams.

pytest loads the plugin (`mcpbridge.testing.plugin`) by itself. The functions here need no pytest: they raise
`AssertionError`. Names are loaded when they are first used, so that a test run that uses none pays for none.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mcpbridge.testing.approvers import approve_all as approve_all
    from mcpbridge.testing.approvers import deny_all as deny_all
    from mcpbridge.testing.contract import check_refused as check_refused
    from mcpbridge.testing.contract import check_source as check_source
    from mcpbridge.testing.fake import FakeUpstream as FakeUpstream
    from mcpbridge.testing.faults import Fault as Fault
    from mcpbridge.testing.gateway import OpenGateway as OpenGateway
    from mcpbridge.testing.gateway import open_gateway as open_gateway
    from mcpbridge.testing.issuer import FakeIssuer as FakeIssuer
    from mcpbridge.testing.received import Received as Received
    from mcpbridge.testing.received import Reply as Reply
    from mcpbridge.testing.records import Made as Made
    from mcpbridge.testing.records import Record as Record
    from mcpbridge.testing.records import record_calls as record_calls
    from mcpbridge.testing.samples import sample as sample
    from mcpbridge.testing.snapshots import assert_tools as assert_tools
    from mcpbridge.testing.tool import check_tool as check_tool

_HOME = {
    "FakeIssuer": "issuer",
    "FakeUpstream": "fake",
    "Fault": "faults",
    "Made": "records",
    "OpenGateway": "gateway",
    "Received": "received",
    "Record": "records",
    "Reply": "received",
    "approve_all": "approvers",
    "assert_tools": "snapshots",
    "check_refused": "contract",
    "check_source": "contract",
    "check_tool": "tool",
    "deny_all": "approvers",
    "open_gateway": "gateway",
    "record_calls": "records",
    "sample": "samples",
}
"""Each name and the module it lives in; a test pins the list."""

__all__ = [  # pyright needs the words; a test holds them equal to `_HOME`
    "FakeIssuer",
    "FakeUpstream",
    "Fault",
    "Made",
    "OpenGateway",
    "Received",
    "Record",
    "Reply",
    "approve_all",
    "assert_tools",
    "check_refused",
    "check_source",
    "check_tool",
    "deny_all",
    "open_gateway",
    "record_calls",
    "sample",
]


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module 'mcpbridge.testing' has no attribute {name!r}")
    value = getattr(import_module(f"mcpbridge.testing.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*__all__]
