"""Which operations have a strategy of their own. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Final

import httpx2

from mcpbridge.errors import ConfigError
from mcpbridge.openapi.operation import Operation

SCHEME: Final = "scheme:"
"""What stands before the name of a security scheme; no name of a tool holds a colon."""

OperationAuth = Mapping[str, httpx2.Auth | None]
"""Strategies by a pattern of operations' names (`issues_*`), or by a security scheme (`scheme:adminKey`).

None signs nothing. The first that fits an operation counts.
"""


def own_auths(operations: Iterable[Operation], given: OperationAuth) -> dict[str, httpx2.Auth | None]:
    """The strategy of each operation that has its own, by its name. Raises: ConfigError for a key that fits none."""
    fitting = {key: _fitting(key) for key in given}
    unused, found = dict.fromkeys(given), dict[str, httpx2.Auth | None]()
    for operation in operations:
        keys = [key for key, fits in fitting.items() if fits(operation)]
        for key in keys:
            unused.pop(key, None)
        if keys:
            found[operation.name] = given[keys[0]]
    if unused:
        what = "uses this security scheme" if next(iter(unused)).startswith(SCHEME) else "has such a name"
        raise ConfigError(
            f"operation_auth={{{next(iter(unused))!r}: …}}: no operation {what}; list the tools to see them"
        )
    return found


def _fitting(key: str) -> Callable[[Operation], bool]:
    if not key.startswith(SCHEME):
        return lambda operation: fnmatchcase(operation.name, key)
    scheme = key.removeprefix(SCHEME)
    return lambda operation: any(scheme in requirement for requirement in operation.security or ())
