"""OAuth 2.1 towards upstreams: tokens for each user or for the gateway, had, kept, refreshed once, and given up.

Pure, without a client, a clock or a file: `values`, `checks`, `metadata`, `forms`, `clients`, `answer`. What talks to
others stands on them: `channel` and `discovery` reach authorization servers, `kept` and `refresh` hold tokens in the
store, and `code`, `credentials`, `exchange` and `forward` are the strategies. Nothing here serves HTTP or opens a
browser; `callback` is the one ASGI route.
"""
