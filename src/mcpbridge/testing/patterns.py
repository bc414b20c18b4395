"""A text that a regular expression matches; pure and always the same.

Literals, classes, groups, alternatives and quantifiers are followed; look-around counts as nothing. Whoever asks looks
whether the text matches: for what is not followed here it does not.
"""

from __future__ import annotations

import string

_CLASSES = {"d": "0", "w": "a", "s": " ", "D": "a", "W": "-", "S": "a", "n": "\n", "t": "\t", "r": "\r"}
_NOTHING = frozenset("bBAZzG")
_ANY = string.ascii_letters + string.digits + "-_. /:@"
_REPEATED = {"*": 0, "+": 1, "?": 0}


def text_like(pattern: str, *, length: int = 0) -> str:
    """A text that the pattern should match, of at least so many characters where a repetition allows it."""
    return _Reader(pattern, length).alternatives()


class _Reader:
    """Reads a pattern once, from left to right, and writes the shortest text on the way."""

    def __init__(self, pattern: str, length: int) -> None:
        self.left = list(reversed(pattern))
        self.wanted = length

    def alternatives(self) -> str:
        """The first alternative; the others are read over."""
        first = self.sequence()
        while self.left and self.left[-1] == "|":
            self.left.pop()
            self.sequence()
        return first

    def sequence(self) -> str:
        text = ""
        while self.left and self.left[-1] not in "|)":
            one = self.atom()
            least, most = self.repeats()
            wanted = self.wanted - len(text)
            times = max(least, min(most, -(-wanted // len(one)))) if one and most > 1 and wanted > 0 else least
            text += one * times
        return text

    def atom(self) -> str:
        char = self.left.pop()
        match char:
            case "^" | "$":
                return ""
            case ".":
                return "a"
            case "(":
                return self.group()
            case "[":
                return self.one_of()
            case "\\":
                return self.escaped()
            case _:
                return char

    def escaped(self) -> str:
        char = self.left.pop() if self.left else ""
        if char in _NOTHING:
            return ""
        if char in "ux" and char:
            digits = 4 if char == "u" else 2
            code = "".join(self.left.pop() for _ in range(min(digits, len(self.left))))
            return chr(int(code, 16)) if all(each in string.hexdigits for each in code) and code else char
        return _CLASSES.get(char, char)

    def group(self) -> str:
        seen = True
        if self.left[-1:] == ["?"]:
            self.left.pop()
            kind = self.left.pop() if self.left else ""
            if kind in "=!":
                seen = False
            elif kind in "P<" and self.left:
                seen = self.named(kind)
        text = self.alternatives()
        if self.left:
            self.left.pop()
        return text if seen else ""

    def named(self, kind: str) -> bool:
        """Reads over a group's name; whether it is one, and no look behind."""
        if kind == "<" and self.left[-1] in "=!":
            self.left.pop()
            return False
        while self.left and self.left.pop() != ">":
            pass
        return True

    def one_of(self) -> str:
        """A character that the class holds; of those that it leaves out, another one."""
        negated = self.left[-1:] == ["^"]
        if negated:
            self.left.pop()
        members: list[str] = []
        while self.left and (self.left[-1] != "]" or not members):
            char = self.left.pop()
            if char == "-" and members and self.left and self.left[-1] != "]":
                end = self.left.pop()
                end = self.escaped() if end == "\\" else end
                members += [chr(code) for code in range(ord(members[-1]), min(ord(end), ord(members[-1]) + 200) + 1)]
            else:
                members.append(self.escaped() if char == "\\" else char)
        if self.left:
            self.left.pop()
        if negated:
            return next((char for char in _ANY if char not in members), "")
        return next((char for char in members if char.isalnum()), members[0] if members else "")

    def repeats(self) -> tuple[int, int]:
        least, most = 1, 1
        if self.left and self.left[-1] in _REPEATED:
            char = self.left.pop()
            least, most = _REPEATED[char], 1 if char == "?" else 1_000
        elif self.left[-1:] == ["{"]:
            least, most = self.counted()
        if self.left and self.left[-1] in "?+":  # lazy, possessive
            self.left.pop()
        return least, most

    def counted(self) -> tuple[int, int]:
        text = ""
        self.left.pop()
        while self.left and (char := self.left.pop()) != "}":
            text += char
        low, comma, high = text.partition(",")
        least = min(int(low), 1_000) if low.isdigit() else 0
        return least, (int(high) if high.isdigit() else 1_000) if comma else least
