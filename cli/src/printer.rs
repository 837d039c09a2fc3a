//! What people see in their terminal. Answers go to standard output, complaints to standard error.

use std::fmt;
use std::io::Write;
use std::net::SocketAddr;

use config::ObjectName;

use crate::folder::Problem;

pub(crate) fn line(text: fmt::Arguments<'_>) {
    // A closed pipe is the reader's way to say that it has seen enough.
    writeln!(std::io::stdout().lock(), "{text}").ok();
}

pub(crate) fn complaint(text: fmt::Arguments<'_>) {
    writeln!(std::io::stderr().lock(), "{text}").ok();
}

pub(crate) fn error(error: &anyhow::Error) {
    complaint(format_args!("error: {error:#}"));
}

pub(crate) fn problems(problems: &[Problem]) {
    for problem in problems {
        complaint(format_args!("{problem}"));
    }
}

/// A key that was made. `name` is that of its VirtualKey.
pub(crate) fn virtual_key(name: &ObjectName, key: &str) {
    line(format_args!("virtual key {name}: {key}"));
}

/// Where it serves, and a line to paste. `key` is `None` where the manifests bring the key: then it is the
/// owner's to know.
pub(crate) fn welcome(address: SocketAddr, key: Option<&str>, model: Option<&str>) {
    let shown = key.unwrap_or("$MASTER_KEY");
    line(format_args!("Fairlead serves on http://{address}/v1"));
    match key {
        Some(key) => line(format_args!("master key: {key}")),
        None => line(format_args!("master key: the one in the Secret that the ModelGateway names")),
    }
    let Some(model) = model else {
        line(format_args!("no model is served yet: add a ModelDeployment"));
        return;
    };
    line(format_args!("try it:"));
    line(format_args!(
        "  curl http://{address}/v1/chat/completions -H 'Authorization: Bearer {shown}' \
         -H 'Content-Type: application/json' \
         -d '{{\"model\": \"{model}\", \"messages\": [{{\"role\": \"user\", \"content\": \"Hello\"}}]}}'"
    ));
}
