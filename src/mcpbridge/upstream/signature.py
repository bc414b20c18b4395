"""A Python function's signature as a JSON Schema and as a check of arguments. Pure."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import pydantic
from pydantic.json_schema import GenerateJsonSchema

from mcpbridge.errors import ArgumentProblem, ConfigError, InvalidArguments
from mcpbridge.tools import Caller, Json

_LEGAL = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_WHOLE = 2.0**53
_CONFIG = pydantic.ConfigDict(extra="forbid", hide_input_in_errors=True)


class _Untitled(GenerateJsonSchema):
    """JSON Schema without a title for each field: it repeats the name."""

    ignored_warning_kinds = {"skipped-choice", "non-serializable-default"}  # noqa: RUF012 - as pydantic declares it

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


@dataclass(frozen=True, kw_only=True, slots=True)
class Signature:
    """What a function is called, what it takes, and how arguments become its parameters.

    `fields` maps the model's fields to parameters; `callers` are the parameters that get the `Caller`.
    """

    name: str
    description: str
    schema: Mapping[str, Json]
    model: type[pydantic.BaseModel]
    fields: Mapping[str, str]
    callers: tuple[str, ...]

    def read(self, arguments: Mapping[str, Json], caller: Caller) -> Mapping[str, Any]:
        """The function's keyword arguments, read as strictly as the schema says.

        What a policy saw is what the function gets: neither `"true"` nor 1 is taken for `true`.

        Raises: InvalidArguments.
        """
        text = _json(arguments, self.name)
        try:
            model = self.model.model_validate_json(text, strict=True)
        except pydantic.ValidationError as error:
            told = error.errors(include_input=False, include_url=False, include_context=False)
            raise InvalidArguments([_problem(one["loc"], one["msg"]) for one in told], tool=self.name) from None
        given = {parameter: getattr(model, field) for field, parameter in self.fields.items()}
        return {**given, **dict.fromkeys(self.callers, caller)}


def read_signature(function: Callable[..., Any]) -> Signature:
    """What the function's annotations and docstring say.

    A parameter annotated `Caller` gets who calls, and is no argument. Parameters without annotation take any JSON.

    Raises: ConfigError for a function without a plain name, or with a signature that keywords can't serve.
    """
    name = getattr(function, "__name__", "")
    if not _LEGAL.fullmatch(name):
        raise ConfigError(f"{function!r} needs a name of letters, digits and underscores to become a tool; use def")
    parameters = _parameters(function, name)
    callers = tuple(parameter.name for parameter in parameters if parameter.annotation is Caller)
    named = {
        f"argument{number}": parameter
        for number, parameter in enumerate(parameters)
        if parameter.annotation is not Caller
    }
    try:
        fields: dict[str, Any] = {field: _field(parameter) for field, parameter in named.items()}
        model = pydantic.create_model(name, __config__=_CONFIG, **fields)
        schema = model.model_json_schema(schema_generator=_Untitled)
    except pydantic.errors.PydanticUserError as error:
        reason = str(error).partition("\n")[0]
        raise ConfigError(f"the parameters of {name!r} can't be written as JSON Schema: {reason}") from error
    schema.pop("title", None)
    return Signature(
        name=name,
        description=inspect.getdoc(function) or "",
        schema=schema,
        model=model,
        fields={field: parameter.name for field, parameter in named.items()},
        callers=callers,
    )


def _json(arguments: Mapping[str, Json], tool: str) -> str:
    try:
        return json.dumps(_whole(arguments), allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        raise InvalidArguments([ArgumentProblem(path="", expected="JSON", got="another value")], tool=tool) from None


def _whole(value: Json) -> Json:
    """The value with whole numbers as integers, which JSON Schema takes them for (2020-12 core, section 4.2.1)."""
    if isinstance(value, float) and value.is_integer() and abs(value) < _WHOLE:
        return int(value)
    if isinstance(value, Mapping):
        members = cast("Mapping[str, Json]", value)
        return {name: _whole(member) for name, member in members.items()}
    if isinstance(value, list | tuple):
        items = cast("Sequence[Json]", value)
        return [_whole(item) for item in items]
    return value


def _parameters(function: Callable[..., Any], name: str) -> list[inspect.Parameter]:
    try:
        parameters = [*inspect.signature(function, eval_str=True).parameters.values()]
    except (NameError, TypeError, ValueError) as error:
        raise ConfigError(f"the annotations of {name!r} can't be read: {error}") from error
    for parameter in parameters:
        if parameter.kind not in {parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY}:
            raise ConfigError(f"{name!r} has the parameter {parameter}: a tool's parameters are plain named ones")
    return parameters


def _field(parameter: inspect.Parameter) -> tuple[Any, Any]:
    empty = inspect.Parameter.empty
    annotation = Any if parameter.annotation is empty else parameter.annotation
    default = ... if parameter.default is empty else parameter.default
    return annotation, pydantic.Field(default, alias=parameter.name)


def _problem(place: tuple[int | str, ...], message: str) -> ArgumentProblem:
    path = "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in place)
    return ArgumentProblem(path=path, expected=message[:200], got="another value")
