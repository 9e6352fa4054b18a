"""What people see of a deliberation: values computed from its record, and how they are drawn."""
