"""`Validate`: calls whose arguments do not fit the tool's schema go no further."""

from __future__ import annotations

from typing import ClassVar

from mcpbridge.errors import Failure, InvalidArguments
from mcpbridge.source.answer import failed
from mcpbridge.source.base import Answer, ToolSource, Wrapper
from mcpbridge.tools import Call, Item, Tool
from mcpbridge.wrap.compiled import CompiledSchemas, UnusableSchema, errors_of
from mcpbridge.wrap.plain import DEPTH, SIZE, check_plain
from mcpbridge.wrap.problems import read_problems


class Validate(Wrapper):
    """Checks the arguments of a tool call and passes them on as they are: no defaults, no conversion.

    `size` bounds the arguments in characters and `depth` their nesting, whatever the schema says. A tool whose schema
    can't be compiled (a `$ref` to elsewhere, say) answers `bad_schema` and is not called. Prompts and resources are
    not checked: MCP gives them no schema.

    Raises, from a call: InvalidArguments with every problem that was found.
    """

    needs_item: ClassVar[bool] = True

    def __init__(self, inner: ToolSource, *, size: int = SIZE, depth: int = DEPTH) -> None:
        super().__init__(inner)
        self.size = size
        self.depth = depth
        self._schemas = CompiledSchemas()

    async def call_item(self, item: Item | None, call: Call) -> Answer:
        if not isinstance(item, Tool):
            return await self.inner.call(call)
        try:
            self.check(item, call)
        except UnusableSchema as error:
            return failed(
                Failure(
                    code="bad_schema",
                    message=f"the input schema of {call.name!r} can't be used: {error}",
                    hint="Nothing was sent. The tool's owner has to correct its schema; use another tool.",
                    id=call.id,
                )
            )
        return await self.inner.call(call)

    def check(self, tool: Tool, call: Call) -> None:
        """Passes a call that fits the tool. Raises: InvalidArguments, UnusableSchema."""
        arguments = call.arguments if isinstance(call.arguments, dict) else dict(call.arguments)
        check_plain(arguments, tool=call.name, depth=self.depth, size=self.size)
        compiled = self._schemas.of(tool.input_schema)
        if not compiled.validator.is_valid(arguments):
            raise InvalidArguments(read_problems(errors_of(compiled, arguments), tool.input_schema), tool=call.name)
