"""Everything that says HTTP to people and programs; it knows the domain alone."""
