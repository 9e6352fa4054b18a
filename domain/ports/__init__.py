"""What the domain asks of the world: one Protocol a file, each implemented by an adapter of the same name."""
