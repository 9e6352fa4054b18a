"""What a deliberation is: values, events, decisions, ports, prompts; knows no broker, client or clock."""
