"""The outside world over HTTP: limits, TLS, one guarded transport per upstream."""
