#!/usr/bin/env python3
"""What calls cost, computed a second time: straight from LiteLLM's price file, with fractions, sharing nothing with
the gateway. The tests of gateway/src/cost ask it and compare.

    oracle.py WHEEL < questions

Each line of the questions is a JSON object, each line of the answer too:
    {"used": {meter: units}}       -> {"nano": 0}: from now on this is what was used
    {"name", "tier", "prompt"}     -> {"nano"}: what that costs by the line of that name
    {"file", "provider", "model"}  -> {"nano", "told"}: what the recorded answer in it costs, and what its provider
                                      says; null where unknown
"""

import json
import re
import sys
import zipfile
from decimal import Decimal
from fractions import Fraction

SUFFIX = {"standard": "", "priority": "_priority", "flex": "_flex", "batch": "_batches", "balanced": "_balanced",
          "ultrafast": "_ultrafast"}  # fmt: skip

# Of each meter: the fields that may hold its price, the first that does counts. `/1000` is by the second.
FIELDS = {
    "input": ["input_cost_per_token"],
    "cached": ["cache_read_input_token_cost", "input_cost_per_token"],
    "write": ["cache_creation_input_token_cost", "input_cost_per_token"],
    "write-hour": ["cache_creation_input_token_cost_above_1hr", "cache_creation_input_token_cost", "input_cost_per_token"],
    "audio-in": ["input_cost_per_audio_token", "input_cost_per_token"],
    "audio-cached": ["cache_read_input_audio_token_cost", "cache_read_input_token_cost", "input_cost_per_token"],
    "image-in": ["input_cost_per_image_token", "input_cost_per_token"],
    "video-in": ["input_cost_per_video_token", "input_cost_per_token"],
    "output": ["output_cost_per_token"],
    "reasoning": ["output_cost_per_reasoning_token", "output_cost_per_token"],
    "audio-out": ["output_cost_per_audio_token", "output_cost_per_token"],
    "image-out": ["output_cost_per_image_token", "output_cost_per_token"],
    "video-out": ["output_cost_per_video_token", "output_cost_per_token"],
    "citation": ["citation_cost_per_token"],
    "request": ["input_cost_per_request"],
    "query": ["input_cost_per_query"],
    "session": ["code_interpreter_cost_per_session"],
    "page": ["ocr_cost_per_page"],
    "note-page": ["annotation_cost_per_page"],
    "character-in": ["input_cost_per_character"],
    "character-out": ["output_cost_per_character"],
    "picture-in": ["input_cost_per_image"],
    "picture-out": ["output_cost_per_image"],
    "pixel-in": ["input_cost_per_pixel"],
    "pixel-out": ["output_cost_per_pixel"],
    "ms-in": ["input_cost_per_second/1000"],
    "ms-out": ["output_cost_per_second/1000"],
    "audio-ms-in": ["input_cost_per_audio_per_second/1000"],
    "video-ms-in": ["input_cost_per_video_per_second/1000"],
    "video-ms-out": ["output_cost_per_video_per_second/1000"],
}


def main():
    with zipfile.ZipFile(sys.argv[1]) as archive:
        text = archive.read("litellm/model_prices_and_context_window_backup.json")
    models = {name.lower(): model for name, model in json.loads(text, parse_float=Decimal).items()}
    used = {}
    for line in sys.stdin:
        question = json.loads(line)
        if "used" in question:
            used, answer = question["used"], {"nano": 0}
        elif "name" in question:
            model = aliased(models, question["name"])
            answer = {"nano": nano(bill(model, used, question["tier"], question["prompt"]))}
        else:
            answer = recorded(models, question)
        print(json.dumps(answer))


def aliased(models, name):
    model = models[name]
    return models[model["alias_of"].lower()] if "alias_of" in model else model


def nano(dollars):
    """Whole nano-dollars. Python's own rounding of a fraction is half to even."""
    return None if dollars is None else round(dollars * 10**9)


# Prices


def bill(model, used, tier, prompt):
    return sum((Fraction(units) * price(model, meter, tier, prompt) for meter, units in used.items()), Fraction(0))


