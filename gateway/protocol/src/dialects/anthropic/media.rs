//! Pictures and documents: `{"type":"image"|"document","source":{…}}`.
//!
//! Inline texts of any kind (`text/csv` ...) are sent as plain text: of base64 documents the API takes only PDF.
//!
//! Sources: platform.claude.com/docs/en/build-with-claude/vision, …/pdf-support and …/files, read 2026-11-21.

use catalogue::Dialect;

use super::place::{Place, tell_extras};
use super::plain::{is_home, keep_rest, write_merged};
use super::{HOME, plain};
use crate::base64;
use crate::hub::{Extras, Media, MediaKind, Part, Source};
use crate::json::{Fields, RawJson, Writer};
use crate::loss::Losses;

/// Reads the source; what is not known of it goes to `kept`. `None` if it is of a kind that nobody models.
pub(super) fn read(
    fields: &mut Fields<'_>,
    kind: MediaKind,
    kept: &mut Vec<(String, RawJson)>,
) -> Option<Media> {
    let mut source = Fields::read(fields.get("source")?)?;
    let read = match source.take_string("type")?.as_str() {
        "base64" => {
            Source::Inline { mime: source.take_string("media_type")?, data: source.take_string("data")? }
        }
        "url" => Source::Url { url: source.take_string("url")?, mime: None },
        "file" => Source::File { dialect: HOME, id: source.take_string("file_id")? },
        "text" => {
            if source.get("media_type")?.get() == "\"text/plain\"" {
                source.take("media_type");
            }
            Source::Text(source.take_string("data")?)
        }
        _ => return None,
    };
    fields.take_any("source");
    keep_rest(kept, "source", source.rest(), true);
    let name = (kind == MediaKind::Document).then(|| fields.take_string("title")).flatten();
    Some(Media { kind, source: read, name, detail: None })
}

/// Writes the fields of the block but its extras.
pub(super) fn write(object: &mut Writer<'_>, media: &Media, extras: &Extras) {
    let kind = if media.kind == MediaKind::Image { "image" } else { "document" };
    object.string("type", kind);
    // At home a document is as it was, whatever the API may say to it.
    let text = if is_home(extras) { None } else { inline_text(media) };
    write_merged(object, "source", extras, |source| match &media.source {
        Source::Inline { .. } if text.is_some() => {
            let text = text.as_deref().unwrap_or_default();
            source.string("type", "text").string("media_type", "text/plain").string("data", text);
        }
        Source::Inline { mime, data } => {
            source.string("type", "base64").string("media_type", mime).string("data", data);
        }
        Source::Url { url, mime: _ } => {
            source.string("type", "url").string("url", url);
        }
        Source::File { dialect: _, id } => {
            source.string("type", "file").string("file_id", id);
        }
        Source::Text(text) => {
            source.string("type", "text");
            if plain::kept(extras, "source").is_none_or(|kept| !kept.get().contains("\"media_type\"")) {
                source.string("media_type", "text/plain");
            }
            source.string("data", text);
        }
    });
    if media.kind != MediaKind::Image {
        object.string_if("title", media.name.as_deref());
    }
}

/// Why a medium cannot be sent, or `None` if it can. Documents are PDFs or plain text; assistants have none.
pub(super) fn obstacle(media: &Media, said_by_assistant: bool) -> Option<&'static str> {
    if said_by_assistant {
        return Some("Anthropic takes no media in assistant turns");
    }
    match (media.kind, &media.source) {
        (MediaKind::Audio | MediaKind::Video, _) => Some("Anthropic takes no sound and no moving pictures"),
        (_, Source::File { dialect, .. }) if *dialect != HOME => Some("the file is at another provider"),
        (_, Source::Url { url, .. }) if url.starts_with("gs://") => Some("Anthropic cannot read gs://"),
        (MediaKind::Document, Source::Inline { mime, .. })
            if mime != "application/pdf" && inline_text(media).is_none() =>
        {
            Some("of inline documents, Anthropic takes only PDF and text")
        }
        (MediaKind::Image, Source::Text(_)) => Some("a text is no picture"),
        _ => None,
    }
}

/// The text of a document that is one but not PDF.
fn inline_text(media: &Media) -> Option<String> {
    match (media.kind, &media.source) {
        (MediaKind::Document, Source::Inline { mime, data })
            if mime.starts_with("text/") || mime == "application/json" =>
        {
            String::from_utf8(base64::decode(data)?).ok()
        }
        _ => None,
    }
}

/// Tells that the whole medium is lost.
pub(super) fn tell_lost(
    losses: &mut Losses,
    place: Place,
    (part, media): (&Part, &Media),
    why: &'static str,
) {
    for name in words(place.client, media) {
        losses.meaning(place.spelt(&part.extras, name), why);
    }
    tell_name(losses, place, (part, media));
    tell_detail(losses, place, media);
    tell_extras(losses, &place.to_string(), &part.extras);
}

/// Tells what has no place beside a medium that is sent.
pub(super) fn tell_rest(losses: &mut Losses, place: Place, (part, media): (&Part, &Media)) {
    if media.kind == MediaKind::Image {
        tell_name(losses, place, (part, media));
    }
    tell_detail(losses, place, media);
    if matches!(&media.source, Source::Inline { mime, .. } if mime != "text/plain")
        && !is_home(&part.extras)
        && inline_text(media).is_some()
        && let [_, mime] = words(place.client, media)
    {
        losses.hint(place.spelt(&part.extras, mime), "approximated: to Anthropic all texts are plain");
    }
    if let Source::Url { mime: Some(_), .. } = &media.source {
        let name = if place.client == Dialect::Gemini { "fileData.mimeType" } else { "mime_type" };
        losses.hint(place.spelt(&part.extras, name), "Anthropic finds the type itself");
    }
    if !part.citations.is_empty() {
        losses.hint(place.field("annotations"), "Anthropic has citations on texts only");
    }
}

fn tell_name(losses: &mut Losses, place: Place, (part, media): (&Part, &Media)) {
    if media.name.is_some() {
        let name = match place.client {
            Dialect::Gemini => "displayName",
            Dialect::Anthropic => "title",
            Dialect::OpenaiChat | Dialect::OpenaiResponses | Dialect::OpenaiCompletions => "filename",
        };
        losses.hint(place.spelt(&part.extras, name), "Anthropic has names of documents only");
    }
}

fn tell_detail(losses: &mut Losses, place: Place, media: &Media) {
    if media.detail.is_some() {
        losses.hint(place.field("detail"), "Anthropic looks as closely as it does");
    }
}

/// The fields that held a medium in the client's dialect.
fn words(client: Dialect, media: &Media) -> &'static [&'static str] {
    match (client, &media.source, media.kind) {
        (Dialect::Gemini, Source::Inline { .. } | Source::Text(_), _) => {
            &["inlineData.data", "inlineData.mimeType"]
        }
        (Dialect::Gemini, _, _) => &["fileData.fileUri", "fileData.mimeType"],
        (Dialect::Anthropic, Source::Inline { .. }, _) => &["source.data", "source.media_type"],
        (Dialect::Anthropic, Source::Text(_), _) => &["source.data"],
        (Dialect::Anthropic, Source::Url { .. }, _) => &["source.url"],
        (_, Source::File { .. }, _) => &["file_id"],
        (_, _, MediaKind::Audio) => &["input_audio.data", "input_audio.format"],
        (_, _, MediaKind::Image) => &["image_url.url"],
        (_, Source::Url { .. }, _) => &["file_url"],
        _ => &["file_data"],
    }
}
