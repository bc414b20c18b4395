"""Texts of a description as a model should read them: no markup, no invisible characters, a bounded length.

Characters that a person does not see can carry instructions that only a model reads (tag characters U+E0000 to
U+E007F, bidirectional overrides, zero-width characters, terminal escapes): they are taken out everywhere.
"""

from __future__ import annotations

import re

_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
_INVISIBLE = re.compile(
    "[\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f-\\x9f\\xad\\u034f\\u061c\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f"
    "\\u200b-\\u200f\\u202a-\\u202e\\u2060-\\u206f\\u3164\\ufe00-\\ufe0f\\ufeff\\uffa0\\ufff0-\\ufffb\\ud800-\\udfff"
    "\\U0001d173-\\U0001d17a\\U000e0000-\\U000e0fff]"
)
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_BLOCK = re.compile(r"<(?:script|style)\b.*?(?:</(?:script|style)>|\Z)", re.DOTALL | re.IGNORECASE)
_TAG = re.compile(
    r"</?(?:a|abbr|article|aside|b|blockquote|body|br|caption|center|cite|code|col|colgroup|dd|del|details|div|dl|dt|em|"
    r"figure|font|footer|h[1-6]|head|header|hr|html|i|iframe|img|important|input|ins|instructions?|kbd|label|li|link|main|"
    r"mark|meta|nav|object|ol|option|p|pre|q|s|samp|section|select|small|source|span|strike|strong|sub|summary|sup|svg|"
    r"system|table|tbody|td|tfoot|th|thead|tr|tt|u|ul|var|video|wbr)(?:\s[^<>]*|\s*/)?>",
    re.IGNORECASE,
)
_INLINE = re.compile(
    r"</?(?:a|abbr|b|cite|code|del|em|font|i|ins|kbd|mark|q|s|samp|small|span|strike|strong|su[bp]|tt|u|var)\b",
    re.IGNORECASE,
)
"""Elements inside a sentence; others end a word."""

_LINK = re.compile(r"!?\[([^\[\]]*)\]\((?:[^()\s]|\([^()]*\))*(?:\s+[\"'][^\"']*[\"'])?\s*\)")
_AUTOLINK = re.compile(r"<(https?://[^<>\s]+)>")
_HEADING = re.compile(r"^\s{0,3}#{1,6}\s+", re.MULTILINE)
_ENTITY = re.compile(r"&(?:nbsp|amp|quot|apos|#39|#x27);")
_ENTITIES = {"&nbsp;": " ", "&amp;": "&", "&quot;": '"', "&apos;": "'", "&#39;": "'", "&#x27;": "'"}
_SENTENCE = re.compile(
    r"(?<=[.!?])(?<!\be\.g\.)(?<!\bi\.e\.)(?<!\betc\.)(?<!\bvs\.)[\"')\]]*\s+(?=[\"'(`*_\[]*[A-Z0-9])"
)
_PARAGRAPH = re.compile(r"\n\s*\n")

_UNSPOKEN = frozenset("#`~|-=<")
"""What a paragraph begins with that may say nothing."""

PROPERTY_LENGTH = 400
"""The most characters that the description of an argument, or of a part of one, takes in a tool."""


def clean(text: str) -> str:
    """The text without markup and invisible characters; lines stay lines."""
    if _is_plain(text):
        return text
    if "\x1b" in text:
        text = _ESCAPES.sub("", text)
    if not text.isprintable():
        text = _INVISIBLE.sub("", text)
    if "<" in text:
        text = _TAG.sub(_space, _AUTOLINK.sub(r"\1", _BLOCK.sub(" ", _COMMENT.sub(" ", text))))
    if "](" in text:
        text = _LINK.sub(r"\1", text)
        if "](" in text:  # a badge: an image inside a link
            text = _LINK.sub(r"\1", text)
    if "&" in text:
        text = _ENTITY.sub(lambda found: _ENTITIES[found[0]], text)
    return text


def _space(found: re.Match[str]) -> str:
    return "" if _INLINE.match(found[0]) else " "


def _is_plain(text: str) -> bool:
    return text.isascii() and text.isprintable() and "<" not in text and "](" not in text and "&" not in text


def line(text: str, length: int = PROPERTY_LENGTH) -> str:
    """The text cleaned, in one line, of at most `length` characters, cut after a sentence or a word."""
    if len(text) <= length and _is_plain(text) and "  " not in text and text[:1] != " " != text[-1:]:
        return text
    if len(text) > 4 * length:
        text = text[: 4 * length]
    text = clean(text)
    if "\n" in text or "  " in text or text[:1] == " " or text[-1:] == " ":
        text = " ".join((_HEADING.sub("", text) if "#" in text else text).split())
    return text if len(text) <= length else cut(text, length)


def cut(text: str, length: int) -> str:
    """The text up to the last sentence that ends within `length` characters, else up to a word and an ellipsis."""
    if len(text) <= length:
        return text
    ends = [found.start() for found in _SENTENCE.finditer(text[: length + 2])]
    if ends and ends[-1] >= length // 3:
        return text[: ends[-1]].rstrip()
    head = text[: length - 1]
    return head[: max(head.rfind(" "), length // 2)].rstrip(" ,;:") + "…"


def first_sentence(text: str, length: int) -> str:
    """The first sentence of a longer text, in one line."""
    text = text[: 4 * length].strip()
    paragraph, _, rest = text.partition("\n\n")
    if rest and paragraph[0] in _UNSPOKEN and not _speaks(paragraph):
        paragraph = next((part for part in _PARAGRAPH.split(rest) if _speaks(part)), "")
    sentence = line(paragraph, 2 * length)
    end = _SENTENCE.search(sentence)
    return cut(sentence if end is None else sentence[: end.start()], length)


def _speaks(paragraph: str) -> bool:
    """Whether a paragraph says something: no heading alone, rule, fence or table."""
    text = paragraph.strip()
    return bool(text) and not re.match(r"(?:#{1,6}\s[^\n]*\Z|```|~~~|\||-{3,}|={3,}|<[^>]*>\s*\Z)", text)
