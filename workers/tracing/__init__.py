"""One trace from the incoming message to the outgoing event (extra `otel`)."""
