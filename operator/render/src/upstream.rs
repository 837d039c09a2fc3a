//! One ModelDeployment's spec to one deployment of the config: where, as whom, and how patiently.

use std::time::Duration;

use catalogue::{Catalogue, Dialect, EmbeddingDialect, Key, MOCK, Provider};
use config::{Header, HttpUpstream, Timeouts, Upstream};
use crds::{
    DurationText, ModelDeploymentSpec, OnLoss, ParametersSpec, ProviderSpec, TimeoutsSpec, TranslationSpec,
    WireDialect,
};
use url::Url;

use crate::Reason;
use crate::credentials::Credential;

/// What is wrong with a spec. The reason and a message that shows the way out.
pub(crate) type Fault = (Reason, String);

/// Headers that are the gateway's own to set, or would carry a secret past the credentials.
const OWN_HEADERS: [&str; 9] = [
    "authorization",
    "api-key",
    "x-api-key",
    "host",
    "content-length",
    "content-type",
    "transfer-encoding",
    "connection",
    "accept-encoding",
];

/// The provider that is a server of one's own.
const CUSTOM: &str = "custom";

/// What waits how long where nobody says otherwise.
pub(crate) const DEFAULT_TIMEOUTS: Timeouts =
    Timeouts { connect_ms: 5_000, first_byte_ms: 120_000, stream_idle_ms: 120_000, request_ms: 600_000 };

/// Where the requests of `spec` go. `model` is its model's name there, `credential` what its credentialsRef came to.
pub(crate) fn upstream(
    catalogue: &Catalogue,
    spec: &ModelDeploymentSpec,
    model: &str,
    credential: Option<&Credential>,
) -> Result<Upstream, Fault> {
    let id = spec.provider.type_.as_str();
    if id == MOCK {
        return mock(spec).map(|()| Upstream::Mock);
    }
    let row = catalogue.provider(id).ok_or_else(|| unknown_provider(catalogue, id))?;
    if row.key == Key::Required && credential.is_none() {
        return Err(invalid(format!(
            "provider {id} needs a credential: set credentialsRef to a ProviderSecret"
        )));
    }
    let dialects = match spec.provider.dialect {
        Some(written) => vec![dialect(written)],
        None => catalogue.speaks(id, row, model).to_vec(),
    };
    // A server of one's own is told the key as servers of its language usually are.
    let auth = match dialects.first() {
        Some(first) if id == CUSTOM => first.usual_auth(),
        _ => row.auth.clone(),
    };
    Ok(Upstream::Http(HttpUpstream {
        base_url: base_url(&spec.provider, row)?,
        keeps_responses: dialects.contains(&Dialect::OpenaiResponses) && keeps_responses(&spec.provider, row),
        dialects,
        embeds: embeds(&spec.provider, row),
        auth,
        credential: credential.map(|credential| credential.reference.clone()),
        headers: headers(spec)?,
    }))
}

fn dialect(written: WireDialect) -> Dialect {
    match written {
        WireDialect::OpenaiChat => Dialect::OpenaiChat,
        WireDialect::OpenaiResponses => Dialect::OpenaiResponses,
        WireDialect::OpenaiCompletions => Dialect::OpenaiCompletions,
        WireDialect::Anthropic => Dialect::Anthropic,
        WireDialect::Gemini => Dialect::Gemini,
    }
}

/// The language of the embeddings endpoint. A server of one's own is taken to have what servers of its language
/// usually have; another, with a dialect written, what it is known to have in that language.
fn embeds(provider: &ProviderSpec, row: &Provider) -> Option<EmbeddingDialect> {
    let Some(written) = provider.dialect else { return row.embeds };
    let usual = dialect(written).usual_embeddings();
    if provider.type_ == CUSTOM { usual } else { usual.filter(|usual| row.embeds == Some(*usual)) }
}

/// Whether the provider keeps responses. Another server than the row's own may be anything that speaks its language,
/// so it is not taken to; a region of the provider (`eu.api.openai.com`) is the provider.
fn keeps_responses(provider: &ProviderSpec, row: &Provider) -> bool {
    let host = |url: &String| Url::parse(url).ok()?.host_str().map(str::to_owned);
    let is_the_rows = match (provider.base_url.as_ref().and_then(host), row.base_url.as_ref().and_then(host))
    {
        (Some(written), Some(known)) => {
            written.strip_suffix(&known).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        }
        _ => true,
    };
    row.keeps_responses && is_the_rows
}

