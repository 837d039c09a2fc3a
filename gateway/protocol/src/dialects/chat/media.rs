//! Pictures, sounds, documents and films as parts of a content.
//!
//! OpenAI has `image_url`, `input_audio` and `file`; OpenRouter has `video_url` and files by URL, Mistral
//! `document_url`, Perplexity `file_url`.
//! Sources: platform.openai.com/docs/api-reference/chat/create, openrouter.ai/docs/features/multimodal/overview,
//! docs.mistral.ai/api, docs.perplexity.ai/guides/file-attachments, as recorded by 2026-11-21.

use super::data_url;
use super::ways::{CHAT, Node, nested};
use crate::hub::{Extras, Media, MediaKind, Source};
use crate::json::Writer;
use crate::loss::Losses;

/// Reads the part of type `kind`, if it is one of these and its source is told.
pub(super) fn decode(kind: &str, node: &mut Node<'_>) -> Option<Media> {
    match kind {
        "image_url" => image(node),
        "input_audio" => audio(node),
        "file" => file(node),
        "video_url" => by_url(node, "video_url", MediaKind::Video),
        "file_url" => by_url(node, "file_url", MediaKind::Document),
        "document_url" => document(node),
        _ => None,
    }
}

fn medium(kind: MediaKind, source: Source) -> Media {
    Media { kind, source, name: None, detail: None }
}

fn image(node: &mut Node<'_>) -> Option<Media> {
    if let Some(url) = node.fields.take_string("image_url") {
        node.note("image_url:string");
        return Some(medium(MediaKind::Image, data_url::read(url)));
    }
    let mut inner = node.fields.take_object("image_url")?;
    let source = data_url::read(inner.take_string("url")?);
    let detail = inner.take_string("detail");
    node.keep_rest("image_url", inner);
    Some(Media { detail, ..medium(MediaKind::Image, source) })
}

fn audio(node: &mut Node<'_>) -> Option<Media> {
    if let Some(url) = node.fields.take_string("input_audio") {
        // Mistral takes a URL or base64 here, and does not say which of the many formats it is.
        node.note("input_audio:string");
        let source = data_url::read(url);
        let is_url = matches!(&source, Source::Url { url, .. } if !url.contains("://"));
        return (!is_url).then(|| medium(MediaKind::Audio, source));
    }
    let mut inner = node.fields.take_object("input_audio")?;
    let data = inner.take_string("data")?;
    let format = inner.take_string("format")?;
    let source = Source::Inline { mime: format!("audio/{format}"), data };
    // What `sound_format` would write otherwise comes back only as it is.
    if matches!(&source, Source::Inline { mime, .. } if sound_format(mime) != format) {
        return None;
    }
    node.keep_rest("input_audio", inner);
    Some(medium(MediaKind::Audio, source))
}

fn file(node: &mut Node<'_>) -> Option<Media> {
    node.note("file");
    let mut inner = node.fields.take_object("file")?;
    let name = inner.take_string("filename");
    let source = if let Some(data) = inner.take_string("file_data") {
        file_data(node, data)
    } else {
        Source::File { dialect: CHAT, id: inner.take_string("file_id")? }
    };
    let kind = match &source {
        Source::Inline { mime, .. } => kind_of(mime),
        _ => MediaKind::Document,
    };
    node.keep_rest("file", inner);
    Some(Media { name, ..medium(kind, source) })
}

/// A data URL, a URL, or base64 alone, which is a PDF's: OpenAI takes no other files here.
fn file_data(node: &mut Node<'_>, data: String) -> Source {
    match data_url::read(data) {
        Source::Url { url, .. } if !url.contains(':') => {
            node.note("file:bare");
            Source::Inline { mime: "application/pdf".into(), data: url }
        }
        source => source,
    }
}

fn kind_of(mime: &str) -> MediaKind {
    match mime.split('/').next() {
        Some("image") => MediaKind::Image,
        Some("audio") => MediaKind::Audio,
        Some("video") => MediaKind::Video,
        _ => MediaKind::Document,
    }
}

fn by_url(node: &mut Node<'_>, key: &'static str, kind: MediaKind) -> Option<Media> {
    let mut inner = node.fields.take_object(key)?;
    let source = data_url::read(inner.take_string("url")?);
    // Perplexity takes base64 without its type, which no one else could read.
    if matches!(&source, Source::Url { url, .. } if !url.contains(':')) {
        return None;
    }
    node.note(key);
    node.keep_rest(key, inner);
    Some(medium(kind, source))
}

fn document(node: &mut Node<'_>) -> Option<Media> {
    node.note("document_url");
    let source = data_url::read(node.fields.take_string("document_url")?);
    Some(Media { name: node.fields.take_string("document_name"), ..medium(MediaKind::Document, source) })
}

/// Why `medium` cannot be said, if so, and the field that it hangs on.
///
/// Sound by URL has a form at Mistral only: openrouter.ai/docs/guides/overview/multimodal/audio, read 2026-11-21.
pub(super) fn refusal(medium: &Media, extras: &Extras) -> Option<(&'static str, &'static str)> {
    match (&medium.source, medium.kind) {
        (Source::File { dialect, .. }, _) if *dialect != CHAT => {
            Some(("file_id", "the file is known to another provider only"))
        }
        (Source::Url { .. }, MediaKind::Audio) if !extras.notes(CHAT, "input_audio:string") => {
            Some(("url (fileUri, file_uri)", "chat completions take sound in the request only"))
        }
        _ => None,
    }
}

