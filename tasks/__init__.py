"""Celery entrypoints and the canvas: arguments in, one domain step, a small value out; knows no NATS, no adapter."""
