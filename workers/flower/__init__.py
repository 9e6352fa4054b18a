"""How Flower shows our workers: `celery -A workers.app flower --conf=workers/flower/flowerconfig.py`."""
