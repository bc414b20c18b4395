"""The verdict on conversion: what the harness measured, held against the goals.

`python -m benchmarks.fidelity REPORT.json [FEATURES.json]` prints one row for each measure and exits with 1 where a
goal is missed. The harness calls each tool and decodes the request that leaves by the original description; this only
adds up.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Record = Mapping[str, Any]

EXPLAINED = 0.005
"""The share of parameters and body members that docs/fidelity.md tells why they have no argument."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One measure: what was found, what is asked for, whether that is reached, and if not, whether docs/fidelity.md
    tells why: what descriptions contradict themselves in can't be reached, and may not grow either.
    """

    measure: str
    found: str
    goal: str
    reached: bool
    explained: bool = False

    @property
    def verdict(self) -> str:
        """`reached`, `explained` or `MISSED`."""
        return "reached" if self.reached else "explained" if self.explained else "MISSED"


def verdict(records: Sequence[Record], features: Mapping[str, str] | None = None) -> Sequence[Row]:
    """The rows of the table. Descriptions without operations count for the first row only."""
    broken = [f"{each['spec']}: {why}" for each in records if (why := _broken(each))]
    judged = [each for each in records if each.get("ops")]
    rows = [
        Row(
            measure="descriptions converted without exception",
            found=f"{len(records) - len(broken)} of {len(records)}" + "".join(f"; {why}" for why in broken),
            goal="all",
            reached=bool(records) and not broken,
        ),
        _all("operations that became tools", _sum(judged, "tools"), _sum(judged, "ops")),
        _none("input schemas that are invalid or not self-contained", _total(judged, "schema", "inputSchema.bad")),
        _none("tool names that are illegal or double", _illegal(judged)),
        *_requests(judged),
        *_coverage(judged),
    ]
    if features is not None:
        good = sum(words.split(":")[0] in {"right", "lenient", "xml"} for words in features.values())
        rows.append(_all("one-feature operations", good, len(features)))
    return rows


def _broken(record: Record) -> str:
    if record.get("convert") not in {"ok", None}:
        return str(record.get("error", record["convert"]))
    return str(record.get("harness_error") or ("gave up" if record.get("gave_up") else ""))


def _requests(judged: Sequence[Record]) -> Iterator[Row]:
    tried, right = _total(judged, "fidelity", "tried"), _total(judged, "fidelity", "right")
    lenient, xml = _total(judged, "fidelity", "lenient"), _total(judged, "fidelity", "xml")
    strict = tried - xml - _total(judged, "fidelity", "open")
    yield _share("requests strictly right", right, strict, 0.998)
    yield _share("requests right or lenient", right + lenient, tried - xml, 0.999)
    # A refused '../' is counted as no request there, but stays among the whole ones: it is taken out here too. So is an
    # operation with a path parameter that its path lacks: those that it has are in every request, or it would be wrong.
    refused = _total(judged, "spec_driven", "refused_traversal")
    refused += _total(judged, "spec_causes", "not expressible: path")
    whole = _total(judged, "spec_driven", "whole_tried") - refused
    row = _share("whole requests", _total(judged, "spec_driven", "whole_right"), whole, 0.995)
    yield Row(measure=row.measure, found=f"{row.found}, {refused} apart", goal=row.goal, reached=row.reached)
    untried = _total(judged, "fidelity", "ungenerable")
    share = untried / max(1, tried + untried)
    yield Row(
        measure="requests that could not be tried",
        found=f"{share:.2%} ({untried})",
        goal="≤ 1 %",
        reached=share <= 0.01,
    )


def _coverage(judged: Sequence[Record]) -> Iterator[Row]:
    yield _all(
        "constraints kept", _total(judged, "coverage", "constraints_kept"), _total(judged, "coverage", "constraints")
    )
    yield _all("tools with annotations", _sum(judged, "annotated"), _sum(judged, "tools"))
    for what, key in (("parameters", "params"), ("body members", "body_props")):
        missing, of = _total(judged, "coverage", f"{key}_missing"), _total(judged, "coverage", key)
        found = f"{missing} of {of}"
        few = missing <= EXPLAINED * of
        yield Row(measure=f"{what} without an argument", found=found, goal="0", reached=missing == 0, explained=few)


def _illegal(judged: Sequence[Record]) -> int:
    legal, names = _total(judged, "names", "llm_ok"), _total(judged, "names", "n")
    return names - legal + _total(judged, "names", "dup")


def _share(measure: str, found: int, of: int, goal: float) -> Row:
    share = found / of if of else 0.0
    return Row(
        measure=measure, found=f"{share:.2%} ({found} of {of})", goal=f"≥ {goal * 100:g} %", reached=share >= goal
    )


def _all(measure: str, found: int, of: int) -> Row:
    return Row(measure=measure, found=f"{found} of {of}", goal="all", reached=0 < of == found)


def _none(measure: str, found: int) -> Row:
    return Row(measure=measure, found=str(found), goal="0", reached=found == 0)


def _sum(judged: Sequence[Record], key: str) -> int:
    return sum(each.get(key) or 0 for each in judged)


def _total(judged: Sequence[Record], part: str, key: str) -> int:
    return sum((each.get(part) or {}).get(key, 0) for each in judged)


def _print(rows: Sequence[Row], records: Sequence[Record]) -> None:
    print(f"{'measure':54} {'found':34} {'goal':9} verdict")
    for row in rows:
        print(f"{row.measure:54} {row.found:34} {row.goal:9} {row.verdict}")
    causes: Counter[str] = Counter()
    where: dict[str, str] = {}
    for each in records:
        for part in ("causes", "spec_causes"):
            for cause, times in (each.get(part) or {}).items():
                if not cause.startswith("(note)"):
                    causes[cause] += times
                    where.setdefault(cause, f"{each['spec']}: {(each.get('examples') or {}).get(cause, '')}")
    print("\nwhat was not right, or not tried:" if causes else "\neverything was right")
    for cause, times in causes.most_common():
        print(f"  {times:4} × {cause} — {where[cause][:240]}")


def main(arguments: Sequence[str]) -> int:
    """Prints the table of a report; gives the exit code."""
    records = json.loads(Path(arguments[0]).read_text("utf-8"))
    features = json.loads(Path(arguments[1]).read_text("utf-8")) if len(arguments) > 1 else {}
    rows = verdict(records, features.get("mcpbridge"))
    _print(rows, records)
    return 1 if any(row.verdict == "MISSED" for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
