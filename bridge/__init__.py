"""Everything that says NATS: streams, dialects in, events out, dead letters; knows the domain, no task queue."""
