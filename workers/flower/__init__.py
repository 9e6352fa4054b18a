"""Flower's configuration for our workers: `celery -A workers.app flower --conf=workers/flower/flowerconfig.py`."""
