"""What a deliberation is: values, events, decisions, ports and prompts; knows no broker, model client or clock."""
