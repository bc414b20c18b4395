"""What an operation answers with."""

from __future__ import annotations

from collections.abc import Mapping

from mcpbridge.openapi import media
from mcpbridge.openapi.bodies import JSON
from mcpbridge.openapi.jsontext import is_object
from mcpbridge.openapi.operation import Schema
from mcpbridge.openapi.reading import Offer, Reading, object_in
from mcpbridge.openapi.references import Found


def answer_of(reading: Reading, operation: Found) -> tuple[Schema | None, str]:
    """The schema of the JSON of a success, and what to accept. The lowest 2xx counts, `default` where there is none."""
    responses = object_in(operation.value, "responses")
    codes = [code for code in responses if code[:1] == "2"]
    if not codes and "default" in responses:
        codes = ["default"]
    best: Offer | None = None
    medias: dict[str, None] = {}
    for code in sorted(codes):
        found = reading.follow(responses[code], operation.base, ((operation.trail, "responses"), code))
        if found is None or not is_object(found.value):
            continue
        for offer in reading.dialect.answers(reading, operation, found):
            medias[offer.media] = None
            if best is None and offer.schema.value is not None and media.is_json(media.essence(offer.media)):
                best = offer
    return None if best is None else reading.schemas.answer(best.schema), _accept(medias)


def _accept(medias: Mapping[str, None]) -> str:
    """JSON where it is offered, else all that is (RFC 9110 section 12.5.1)."""
    if JSON in medias:
        return JSON
    plain = [each.strip() for each in medias if "/" in each and each.isascii() and each.isprintable()]
    json = [each for each in plain if media.is_json(media.essence(each))]
    return ", ".join(json or plain) or "*/*"
