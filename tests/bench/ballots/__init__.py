"""Which form of ballot a model answers best: forms and readings over scenes with a text known to be the worst."""
