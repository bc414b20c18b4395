"""Media types, as far as bodies and answers ask about them (RFC 9110 section 8.3.1, RFC 6838)."""

from __future__ import annotations

import re

_PARAMETER = re.compile(r';\s*([!#$%&\'*+.^_`|~0-9A-Za-z-]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^;]*)')
_CHARSET = re.compile(
    r"utf-?(8|16|32)(-?[lb]e)?|(us-)?ascii|(iso[-_]?)?8859[-_]\d{1,2}|latin-?\d{1,2}|(windows|cp|ibm)-?\d{3,4}"
    r"|koi8-[rtu]|big5(-hkscs)?|gb(k|2312|18030)|euc-(jp|kr)|shift[-_]jis|iso-2022-(jp|kr)|tis-620|mac-?roman"
)
_LINES = frozenset(
    f"application/{name}" for name in ("jsonl", "x-ndjson", "ndjson", "x-jsonlines", "json-lines", "json-seq")
)


def essence(media: str) -> str:
    """`type/subtype` in lower case, without parameters."""
    return media.partition(";")[0].strip().lower()


def parameter(media: str, name: str) -> str | None:
    """One parameter of a media type, unquoted, or None."""
    if ";" not in media:
        return None
    for found in _PARAMETER.finditer(media):
        if found[1].lower() == name:
            text = found[2].strip()
            return re.sub(r"\\(.)", r"\1", text[1:-1]) if text.startswith('"') else text
    return None


def charset(media: str, otherwise: str) -> str | None:
    """The declared charset (RFC 9110 section 8.3.2), `otherwise` where none is, None for one that no server of today
    sends: Python takes codecs of its own for charsets, and some of them need a time that grows with the square.
    """
    name = parameter(media, "charset")
    if name is None:
        return otherwise
    return name if _CHARSET.fullmatch(name.lower()) else None


def is_lines(kind: str) -> bool:
    """Whether an essence means one JSON text a line (or a record, RFC 7464 and RFC 8091)."""
    return kind in _LINES or kind.endswith("+json-seq")


def is_json(kind: str) -> bool:
    """Whether an essence means one JSON text: `application/json`, `text/json`, any `+json`."""
    return kind.endswith(("/json", "+json"))


def is_xml(kind: str) -> bool:
    """Whether an essence means XML (RFC 7303)."""
    return kind.endswith(("/xml", "+xml"))


def is_yaml(kind: str) -> bool:
    """Whether an essence means YAML (RFC 9512); every JSON text is YAML."""
    return kind.endswith(("yaml", "yml"))


def is_form(kind: str) -> bool:
    """Whether an essence means an HTML form's pairs."""
    return kind == "application/x-www-form-urlencoded"


def is_text(kind: str) -> bool:
    """Whether an essence means text that a person can read."""
    return kind.startswith("text/") or is_xml(kind) or is_yaml(kind) or kind in _TEXTUAL


_TEXTUAL = frozenset(
    {
        "application/graphql",
        "application/javascript",
        "application/sql",
        "application/toml",
        "application/x-sh",
        "application/x-www-form-urlencoded",
        "application/jwt",
        "application/x-pem-file",
        "application/pem-certificate-chain",
    }
)
