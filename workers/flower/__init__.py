"""What Flower is told about our workers: `celery -A workers.app flower --conf=workers/flower/flowerconfig.py`."""
