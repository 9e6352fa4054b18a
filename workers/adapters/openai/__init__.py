"""Models behind OpenAI's chat completions; `OpenAIChatModel` is the one door."""
