//! `data:` URLs: chat completions have no other form for media in the request.

use crate::hub::Source;

/// Where a medium is, by its URL. One that is no base64 stays a URL.
pub(super) fn read(url: String) -> Source {
    let inline = url.strip_prefix("data:").and_then(|rest| rest.split_once(";base64,"));
    match inline {
        Some((mime, data)) => Source::Inline { mime: mime.to_owned(), data: data.to_owned() },
        None => Source::Url { url, mime: None },
    }
}

pub(super) fn write(mime: &str, data: &str) -> String {
    format!("data:{mime};base64,{data}")
}
