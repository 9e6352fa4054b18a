"""What people and programs see of a deliberation, computed from its record; how it is drawn is the edges'."""