/// Tells what of `medium` the part at `path` does not say, in the words of the dialect that has such paths.
pub(super) fn tell(medium: &Media, path: &str, losses: &mut Losses) {
    let (name, mime) = match path.split('[').next() {
        Some("contents") => ("displayName", "fileData.mimeType (mime_type)"),
        Some("input") => ("filename", "mime_type"),
        _ => ("title", "source.media_type"),
    };
    if medium.detail.is_some() && form(medium) != Form::Image {
        losses.hint(format!("{path}.detail"), "chat completions look closely at images by URL only");
    }
    if medium.name.is_some() && form(medium) != Form::File {
        losses.hint(format!("{path}.{name}"), "chat completions name files only");
    }
    if matches!(&medium.source, Source::Url { mime: Some(_), .. }) {
        losses.hint(format!("{path}.{mime}"), "chat completions leave the type to the URL");
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Image,
    Audio,
    Video,
    File,
    Text,
}

fn form(medium: &Media) -> Form {
    match (&medium.source, medium.kind) {
        (Source::Text(_), _) => Form::Text,
        (Source::File { .. }, _) | (_, MediaKind::Document) => Form::File,
        (_, MediaKind::Image) => Form::Image,
        (_, MediaKind::Audio) => Form::Audio,
        (_, MediaKind::Video) => Form::Video,
    }
}

/// Writes the fields of the part, and gives the key whose kept rest it has written.
pub(super) fn encode(object: &mut Writer<'_>, medium: &Media, extras: &Extras) -> &'static str {
    let notes = |note| extras.notes(CHAT, note);
    if notes("document_url") {
        object.string("type", "document_url").string("document_url", &address(&medium.source));
        object.string_if("document_name", medium.name.as_deref());
        return "";
    }
    if notes("file_url") {
        return write_url(object, "file_url", medium, extras);
    }
    match form(medium) {
        _ if notes("file") => write_file(object, medium, extras),
        Form::Image if notes("image_url:string") => {
            object.string("type", "image_url").string("image_url", &address(&medium.source));
            ""
        }
        Form::Image => write_url(object, "image_url", medium, extras),
        Form::Video => write_url(object, "video_url", medium, extras),
        Form::Audio => write_audio(object, medium, extras),
        Form::File => write_file(object, medium, extras),
        Form::Text => {
            object.string("type", "text").string("text", &address(&medium.source));
            ""
        }
    }
}

/// A URL, or the text where there is none.
pub(super) fn address(source: &Source) -> String {
    match source {
        Source::Url { url, .. } => url.clone(),
        Source::Inline { mime, data } => data_url::write(mime, data),
        Source::Text(text) => text.clone(),
        Source::File { id, .. } => id.clone(),
    }
}

fn write_url(object: &mut Writer<'_>, key: &'static str, medium: &Media, extras: &Extras) -> &'static str {
    object.string("type", key).nested(key, |inner| {
        inner.string("url", &address(&medium.source));
        if key == "image_url" {
            inner.string_if("detail", medium.detail.as_deref());
        }
        inner.all(&nested(extras, key));
    });
    key
}

fn write_audio(object: &mut Writer<'_>, medium: &Media, extras: &Extras) -> &'static str {
    object.string("type", "input_audio");
    match &medium.source {
        Source::Inline { mime, data } if !extras.notes(CHAT, "input_audio:string") => {
            object.nested("input_audio", |inner| {
                inner.string("data", data).string("format", sound_format(mime));
                inner.all(&nested(extras, "input_audio"));
            });
            "input_audio"
        }
        // As Mistral's clients write it.
        source => {
            object.string("input_audio", &address(source));
            ""
        }
    }
}

/// OpenAI names formats, not types: `wav` and `mp3`.
fn sound_format(mime: &str) -> &str {
    match mime {
        "audio/mpeg" => "mp3",
        "audio/x-wav" | "audio/wave" | "audio/vnd.wave" => "wav",
        _ => mime.strip_prefix("audio/").unwrap_or(mime),
    }
}

fn write_file(object: &mut Writer<'_>, medium: &Media, extras: &Extras) -> &'static str {
    let is_ours = extras.notes(CHAT, "file");
    object.string("type", "file").nested("file", |inner| {
        match &medium.source {
            Source::File { id, .. } => {
                inner.string("file_id", id);
            }
            Source::Inline { data, .. } if extras.notes(CHAT, "file:bare") => {
                inner.string("file_data", data);
            }
            source => {
                inner.string("file_data", &address(source));
            }
        }
        // OpenAI refuses data without a name.
        let unnamed = (!is_ours && !matches!(medium.source, Source::File { .. })).then_some("document.pdf");
        inner.string_if("filename", medium.name.as_deref().or(unnamed));
        inner.all(&nested(extras, "file"));
    });
    "file"
}
