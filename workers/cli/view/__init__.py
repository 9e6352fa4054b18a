"""How people see a deliberation on a terminal: the drawing of the values of `domain.views`."""
