"""`conclave doctor`: what would keep this installation from deliberating, a line each."""
