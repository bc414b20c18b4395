"""The credentials of a record on their way into the vault, and out of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from mcpbridge.errors import ConfigError
from mcpbridge.integrations.credential import Stored
from mcpbridge.integrations.credentials import Record, credentials, with_credentials
from mcpbridge.integrations.record import Integration
from mcpbridge.secret import Secret
from mcpbridge.vault.envelope import Envelope, Place
from mcpbridge.vault.errors import SecretRefused
from mcpbridge.vault.vault import Vault

Sealed: TypeAlias = Sequence[tuple[Place, Envelope]]


async def sealed(vault: Vault | None, record: Integration, *, tenant: str, id: str, revision: int) -> Sealed:
    """The credentials that were given just now, sealed for this revision.

    Raises: ConfigError where there is no vault for them; KeyUnavailable.
    """
    given = {path: value for path, value in credentials(record).items() if isinstance(value, Secret)}
    if vault is None:
        if given:
            raise ConfigError(
                f"{next(iter(given))} of {record.name!r} is a credential, and there is no vault to keep it: "
                "pass Integrations(store, Vault(store, keys))"
            )
        return ()
    places = {path: Place(tenant=tenant, integration=id, field=path, revision=revision) for path in given}
    return [(places[path], await vault.seal(places[path], secret)) for path, secret in given.items()]


def noted(record: Record, *, revision: int, at: float) -> Record:
    """The record as it is kept: of each credential that was given just now, only that it is stored, and since when."""
    kept = Stored(revision=revision, updated_at=at)
    return with_credentials(record, lambda _, value: kept if isinstance(value, Secret) else value)


async def unsealed(
    vault: Vault, record: Record, envelopes: Mapping[Place, Envelope], *, tenant: str, id: str
) -> Record:
    """The record with the credentials themselves. Raises: SecretRefused, KeyUnavailable."""
    opened: dict[str, Secret | Stored] = {}
    for path, value in credentials(record).items():
        if isinstance(value, Stored):
            place = Place(tenant=tenant, integration=id, field=path, revision=value.revision)
            if place not in envelopes:
                raise SecretRefused(place, "it is gone, or of another revision than its integration says")
            opened[path] = await vault.unseal(place, envelopes[place])
    return with_credentials(record, lambda path, value: opened.get(path) or value)
