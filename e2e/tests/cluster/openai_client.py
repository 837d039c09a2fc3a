"""What an application does with OpenAI's SDK, unchanged but for the base URL and the key. Run by clients.rs."""

import json

import openai

client = openai.OpenAI(max_retries=0, timeout=30)
hello = [{"role": "user", "content": "who are you?"}]


def raises(kind, model, call=None, **more):
    try:
        (call or client).chat.completions.create(model=model, messages=hello, **more)
    except openai.OpenAIError as error:
        assert type(error) is kind, f"{model}: {type(error).__name__} and not {kind.__name__}: {error}"
        return error
    raise AssertionError(f"{model}: no error, and {kind.__name__} was due")


# Plain.
answer = client.chat.completions.create(model="sdk-plain", messages=hello)
assert answer.choices[0].message.content == "I am gpt-sdk.", answer
assert answer.usage.total_tokens == 15, answer.usage
assert answer.usage.prompt_tokens_details.cached_tokens == 3, answer.usage
assert client.chat.completions.with_raw_response.create(model="sdk-plain", messages=hello).status_code == 200

# Models.
assert {"hello", "sdk-plain"} <= {model.id for model in client.models.list()}
assert client.models.retrieve("sdk-plain").id == "sdk-plain"

# A stream.
words = []
for chunk in client.chat.completions.create(model="sdk-slow", messages=hello, stream=True):
    words.append(chunk.choices[0].delta.content or "")
assert "".join(words).split() == [f"slow-stream-5x100ms:{n}" for n in range(5)], words

# Tools, whole and streamed.
tools = [{"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object"}}}]
answer = client.chat.completions.create(model="sdk-tools", messages=hello, tools=tools)
call = answer.choices[0].message.tool_calls[0]
assert call.function.name == "get_weather" and json.loads(call.function.arguments)["city"] == "Köln", call
assert answer.choices[0].finish_reason == "tool_calls", answer
pieces = []
for chunk in client.chat.completions.create(model="sdk-tools", messages=hello, tools=tools, stream=True):
    for call in chunk.choices[0].delta.tool_calls or []:
        pieces.append(call.function.arguments or "")
assert json.loads("".join(pieces)) == {"city": "Köln", "unit": "celsius"}, pieces

# Errors are of the classes that applications catch.
stranger = openai.OpenAI(api_key="sk-not-the-key-but-long-enough", max_retries=0)
assert raises(openai.AuthenticationError, "sdk-plain", stranger).code == "invalid_api_key"
assert raises(openai.NotFoundError, "no-such-model").code == "model_not_found"
raises(openai.RateLimitError, "sdk-busy")
raises(openai.BadRequestError, "sdk-bad")
raises(openai.InternalServerError, "sdk-broken")
raises(openai.InternalServerError, "sdk-broken", stream=True)

# A stream that breaks raises; it does not end as if it were whole.
try:
    for chunk in client.chat.completions.create(model="sdk-cut", messages=hello, stream=True):
        assert chunk.choices[0].finish_reason is None, chunk
    raise AssertionError("a cut stream ended as if it were whole")
except openai.APIError as error:
    assert "AssertionError" not in repr(error)

print("all well")