def price(model, meter, tier, prompt):
    provider = model["litellm_provider"]
    if meter in ("search", "grounding"):
        sizes = model.get("search_context_cost_per_query")
        old_google = provider in ("gemini", "vertex_ai", "vertex_ai-language-models") and (
            model.get("web_search_billing_unit") != "per_query"
        )
        return Fraction(sizes["search_context_size_medium"]) if sizes and (meter == "grounding") == old_google else 0
    if model.get("mode") == "audio_transcription" and meter in ("ms-in", "ms-out") and model.get("output_cost_per_second"):
        # Billed once, whichever field has it.
        return Fraction(model["output_cost_per_second"]) / 1000 if meter == "ms-in" else 0
    for field in FIELDS[meter]:
        field, _, by = field.partition("/")
        found = listed(model, field, tier, prompt)
        if field == "output_cost_per_reasoning_token" and found is not None and tier != "standard":
            # Thoughts follow the tier of the output where they have none of their own.
            of_output = model.get("output_cost_per_token" + SUFFIX[tier])
            found = found if of_output is None else None
        if field == "cache_read_input_token_cost" and found is None and provider.startswith("fireworks_ai"):
            found = half(model.get("input_cost_per_token")) if provider == "fireworks_ai" else None
        if field == "output_cost_per_token" and not found and model.get("output_cost_per_image_token"):
            found = Fraction(model["output_cost_per_image_token"])
        if found is not None:
            return found / int(by or 1)
    return 0


def half(value):
    return None if value is None else Fraction(value) / 2


def listed(model, field, tier, prompt):
    """The price in `field` or in one of its kin for long prompts; None if there is none."""
    ranged = in_range(model, field, prompt)
    if ranged is not None:
        return ranged
    found = None
    for suffix in dict.fromkeys(["", SUFFIX[tier]]):
        value = model.get(field + suffix)
        found = found if value is None else Fraction(value)
    for limit in limits(model, field):
        is_long = prompt >= limit if model["litellm_provider"] == "xai" else prompt > limit
        for suffix in dict.fromkeys(["", SUFFIX[tier]]):
            for spelled in (f"{limit // 1000}k", str(limit)):
                value = model.get(f"{field}_above_{spelled}_tokens{suffix}")
                found = Fraction(value) if is_long and value is not None else found
    return found


KNOWN_LIMITS = {}


def limits(model, field):
    """The lengths of prompts that the price in `field` changes at."""
    place = (id(model), field)
    if place not in KNOWN_LIMITS:
        kin = (re.match(r"(.*)_above_(\d+)(k?)_tokens", key) for key in model if key.startswith(field + "_above_"))
        found = {int(match[2]) * (1000 if match[3] else 1) for match in kin if match and match[1] == field}
        KNOWN_LIMITS[place] = sorted(found)
    return KNOWN_LIMITS[place]


def in_range(model, field, prompt):
    if "tiered_pricing" not in model:
        return None
    grades = [grade for grade in model.get("tiered_pricing", []) if "range" in grade]
    grades.sort(key=lambda grade: grade["range"][0])
    if not any(field in grade for grade in grades):
        return None
    inside = [grade for grade in grades if grade["range"][0] < prompt or grade is grades[0]]
    kin = "output_cost_per_token" if field.startswith("output") else "input_cost_per_token"
    return Fraction(inside[-1].get(field, inside[-1].get(kin)))


# Recorded answers


def recorded(models, question):
    with open(question["file"], encoding="utf-8") as file:
        exchange = json.load(file, parse_float=Decimal)
    used = {"chat": chat, "completions": chat, "messages": messages, "generate_content": gemini, "responses": responses}[exchange["kind"]](
        events(exchange["response"])
    )
    if used is None:
        return {"nano": None, "told": None}
    tier, told = used.pop("tier"), used.pop("told")
    prompt = sum(used[meter] for meter in
                 ("input", "cached", "write", "write-hour", "audio-in", "audio-cached", "image-in") if meter in used)  # fmt: skip
    used["grounding"] = min(used.get("search", 0), 1)
    used["request"] = 1
    model = find(models, question["provider"], question["model"].lower())
    return {"nano": None if model is None else nano(bill(model, used, tier, prompt)), "told": nano(told)}


def events(response):
    """The JSON objects that an answer is made of."""
    if response.get("body") is not None:
        return [response["body"]]
    data = [line[5:].strip() for line in "".join(response["chunks"]).splitlines() if line.startswith("data:")]
    return [json.loads(text, parse_float=Decimal) for text in data if text and text != "[DONE]"]


