"""The tool that a failure advises to check with, named as the caller sees it.

`Retry` stands inside the wrappers that hide and rename. What they hide must not be named by a failure either.
"""

from __future__ import annotations

from dataclasses import replace

from mcpbridge.errors import Failure
from mcpbridge.source.answer import error_of, failed
from mcpbridge.source.base import Answer, Hidden, Wrapper
from mcpbridge.tools import Caller
from mcpbridge.wrap.retry_rules import check_hint

CHECK = "check"


async def renamed_check(answer: Answer, wrapper: Wrapper, caller: Caller) -> Answer:
    """The answer with the tool to check with as the wrapper shows it, or without one where it shows none."""
    failure = error_of(answer)
    if failure is None or failure.code != "outcome_unknown" or CHECK not in failure.details:
        return answer
    name = await _outer(str(failure.details[CHECK]), wrapper, caller)
    return failed(_told(failure, name))


async def _outer(name: str, wrapper: Wrapper, caller: Caller) -> str | None:
    try:
        shown = wrapper.show(await wrapper.inner.get("tool", name, caller), caller)
    except Exception:  # noqa: BLE001 - a rule of the host's that raises hides, as it does everywhere
        return None
    return None if isinstance(shown, Hidden) else shown.key


def _told(failure: Failure, name: str | None) -> Failure:
    details = {member: value for member, value in failure.details.items() if member != CHECK}
    return replace(failure, hint=check_hint(name), details={**details, CHECK: name} if name else details)
