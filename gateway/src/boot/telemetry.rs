//! Logs: JSON lines on standard output, one for each call under the target `fairlead::access`.

use anyhow::Context;
use tracing::Subscriber;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

/// Starts logging for the whole process.
///
/// # Errors
/// A filter that cannot be read, or a second call.
pub fn init(filter: &str) -> anyhow::Result<()> {
    let subscriber = subscriber(filter, std::io::stdout)?;
    tracing::subscriber::set_global_default(subscriber).context("logging was started before")
}

/// The same, to another place: for tests, and for those who log elsewhere.
///
/// # Errors
/// A filter that cannot be read.
pub fn subscriber<W>(filter: &str, writer: W) -> anyhow::Result<impl Subscriber + Send + Sync>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let filter = EnvFilter::try_new(filter).with_context(|| format!("'{filter}' is not a log filter"))?;
    let lines = tracing_subscriber::fmt().json().flatten_event(true).with_current_span(false);
    Ok(lines.with_span_list(false).with_env_filter(filter).with_writer(writer).finish())
}
