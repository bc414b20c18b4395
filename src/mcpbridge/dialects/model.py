"""`for_model`: tools as one provider takes them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast, get_args

from mcpbridge.dialects.back import Member, Members, WayBack
from mcpbridge.dialects.loss import Loss, Losses
from mcpbridge.dialects.names import legal_name
from mcpbridge.dialects.narrow import Narrow, TooLargeError
from mcpbridge.dialects.rules import RULES, Bounds, Provider, Rules, Subset
from mcpbridge.dialects.tidy import WHOLE, tidied
from mcpbridge.errors import ConfigError, InvalidArguments, ToolNotFound
from mcpbridge.tools import Json, Tool

_FEWER = (5, 3, 2, 1)
"""Levels that are tried where a schema is larger than a provider takes; what lies deeper is given as JSON text."""

_FEW_VALUES = 20


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelTool:
    """One tool as a model sees it.

    `name`, `description` and `schema` (of the arguments) are the provider's, `tool` is what they are made of, `losses`
    what they do not say.
    """

    name: str
    description: str
    schema: Mapping[str, Json]
    tool: Tool
    losses: Sequence[Loss]
    way_back: WayBack

    def arguments(self, given: Mapping[str, Json]) -> dict[str, Json]:
        """The tool's own arguments, for those that the model gave.

        They are to be validated as any others are. Raises: InvalidArguments for text that should be JSON and is not.
        """
        try:
            return self.way_back.arguments(given)
        except InvalidArguments as error:
            raise InvalidArguments(error.problems, tool=self.name) from None


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelTools:
    """Tools as one provider takes them: `definitions` go into a request, `call` leads back. `tools` go by the
    model's names.
    """

    provider: Provider
    tools: Mapping[str, ModelTool]

    @property
    def definitions(self) -> list[dict[str, Json]]:
        """The definitions in the words of the provider's API.

        OpenAI: the Responses API; for Chat Completions put all but `type` under `function`. Gemini: function
        declarations. Anthropic: the Messages API.
        """
        return [_definition(self.provider, tool) for tool in self.tools.values()]

    @property
    def losses(self) -> Mapping[str, Sequence[Loss]]:
        """What was lost, by the tools' own names; a tool that lost nothing is not there."""
        return {tool.tool.name: tool.losses for tool in self.tools.values() if tool.losses}

    def call(self, name: str, arguments: Mapping[str, Json]) -> tuple[str, dict[str, Json]]:
        """The tool's own name and arguments, for a call of the model's. Raises: ToolNotFound, InvalidArguments."""
        if name not in self.tools:
            raise ToolNotFound(name)
        tool = self.tools[name]
        return tool.tool.name, tool.arguments(arguments)


def for_model(
    tools: Sequence[Tool], provider: Provider, *, prefix: int = 0, reserved: Collection[str] = ()
) -> ModelTools:
    """Tools as a provider takes them: `openai`, `openai-strict`, `gemini` or `anthropic`.

    What a provider has no words for is given as JSON text, told in a description, or left out; `losses` tells which.
    `prefix` is how many characters the client puts before each name, as clients of several servers do; names are cut
    so that the whole stays legal. `reserved` are names that the client keeps from arguments: those get others.

    Raises: ConfigError for another provider, a prefix that leaves no room, tools that are none, or two of one name.
    """
    if provider not in get_args(Provider):
        raise ConfigError(f"there is no dialect for {provider!r}: choose one of {', '.join(get_args(Provider))}")
    rules = RULES[provider]
    if not 0 <= prefix <= rules.length - 16:
        raise ConfigError(f"a prefix of {prefix} characters leaves no room for names: at most {rules.length - 16} do")
    made: dict[str, ModelTool] = {}
    taken = {tool.name for tool in _checked(tools)}
    for tool in tools:
        name = legal_name(tool.name, rules.name, rules.length - prefix, {*made, *(taken - {tool.name})})
        made[name] = _model_tool(tool, name, rules, reserved)
    return ModelTools(provider=provider, tools=made)


def _checked(tools: object) -> Iterator[Tool]:
    seen, kind = set[str](), type(tools).__name__
    if isinstance(tools, str | Mapping) or not isinstance(tools, Sequence):
        raise ConfigError(f"a list of tools is needed, not {kind}: pass what list_tools() gives")
    for tool in cast("Sequence[object]", tools):
        if not isinstance(tool, Tool):
            raise ConfigError(f"a list of mcpbridge.Tool is needed, and one of them is {type(tool).__name__}")
        if tool.name in seen:
            raise ConfigError(f"two tools are called {tool.name!r}: put their sources behind a Router or a Prefix")
        seen.add(tool.name)
        yield tool