def count(value):
    return int(value) if isinstance(value, (int, Decimal)) and not isinstance(value, bool) and value >= 0 else 0


def tier(*words):
    names = {"priority": "priority", "flex": "flex", "batch": "batch", "on_demand_flex": "flex",
             "on_demand_priority": "priority", "fast": "priority"}  # fmt: skip
    for word in words:
        if isinstance(word, str) and (word.lower() in names or word.lower() in ("default", "standard", "on_demand")):
            return names.get(word.lower(), "standard")
    return "standard"


def told(usage):
    cost = usage.get("cost")
    cost = cost.get("total_cost") if isinstance(cost, dict) else cost
    if isinstance(cost, (int, Decimal)):
        return Fraction(cost)
    ticks = usage.get("cost_in_usd_ticks")
    return None if ticks is None else Fraction(ticks) / 10**10


def chat(chunks):
    found = None
    for chunk in chunks:
        usage = chunk.get("usage") or (chunk.get("x_groq") or {}).get("usage")
        if isinstance(usage, dict) and ("prompt_tokens" in usage or "completion_tokens" in usage):
            found = (usage, chunk.get("service_tier"))
    if found is None:
        return None
    usage, beside = found
    details, made = usage.get("prompt_tokens_details") or {}, usage.get("completion_tokens_details") or {}
    prompt, completion = count(usage.get("prompt_tokens")), count(usage.get("completion_tokens"))
    hidden = max(count(usage.get("total_tokens")) - prompt - completion, 0)
    audio, thought = count(details.get("audio_tokens")), count(made.get("reasoning_tokens"))
    if hidden and hidden == audio:
        prompt += hidden
    else:
        completion += hidden
        thought = thought or hidden
    names = (details.get("cached_tokens"), usage.get("num_cached_tokens"), usage.get("cached_tokens"),
             usage.get("prompt_cache_hit_tokens"))  # fmt: skip
    cached = min(next((count(name) for name in names if count(name)), 0), prompt)
    written = min(count(details.get("cache_write_tokens")), prompt - cached)
    audio = min(audio, prompt - cached - written)
    image = min(count(details.get("image_tokens")), prompt - cached - written - audio)
    thought = min(thought, completion)
    spoken = min(count(made.get("audio_tokens")), completion - thought)
    drawn = min(count(made.get("image_tokens")), completion - thought - spoken)
    return {
        "input": prompt - cached - written - audio - image, "cached": cached, "write": written, "audio-in": audio,
        "image-in": image, "output": completion - thought - spoken - drawn, "reasoning": thought,
        "audio-out": spoken, "image-out": drawn, "search": count(usage.get("num_search_queries")),
        "tier": tier(beside, usage.get("service_tier")), "told": told(usage),
    }  # fmt: skip


def messages(chunks):
    usage = {}
    for chunk in chunks:
        for holder in (chunk, chunk.get("message") or {}):
            later = holder.get("usage") or {}
            usage.update({name: value for name, value in later.items() if value is not None or name not in usage})
    if not ("input_tokens" in usage or "output_tokens" in usage):
        return None
    passes = [one for one in usage.get("iterations") or [] if one.get("type") == "compaction"]
    used = {"input": 0, "cached": 0, "write": 0, "write-hour": 0, "output": 0, "reasoning": 0}
    for one in [usage, *passes]:
        lives = one.get("cache_creation") or {}
        hour = count(lives.get("ephemeral_1h_input_tokens"))
        written = one.get("cache_creation_input_tokens")
        short = count(lives.get("ephemeral_5m_input_tokens")) if written is None else max(count(written) - hour, 0)
        output = count(one.get("output_tokens"))
        thought = min(count((one.get("output_tokens_details") or {}).get("thinking_tokens")), output)
        parts = [count(one.get("input_tokens")), count(one.get("cache_read_input_tokens")), short, hour, output - thought, thought]
        used = {meter: used[meter] + part for meter, part in zip(used, parts)}
    searches = count((usage.get("server_tool_use") or {}).get("web_search_requests"))
    return {**used, "search": searches, "tier": tier(usage.get("service_tier")), "told": None}


