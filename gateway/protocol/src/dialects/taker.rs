//! What the one model that a request goes to takes otherwise than its language says, as far as languages share it:
//! settings that it would refuse are left out and told. A request of the model's own language stays as written.

use std::borrow::Cow;

use catalogue::{Dialect, Setting};

use super::spelling::{setting_name, spelt};
use crate::hub::{Effort, Request, Sampling};
use crate::json::RawJson;
use crate::loss::Losses;

const REFUSED: &str = "the model refuses this setting";

/// The settings of `request` that choose words, without those that its model refuses. `home` is the model's language.
pub(super) fn sampling<'r>(home: Dialect, request: &'r Request, losses: &mut Losses) -> Cow<'r, Sampling> {
    const ALL: [Setting; 9] = [
        Setting::Temperature,
        Setting::TopP,
        Setting::TopK,
        Setting::Seed,
        Setting::FrequencyPenalty,
        Setting::PresencePenalty,
        Setting::Stop,
        Setting::N,
        Setting::Logprobs,
    ];
    let mut sampling = Cow::Borrowed(&request.sampling);
    for setting in ALL.into_iter().filter(|setting| refuses(home, request, *setting)) {
        let weight = leave_out(sampling.to_mut(), setting);
        tell(weight, setting, request, losses);
    }
    sampling
}

/// `value`, if the model of `request` takes `setting`. If not, and there is one, that is told.
pub(super) fn taken<T>(
    home: Dialect,
    request: &Request,
    setting: Setting,
    value: Option<T>,
    losses: &mut Losses,
) -> Option<T> {
    if !refuses(home, request, setting) {
        return value;
    }
    tell(value.map(|_| Left::Hint), setting, request, losses);
    None
}

/// Whether the model of `request` would refuse it for `setting`.
pub(super) fn refuses(home: Dialect, request: &Request, setting: Setting) -> bool {
    request.extras.dialect != Some(home) && request.quirks.refuse(setting, thinks(request))
}

fn thinks(request: &Request) -> bool {
    request.reasoning.as_ref().is_some_and(|reasoning| match (&reasoning.effort, reasoning.budget) {
        (Some(effort), _) => *effort != Effort::None,
        (None, budget) => budget.is_some_and(|budget| budget > 0),
    })
}

/// How bad it is that something was left out.
enum Left {
    Hint,
    Meaning,
}

/// Empties a setting; `None` if it said nothing, or what the model does by itself.
fn leave_out(own: &mut Sampling, setting: Setting) -> Option<Left> {
    let number = |value: &mut Option<RawJson>, usual: Option<f64>| {
        let value = value.take()?;
        let is_usual = value.get().parse::<f64>().ok().is_some_and(|number| Some(number) == usual);
        (!is_usual).then_some(Left::Hint)
    };
    match setting {
        Setting::Temperature => number(&mut own.temperature, Some(1.0)),
        Setting::TopP => number(&mut own.top_p, Some(1.0)),
        Setting::TopK => number(&mut own.top_k, None),
        Setting::Seed => number(&mut own.seed, None),
        Setting::FrequencyPenalty => number(&mut own.frequency_penalty, Some(0.0)),
        Setting::PresencePenalty => number(&mut own.presence_penalty, Some(0.0)),
        Setting::Stop => (!std::mem::take(&mut own.stop).is_empty()).then_some(Left::Meaning),
        Setting::N => own.n.take().filter(|n| *n > 1).map(|_| Left::Meaning),
        Setting::Logprobs => own.logprobs.take().map(|_| Left::Hint),
        _ => None,
    }
}

