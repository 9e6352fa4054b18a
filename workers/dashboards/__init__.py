"""A Grafana dashboard and Prometheus alert rules over the metrics of our processes, as files."""
