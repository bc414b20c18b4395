"""The parts of a record: when and how its tools may be used, and operations written by hand."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields
from typing import Annotated, Literal, TypeAlias
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, Field, StringConstraints

from mcpbridge.errors import ConfigError
from mcpbridge.integrations.strict import STRICT
from mcpbridge.integrations.text import Prose, Word, Words
from mcpbridge.net.limits import Limits
from mcpbridge.openapi.closest import closest
from mcpbridge.openapi.declare import declare
from mcpbridge.openapi.operation import Operation
from mcpbridge.tools import Access, Json

Day: TypeAlias = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Mode: TypeAlias = Literal["default", "ask", "auto"]

_DAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # no such zone; a path that leaves the database; a folder of it
        raise ValueError("is no time zone: write its IANA name, such as Europe/Berlin") from None
    return name


class Window(BaseModel):
    """Hours of some days in a time zone. One that ends before it begins goes on over midnight."""

    model_config = STRICT

    zone: Annotated[str, StringConstraints(max_length=100), AfterValidator(_zone)]
    days: tuple[Day, ...] = Field(default=_DAYS, min_length=1, max_length=7)
    start: str = Field(alias="from", pattern=r"^([01]\d|2[0-3]):[0-5]\d$", examples=["08:00"])
    end: str = Field(alias="to", pattern=r"^(([01]\d|2[0-3]):[0-5]\d|24:00)$", examples=["18:00"])


class ToolRules(BaseModel):
    """Which tools there are, and which ask first.

    `enabled` is the list of those allowed (empty is all), `disabled` of those blocked after it, `off` the switch of
    each tool. `approval` holds a tool's mode: by the gateway's policy, ask every time, or never.
    """

    model_config = STRICT

    enabled: Words = ()
    disabled: Words = ()
    off: Words = ()
    approval: dict[Word, Mode] = Field(default={}, max_length=10_000)


class HandOperation(BaseModel):
    """An operation of an HTTP API that has no description: see `mcpbridge.declare`."""

    model_config = STRICT

    name: str = Field(max_length=64)
    method: Literal["GET", "HEAD", "OPTIONS", "QUERY", "POST", "PUT", "PATCH", "DELETE"]
    path: str = Field(max_length=4000)
    description: Prose = ""
    parameters: dict[str, Json] = {}
    query: dict[str, Json] = {}
    headers: dict[str, Json] = {}
    body: dict[str, Json] | None = None
    media: str = Field(default="application/json", max_length=200)
    required: tuple[str, ...] = ()
    access: Access | None = None

    def operation(self) -> Operation:
        """The operation itself. Raises: ConfigError."""
        return declare(**{name: getattr(self, name) for name in type(self).model_fields})


def _limits(given: Mapping[str, float]) -> Mapping[str, float]:
    known = [field.name for field in fields(Limits)]
    for name, value in given.items():
        if name not in known:
            meant = closest(name, known)
            raise ValueError(
                f"{name!r} is no limit; " + (f"did you mean {meant!r}?" if meant else f"there are: {known}")
            )
        if not math.isfinite(value):
            raise ValueError(f"{name!r} must be a finite number: leave it out for the default")
    try:
        read_limits(given)
    except ConfigError as error:
        raise ValueError(str(error)) from None
    return given


def read_limits(given: Mapping[str, float]) -> Limits:
    """The limits of a record: the default ones, but for what it says. Raises: ConfigError."""
    whole = {field.name for field in fields(Limits) if field.type == "int"}
    return Limits(**{name: int(value) if name in whole else value for name, value in given.items()})  # type: ignore[arg-type] # whole numbers above


LimitsField: TypeAlias = Annotated[dict[str, float], AfterValidator(_limits)]
"""Some of the fields of `Limits`, by name."""