def _model_tool(tool: Tool, name: str, rules: Rules, reserved: Collection[str]) -> ModelTool:
    losses = Losses()
    description = _description(tool, rules, losses)
    root = tidied(tool.input_schema, losses)
    if rules.subset is None:
        schema, way_back = _wide(root, rules)
    else:
        schema, way_back, narrowed = _narrow(root, rules, rules.subset)
        for loss in narrowed.all():
            losses.add(loss.pointer, loss.code, loss.message)
    if not schema["properties"].keys().isdisjoint(reserved):
        schema, way_back = _unreserved(schema, way_back, reserved)
    told = [replace(loss, pointer=loss.pointer.removeprefix(f"/$defs/{WHOLE}")) for loss in losses.all()]
    return ModelTool(
        name=name, description=description, schema=schema, tool=tool, losses=tuple(told), way_back=way_back
    )


def _description(tool: Tool, rules: Rules, losses: Losses) -> str:
    most = rules.description
    if most is None or len(tool.description) <= most:
        return tool.description
    losses.add("", "description", f"the tool's description is cut to {most} characters")
    return tool.description[: most - 1].rstrip() + "…"


def _wide(root: Mapping[str, Json], rules: Rules) -> tuple[Mapping[str, Json], WayBack]:
    """Any JSON Schema below the root; only the arguments' names may have to change."""
    nothing = WayBack(root=None, definitions={}, schemas={})
    if rules.member is None or all(_is_legal(name, rules) for name in root["properties"]):
        return root, nothing
    legal: dict[str, str] = {}
    for name in root["properties"]:
        legal[name] = legal_name(name, rules.member, rules.length, legal.values())
    members = {said: Member(name=name) for name, said in legal.items()}
    return _renamed(root, legal), replace(nothing, root=Members(members=members))


def _is_legal(name: str, rules: Rules) -> bool:
    return rules.member is None or (rules.member.fullmatch(name) is not None and len(name) <= rules.length)


def _unreserved(
    schema: Mapping[str, Json], way_back: WayBack, reserved: Collection[str]
) -> tuple[Mapping[str, Json], WayBack]:
    """The same with other names in the place of those that the client keeps."""
    members: Mapping[str, Member] = way_back.root.members if isinstance(way_back.root, Members) else {}
    said: dict[str, str] = {}
    for name in schema["properties"]:
        taken = {*schema["properties"], *said.values(), *reserved} - {name if name not in reserved else ""}
        said[name] = next(each for each in (name + "_" * count for count in range(99)) if each not in taken)
    backs = {new: members.get(old, Member(name=old)) for old, new in said.items()}
    return _renamed(schema, said), replace(way_back, root=Members(members=backs))


def _renamed(schema: Mapping[str, Json], names: Mapping[str, str]) -> Mapping[str, Json]:
    out: dict[str, Any] = {**schema, "properties": {names[old]: each for old, each in schema["properties"].items()}}
    if "required" in schema:
        out["required"] = [names.get(name, name) for name in schema["required"]]
    return out


def _narrow(root: Mapping[str, Json], rules: Rules, subset: Subset) -> tuple[Mapping[str, Json], WayBack, Losses]:
    """The schema with as many levels as the provider takes of it."""
    for bounds in _tries(subset):
        narrow = Narrow(root, rules, subset, bounds)
        try:
            schema, way_back = narrow.arguments()
        except (TooLargeError, RecursionError):  # definitions may lead deeper than Python's own stack
            continue
        return schema, way_back, narrow.losses
    raise ConfigError(f"a tool with more than {subset.members} arguments can't be told to this provider: hide it")


def _tries(subset: Subset) -> Iterator[Bounds]:
    yield Bounds(levels=subset.levels, references=subset.references, values=subset.values)
    for levels in _FEWER:
        yield Bounds(levels=min(levels, subset.levels), references=False, values=subset.values)
    yield Bounds(levels=1, references=False, values=_FEW_VALUES)
    yield Bounds(levels=0, references=False, values=0)  # every argument as JSON text


def _definition(provider: Provider, tool: ModelTool) -> dict[str, Json]:
    said: dict[str, Json] = {"name": tool.name, "description": tool.description}
    match provider:
        case "anthropic":
            return {**said, "input_schema": tool.schema}
        case "gemini":  # GEMINI_FUNCTION: an object without members is left out
            return {**said, "parameters": tool.schema} if tool.schema["properties"] else said
        case _:
            return {"type": "function", **said, "parameters": tool.schema, "strict": provider == "openai-strict"}
