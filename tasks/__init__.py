"""Celery entrypoints and the canvas: ids in, one domain step, a small value out; knows no NATS and no adapter."""
