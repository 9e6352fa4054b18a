"""Prometheus metrics of a process and the endpoint that shows them."""