fn tell(left: Option<Left>, setting: Setting, request: &Request, losses: &mut Losses) {
    let Some(left) = left else { return };
    let client = request.extras.dialect.unwrap_or(Dialect::OpenaiChat);
    let name = match setting {
        // A budget in tokens has come to an effort.
        Setting::ReasoningEffort if request.reasoning.as_ref().is_some_and(|r| r.budget.is_some()) => {
            "reasoning_budget"
        }
        setting => setting.name(),
    };
    let field = spelt(&setting_name(client, name), &request.extras);
    match left {
        Left::Hint => losses.hint(field, REFUSED),
        Left::Meaning => losses.meaning(field, REFUSED),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use catalogue::Catalogue;
    use serde_json::{Value, json};

    use super::*;
    use crate::dialects::{decode_request, encode_request};

    /// What `client`'s request comes to for a provider's model, and the losses.
    fn sent(
        client: Dialect,
        body: &Value,
        to: Dialect,
        (provider, model): (&str, &str),
    ) -> (Value, Vec<String>) {
        let mut request = decode_request(client, &body.to_string()).unwrap();
        request.model = model.to_owned();
        request.quirks = Arc::new(Catalogue::builtin().quirks(provider, model));
        let encoded = encode_request(to, &request);
        let losses = encoded.losses.all().iter().map(|loss| loss.field.clone()).collect();
        (serde_json::from_str(&encoded.body).unwrap(), losses)
    }

    fn anthropic() -> Value {
        json!({"model": "m", "max_tokens": 9, "temperature": 0.5, "top_p": 1, "top_k": 3,
               "messages": [{"role": "user", "content": "?"}]})
    }

    #[test]
    fn a_reasoning_model_gets_its_own_limit_and_no_sampling() {
        let (body, losses) =
            sent(Dialect::Anthropic, &anthropic(), Dialect::OpenaiChat, ("openai", "o4-mini"));
        assert_eq!((&body["max_completion_tokens"], body.get("max_tokens")), (&json!(9), None));
        for name in ["temperature", "top_p", "top_k"] {
            assert_eq!(body.get(name), None, "{name}");
        }
        assert_eq!(losses, ["temperature", "top_k"], "a top_p of 1 is what it does by itself");
    }

    #[test]
    fn other_models_and_providers_get_the_usual_spelling() {
        let (body, losses) =
            sent(Dialect::Anthropic, &anthropic(), Dialect::OpenaiChat, ("openai", "gpt-4o"));
        assert_eq!((&body["max_completion_tokens"], &body["temperature"]), (&json!(9), &json!(0.5)));
        assert_eq!(losses, ["top_k"]);
        let (body, losses) =
            sent(Dialect::Anthropic, &anthropic(), Dialect::OpenaiChat, ("ollama", "gpt-oss"));
        assert_eq!((&body["max_tokens"], &body["top_k"]), (&json!(9), &json!(3)));
        assert!(losses.is_empty(), "{losses:?}");
    }

    #[test]
    fn some_refuse_sampling_only_where_they_think() {
        let mut ask =
            json!({"model": "m", "input": "?", "temperature": 0.5, "reasoning": {"effort": "none"}});
        let to =
            |ask: &Value| sent(Dialect::OpenaiResponses, ask, Dialect::OpenaiChat, ("openai", "gpt-5.2"));
        assert_eq!(to(&ask).0["temperature"], json!(0.5));
        ask["reasoning"]["effort"] = json!("low");
        let (body, losses) = to(&ask);
        assert_eq!((body.get("temperature"), losses), (None, vec!["temperature".to_owned()]));
    }

    #[test]
    fn completions_leave_out_what_the_model_refuses_too() {
        let model = ("openai", "gpt-3.5-turbo-instruct");
        let (body, losses) = sent(Dialect::Anthropic, &anthropic(), Dialect::OpenaiCompletions, model);
        assert_eq!((body.get("top_k"), &body["temperature"]), (None, &json!(0.5)));
        assert_eq!(losses, ["top_k"]);
    }

    #[test]
    fn a_stop_that_is_refused_changes_meaning_and_is_told_in_the_clients_words() {
        let ask = json!({"model": "m", "max_tokens": 9, "stop_sequences": ["X"], "messages": [{"role": "user", "content": "?"}]});
        let (body, losses) = sent(Dialect::Anthropic, &ask, Dialect::OpenaiChat, ("openai", "gpt-5"));
        assert_eq!((body.get("stop"), losses), (None, vec!["stop_sequences".to_owned()]));
        let ask = json!({"contents": [{"parts": [{"text": "?"}]}], "generationConfig": {"temperature": 0.1, "candidateCount": 2}});
        let (_, losses) = sent(Dialect::Gemini, &ask, Dialect::OpenaiResponses, ("openai", "o3"));
        assert_eq!(losses, ["generationConfig.temperature", "generationConfig.candidateCount"]);
    }

    #[test]
    fn mistral_gets_its_own_words_and_nothing_it_does_not_know() {
        let ask = json!({"contents": [{"parts": [{"text": "?"}]}], "generationConfig": {"seed": 4, "maxOutputTokens": 5},
            "tools": [{"functionDeclarations": [{"name": "f"}]}], "toolConfig": {"functionCallingConfig": {"mode": "ANY"}}});
        let mut request = decode_request(Dialect::Gemini, &ask.to_string()).unwrap();
        request.quirks = Arc::new(Catalogue::builtin().quirks("mistral", "mistral-small-latest"));
        (request.stream, request.stream_usage, request.user) = (true, true, Some("u".to_owned()));
        let encoded = encode_request(Dialect::OpenaiChat, &request);
        let body: Value = serde_json::from_str(&encoded.body).unwrap();
        assert_eq!(
            (&body["random_seed"], &body["max_tokens"], &body["tool_choice"]),
            (&json!(4), &json!(5), &json!("any"))
        );
        for name in ["seed", "user", "stream_options", "max_completion_tokens"] {
            assert_eq!(body.get(name), None, "{name}");
        }
        assert_eq!(
            encoded.losses.all().len(),
            1,
            "that usage is not asked for costs nothing: it is told anyway"
        );
    }

    #[test]
    fn an_effort_that_is_refused_is_left_out() {
        let ask = json!({"model": "m", "max_tokens": 9000, "thinking": {"type": "enabled", "budget_tokens": 2000}, "messages": [{"role": "user", "content": "?"}]});
        let (body, losses) = sent(Dialect::Anthropic, &ask, Dialect::OpenaiChat, ("xai", "grok-4-0709"));
        assert_eq!((body.get("reasoning_effort"), losses), (None, vec!["thinking.budget_tokens".to_owned()]));
        let (body, _) = sent(Dialect::Anthropic, &ask, Dialect::OpenaiChat, ("xai", "grok-3-mini"));
        assert_eq!(body["reasoning_effort"], "medium");
    }

    #[test]
    fn a_request_of_the_same_language_stays_as_written() {
        let ask = json!({"model": "o4-mini", "messages": [{"role": "user", "content": "?"}], "temperature": 0.5, "max_tokens": 3});
        let (body, losses) = sent(Dialect::OpenaiChat, &ask, Dialect::OpenaiChat, ("openai", "o4-mini"));
        assert_eq!((body, losses), (ask, Vec::new()));
    }
}