def gemini(chunks):
    usage, searches = None, 0
    for chunk in chunks if not (chunks and isinstance(chunks[0], list)) else chunks[0]:
        usage = later(usage, chunk.get("usageMetadata"))
        here = sum(len((one.get("groundingMetadata") or {}).get("webSearchQueries") or []) for one in chunk.get("candidates") or [])
        searches = max(searches, here)
    if not {"promptTokenCount", "candidatesTokenCount", "thoughtsTokenCount"} & set(usage or {}):
        return None

    def kinds(field, kind):
        return sum(count(one.get("tokenCount")) for one in usage.get(field) or [] if one.get("modality") == kind)

    prompt, written = count(usage.get("promptTokenCount")), count(usage.get("candidatesTokenCount"))
    cached = min(count(usage.get("cachedContentTokenCount")), prompt)
    heard = min(kinds("cacheTokensDetails", "AUDIO"), cached)
    audio = min(max(kinds("promptTokensDetails", "AUDIO") - heard, 0), prompt - cached)
    image = max(kinds("promptTokensDetails", "IMAGE") - kinds("cacheTokensDetails", "IMAGE"), 0)
    image = min(image, prompt - cached - audio)
    spoken = min(kinds("candidatesTokensDetails", "AUDIO"), written)
    drawn = min(kinds("candidatesTokensDetails", "IMAGE"), written - spoken)
    return {
        "input": prompt - cached - audio - image + count(usage.get("toolUsePromptTokenCount")), "cached": cached - heard,
        "audio-cached": heard, "audio-in": audio, "image-in": image, "output": written - spoken - drawn,
        "reasoning": count(usage.get("thoughtsTokenCount")), "audio-out": spoken, "image-out": drawn, "search": searches,
        "tier": tier(usage.get("serviceTier"), usage.get("trafficType")), "told": None,
    }  # fmt: skip


def later(before, told):
    """A chunk that counts nothing written or thought says nothing of what was before."""
    if not told:
        return before
    kept = dict(told)
    for field, beside in (("candidatesTokenCount", "candidatesTokensDetails"), ("thoughtsTokenCount", None)):
        if before and not count(told.get(field)):
            kept.update({name: before[name] for name in (field, beside) if name in before})
    return kept


def responses(chunks):
    found = None
    for chunk in chunks:
        response = chunk.get("response") if "response" in chunk else chunk
        if isinstance(response, dict) and isinstance(response.get("usage"), dict):
            found = response
    if found is None:
        return None
    usage = found["usage"]
    details, made = usage.get("input_tokens_details") or {}, usage.get("output_tokens_details") or {}
    prompt, output = count(usage.get("input_tokens")), count(usage.get("output_tokens"))
    cached = min(count(details.get("cached_tokens")), prompt)
    written = min(count(details.get("cache_write_tokens")), prompt - cached)
    thought = min(count(made.get("reasoning_tokens")), output)
    calls = [one for one in found.get("output") or [] if one.get("type") == "web_search_call"]
    searches = [one for one in calls if (one.get("action") or {}).get("type", "search") == "search"]
    return {
        "input": prompt - cached - written, "cached": cached, "write": written, "output": output - thought,
        "reasoning": thought, "search": len(searches), "tier": tier(found.get("service_tier")), "told": told(usage),
    }  # fmt: skip


def find(models, provider, name):
    """As LiteLLM looks for a model; None if it has none, or none with a price."""
    own = name.removeprefix(provider + "/").removeprefix("models/")
    if provider in ("gemini", "vertex_ai", "databricks"):
        short = re.sub(r"-\d+$", "", own)
    elif own.startswith("ft:"):
        short = ":".join(own.split(":")[:2])
    else:
        short = re.sub(r"-\d{4}-\d\d-\d\d$", "", own)
    for key in (f"{provider}/{own}", name, own, f"{provider}/{short}", short, f"{provider}/{name}"):
        if key in models and key not in ("sample_spec", "fallback_generalizations"):
            model = aliased(models, key)
            listed = model["litellm_provider"]
            same = listed == provider or (provider in ("vertex_ai", "fireworks_ai") and listed.startswith(provider))
            same = same or (provider.startswith("bedrock") and listed.startswith("bedrock"))
            same = same or listed in (f"{provider}_chat", f"{provider}_text", f"text-completion-{provider}")
            if same:
                return model if any("cost" in field or field == "tiered_pricing" for field in model) else None
    return None


if __name__ == "__main__":
    main()
