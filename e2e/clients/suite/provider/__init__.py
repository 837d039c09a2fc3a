"""The provider stand-in: one server that speaks every language of providers, and is as strict as they are.

`server.py` has the paths, `chat.py`, `responses.py`, `anthropic.py` and `gemini.py` each one language, `ask.py` what
all of them read from a request, `script.py` what is answered, `rules.py` how a request is refused.
"""
