"""Where each argument of a tool goes: parameters first, then what the body takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from mcpbridge.openapi.names import argument_names, is_argument_name
from mcpbridge.openapi.operation import Body, Parameter, Place

_ORDER = {"path": 0, "query": 1, "querystring": 2, "header": 3, "cookie": 4}
"""Who claims a name first."""

_WHOLE = Place(where="whole", name="")


def named(
    parameters: Sequence[Parameter], body: Body | None
) -> tuple[Sequence[Parameter], Body | None, Mapping[str, Place]]:
    """Parameters and body under the names of their arguments, all different, and the place of each."""
    members = () if body is None or body.members is None else body.members
    whole = ["body"] if body is not None and body.members is None else []
    arguments = {each.argument: each.place for each in parameters}
    arguments |= {member: Place(where="body", name=member) for member in members}
    if whole:
        arguments["body"] = _WHOLE
    if len(arguments) == len(parameters) + len(members) + len(whole) and all(map(is_argument_name, members)):
        return parameters, body, arguments
    ordered = sorted(parameters, key=lambda each: _ORDER[each.place.where])
    places = [(each.place.where, each.place.name) for each in ordered]
    given = argument_names([*places, *(("body", member) for member in members), *([("whole", "")] if whole else [])])
    renamed = [replace(each, argument=given[each.place.where, each.place.name]) for each in parameters]
    arguments = {each.argument: each.place for each in renamed}
    if body is not None and body.members is not None:
        body = replace(body, members={given["body", member]: member for member in members})
        arguments |= {given["body", member]: Place(where="body", name=member) for member in members}
    elif body is not None:
        body = replace(body, argument=given["whole", ""])
        arguments[body.argument] = _WHOLE
    return renamed, body, arguments
