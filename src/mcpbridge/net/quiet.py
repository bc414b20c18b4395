"""httpcore2's log of details without the headers of answers: an upstream may say a credential back in them."""

from __future__ import annotations

import logging
from typing import Final

_HEADERS: Final = "receive_response_headers.complete"


class _NoHeaders(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.msg, str) and record.msg.startswith(_HEADERS):
            record.msg, record.args = _HEADERS, ()
        return True


_NO_HEADERS: Final = _NoHeaders()


def keep_headers_out_of_logs() -> None:
    """From now on, in this process. Doing it again does nothing."""
    logging.getLogger("httpcore2.http11").addFilter(_NO_HEADERS)
