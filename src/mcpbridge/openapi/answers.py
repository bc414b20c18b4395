"""What an operation answers with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mcpbridge.openapi import media
from mcpbridge.openapi.bodies import JSON
from mcpbridge.openapi.jsontext import is_object
from mcpbridge.openapi.operation import Schema
from mcpbridge.openapi.reading import Offer, Reading, object_in
from mcpbridge.openapi.references import Found


def answer_of(reading: Reading, operation: Found) -> tuple[Schema | None, str]:
    """The schema of the JSON of a success, and what to accept. The lowest 2xx counts, `default` where there is none."""
    responses = object_in(operation.value, "responses")
    codes = sorted(code for code in responses if code[:1] == "2")
    best: Offer | None = None
    medias: dict[str, None] = {}
    for code in codes or [code for code in ("default",) if code in responses]:
        trail = ((operation.trail, "responses"), code)
        found = reading.follow(responses[code], operation.base, trail)
        if found is None or not is_object(found.value):
            continue
        for offer in _offers(reading, operation, found):
            medias[offer.media] = None
            if best is None and media.is_json(media.essence(offer.media)) and offer.schema.value is not None:
                best = offer
    output = None
    if best is not None:
        output = reading.schemas.convert(best.schema.value, best.schema.base, best.schema.trail, output=True)
    return output, _accept(medias)


def _offers(reading: Reading, operation: Found, response: Found) -> Sequence[Offer]:
    key = id(response.value)
    if reading.dialect.name == "2.0":  # what an operation produces is its own
        return reading.dialect.answers(reading, operation, response)
    if key not in reading.answers:
        reading.answers[key] = reading.dialect.answers(reading, operation, response)
    return reading.answers[key]


def _accept(medias: Mapping[str, None]) -> str:
    """JSON where it is offered, else all that is (RFC 9110 section 12.5.1)."""
    plain = [each.strip() for each in medias if "/" in each and each.isascii() and each.isprintable()]
    if JSON in plain:
        return JSON
    json = [each for each in plain if media.is_json(media.essence(each))]
    return ", ".join(json or plain) or "*/*"
