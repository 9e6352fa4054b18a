"""Whether a council beats a single agent, measured on tasks whose answers can be checked. Pure."""
