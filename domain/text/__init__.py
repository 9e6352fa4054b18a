"""What proposals are made of as text: what people can see of them, and where their code is."""
