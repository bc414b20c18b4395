"""The names of questions, as the client sees them: those that whoever asked gave them, without the layers between.

Inside, a request's name tells whose it is (`approve/upstream.user_name`, see `mcpbridge.source.answer`). A client gets
`user_name`, and what it answers finds its way back by the state that comes with it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Final, cast

import mcp_types

from mcpbridge.source.answer import answers, nest
from mcpbridge.tools import Call, Json

_KEY: Final = "edge"
_OWNER = re.compile(r"(?:[^/.]+/)*[^/.]+\.(?=.)")


def outward(asked: mcp_types.InputRequiredResult) -> mcp_types.InputRequiredResult:
    """The question under short names; under the long ones where two would be the same."""
    requests = asked.input_requests or {}
    if not requests:
        return asked
    names = {_OWNER.sub("", name, count=1): name for name in requests}
    if len(names) < len(requests):
        names = {name: name for name in requests}
    shown = {short: requests[long] for short, long in names.items()}
    return nest(asked, _KEY, names).model_copy(update={"input_requests": shown})


def inward(call: Call) -> Call:
    """The call with its answers under the names that the layers gave."""
    back = answers(call, _KEY)
    own: Json = back.own
    if not isinstance(own, dict):
        return call
    names = cast("Mapping[str, str]", own)
    given: dict[str, Json] = {names.get(name, name): answer for name, answer in (call.input_responses or {}).items()}
    return replace(back.inner, input_responses=given or None)
