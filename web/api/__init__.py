"""What programs read: the same values that pages show, as JSON; docs/schema/openapi.json is written from these."""
