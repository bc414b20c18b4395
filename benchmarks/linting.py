"""How long linting takes, how often each rule fires, and how far the estimate of tokens is off.

`python -m benchmarks.linting CORPUS` lints every description of a folder. `--tokens FOLDER` compares the estimate with
the tokenizers of npm's `gpt-tokenizer`, which has to be installed in that folder (`npm install gpt-tokenizer`).
"""

from __future__ import annotations

import argparse
import gc
import json
import random
import statistics
import subprocess
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from benchmarks.reading import entries
from mcpbridge import Document, Tool, lint, read_operations, to_tool
from mcpbridge.linting.table import RULES
from mcpbridge.linting.tokens import tokens_of_json

SECONDS = 10.0
NOISE = 0.6
SAMPLE = 20
COUNT = """
const { countTokens } = require("gpt-tokenizer/encoding/" + process.argv[1]);
const texts = JSON.parse(require("fs").readFileSync(0, "utf8"));
console.log(JSON.stringify(texts.map((text) => countTokens(text, { disallowedSpecial: new Set() }))));
"""


def main() -> int:
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("corpus", type=Path)
    words.add_argument("--tokens", type=Path, metavar="FOLDER")
    said = words.parse_args()
    gc.disable()
    sets = [[to_tool(each) for each in read_operations(Document.parse(path))] for path in entries(said.corpus)]
    return errors_of_tokens(sets, said.tokens) if said.tokens else frequencies(sets)


def frequencies(sets: Sequence[Sequence[Tool]]) -> int:
    """Prints seconds of CPU, and the share of tools that each rule speaks of; 1 where a goal is missed."""
    begin = time.process_time()
    counts = Counter(finding.code for tools in sets for finding in lint(tools))
    seconds, total = time.process_time() - begin, sum(map(len, sets))
    for rule in RULES:
        print(f"{rule.code} {rule.severity:8}{counts[rule.code]:7} {counts[rule.code] / total:7.2%}  {rule.title}")
    most = max(counts.values(), default=0) / total
    print(f"{total} tools of {len(sets)} descriptions in {seconds:.2f} s of CPU; the commonest rule: {most:.1%}")
    return int(seconds > SECONDS or most > NOISE)


def errors_of_tokens(sets: Sequence[Sequence[Tool]], folder: Path) -> int:
    """Prints how far the estimate is off, and for comparison a quarter of the characters."""
    drawn = random.Random(1)
    tools = [tool.to_wire() for each in sets for tool in drawn.sample(each, min(SAMPLE, len(each)))]
    texts = [json.dumps(tool, ensure_ascii=False, separators=(",", ":")) for tool in tools]
    chosen = [(text, tokens_of_json(tool)) for text, tool in zip(texts, tools, strict=True) if len(text) < 200_000]
    for encoding in ("o200k_base", "cl100k_base"):
        real = _counted([text for text, _ in chosen], encoding, folder)
        _tell(f"{encoding}: ours", [count for _, count in chosen], real)
        _tell(f"{encoding}: a quarter", [len(text) // 4 for text, _ in chosen], real)
    return 0


def _counted(texts: Sequence[str], encoding: str, folder: Path) -> Sequence[int]:
    command = ["node", "-e", COUNT, encoding]
    done = subprocess.run(command, cwd=folder, input=json.dumps(texts), capture_output=True, text=True, check=True)
    counts: list[int] = json.loads(done.stdout)
    return counts


def _tell(what: str, ours: Sequence[int], real: Sequence[int]) -> None:
    off = sorted(abs(one / other - 1) for one, other in zip(ours, real, strict=True))
    median, ninth = statistics.median(off), off[len(off) * 9 // 10]
    print(f"{what:28} median {median:.1%}, nine of ten within {ninth:.1%}, all together {sum(ours) / sum(real):.3f}")


if __name__ == "__main__":
    raise SystemExit(main())