/// `spec` over `inherited`.
pub(crate) fn on_loss(spec: &TranslationSpec, inherited: config::OnLoss) -> config::OnLoss {
    match spec.on_loss {
        None => inherited,
        Some(OnLoss::Report) => config::OnLoss::Report,
        Some(OnLoss::Reject) => config::OnLoss::Reject,
        Some(OnLoss::Ignore) => config::OnLoss::Ignore,
    }
}

fn mock(spec: &ModelDeploymentSpec) -> Result<(), Fault> {
    if spec.provider.base_url.is_some()
        || spec.provider.dialect.is_some()
        || spec.credentials_ref.is_some()
        || !spec.headers.is_empty()
        || spec.parameters != ParametersSpec::default()
    {
        return Err(invalid(
            "provider mock takes no baseURL, dialect, credentialsRef, headers or parameters: it has no upstream"
                .into(),
        ));
    }
    Ok(())
}

fn unknown_provider(catalogue: &Catalogue, id: &str) -> Fault {
    let similar = catalogue.similar(id);
    let hint = if similar.is_empty() {
        "for a server that speaks OpenAI's API use type custom with a baseURL".to_owned()
    } else {
        format!("did you mean {}?", similar.join(" or "))
    };
    (Reason::UnknownProvider, format!("provider.type {id} is not in the catalogue; {hint}"))
}

fn base_url(provider: &ProviderSpec, row: &Provider) -> Result<String, Fault> {
    let Some(text) = provider.base_url.as_ref().or(row.base_url.as_ref()) else {
        return Err(invalid(format!(
            "provider {} needs a baseURL, for example {}",
            provider.type_,
            example_url(provider)
        )));
    };
    let refuse = |why: &str| invalid(format!("provider.baseURL {why}: write it as https://host/v1"));
    let url = Url::parse(text).map_err(|_| refuse("is not a URL"))?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none_or(str::is_empty) {
        return Err(refuse("is not an http or https URL with a host"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refuse("carries a user name or password, which belong into a ProviderSecret"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(refuse("has a query or a fragment, which paths cannot be appended to"));
    }
    Ok(text.trim().trim_end_matches('/').to_owned())
}

fn example_url(provider: &ProviderSpec) -> &'static str {
    match provider.type_.as_str() {
        "ollama" => "http://ollama.models.svc:11434/v1",
        "azure" => "https://RESOURCE.openai.azure.com/openai/v1",
        _ => "http://server.models.svc:8000/v1",
    }
}

fn headers(spec: &ModelDeploymentSpec) -> Result<Vec<Header>, Fault> {
    let mut headers: Vec<Header> = Vec::with_capacity(spec.headers.len());
    for entry in &spec.headers {
        let name = entry.name.to_ascii_lowercase();
        if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') {
            return Err(invalid(format!(
                "{:?} is not a header name: use letters, digits and dashes",
                entry.name
            )));
        }
        if OWN_HEADERS.contains(&name.as_str()) {
            return Err(invalid(format!(
                "header {name} is the gateway's own to set; credentials go into a ProviderSecret"
            )));
        }
        if !entry.value.chars().all(|c| matches!(c, ' '..='~')) {
            return Err(invalid(format!("the value of header {name} is not visible ASCII")));
        }
        if headers.iter().any(|header| header.name == name) {
            return Err(invalid(format!("header {name} is set twice")));
        }
        headers.push(Header { name, value: entry.value.clone() });
    }
    headers.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(headers)
}

/// `spec` over `inherited`.
pub(crate) fn timeouts(spec: &TimeoutsSpec, inherited: Timeouts) -> Result<Timeouts, Fault> {
    Ok(Timeouts {
        connect_ms: milliseconds("connect", spec.connect.as_ref(), inherited.connect_ms)?,
        first_byte_ms: milliseconds("firstByte", spec.first_byte.as_ref(), inherited.first_byte_ms)?,
        stream_idle_ms: milliseconds("streamIdle", spec.stream_idle.as_ref(), inherited.stream_idle_ms)?,
        request_ms: milliseconds("request", spec.request.as_ref(), inherited.request_ms)?,
    })
}

fn milliseconds(field: &str, text: Option<&DurationText>, inherited: u64) -> Result<u64, Fault> {
    let Some(text) = text else { return Ok(inherited) };
    let longest = Duration::from_secs(24 * 3600);
    let parsed = text.parse().filter(|duration| *duration <= longest);
    let parsed = parsed.and_then(|duration| u64::try_from(duration.as_millis()).ok());
    parsed.ok_or_else(|| {
        invalid(format!("timeouts.{field} {:?} is not a duration of at most 24h: write it as 30s", text.0))
    })
}

pub(crate) fn invalid(message: String) -> Fault {
    (Reason::InvalidSpec, message)
}
