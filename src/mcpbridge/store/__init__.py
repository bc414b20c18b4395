"""Where records are kept: SQLite for one machine, Postgres for any number of replicas.

`open_store` gives a `Store`; `schema` holds its tables. This package knows nothing of what the records mean.
"""
