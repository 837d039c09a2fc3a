//! `input_image`, `input_file` and `input_audio`, both ways.

use super::context::Context;
use super::{HOME, is_home, notes, words};
use crate::dialects::spelling::spelt;
use crate::hub::{Body, Extras, Media, MediaKind, Part, Source};
use crate::json::{Fields, Writer};

/// Reads a medium of type `kind`. `None` if it does not say where it is.
pub(super) fn read(kind: &str, mut fields: Fields<'_>) -> Option<Part> {
    let mut note = None;
    let (kind, source) = match kind {
        "input_image" => (MediaKind::Image, image(&mut fields)?),
        "input_audio" => (MediaKind::Audio, audio(&mut fields)?),
        _ => {
            let (source, written) = file(&mut fields)?;
            note = written;
            (MediaKind::Document, source)
        }
    };
    let name = if kind == MediaKind::Document { fields.take_string("filename") } else { None };
    let detail = if kind == MediaKind::Image { fields.take_string("detail") } else { None };
    let mut extras = Extras::new(HOME, fields.rest());
    extras.notes.extend(note);
    Some(Part { extras, ..Part::new(Body::Media(Media { kind, source, name, detail })) })
}

fn image(fields: &mut Fields<'_>) -> Option<Source> {
    match fields.take_string("image_url") {
        Some(url) => Some(inline(&url).unwrap_or(Source::Url { url, mime: None })),
        None => file_id(fields),
    }
}

fn file(fields: &mut Fields<'_>) -> Option<(Source, Option<&'static str>)> {
    if let Some(data) = fields.take_string("file_data") {
        return Some(match inline(&data) {
            Some(source) => (source, None),
            // Azure and others take plain base64; a PDF is what they take it for.
            None => (Source::Inline { mime: "application/pdf".into(), data }, Some(notes::BARE_DATA)),
        });
    }
    let url = fields.take_string("file_url").map(|url| Source::Url { url, mime: None });
    Some((url.or_else(|| file_id(fields))?, None))
}

fn file_id(fields: &mut Fields<'_>) -> Option<Source> {
    Some(Source::File { dialect: HOME, id: fields.take_string("file_id")? })
}

/// `{"input_audio": {"data", "format"}}`, and nothing else in it.
fn audio(fields: &mut Fields<'_>) -> Option<Source> {
    let mut inner = fields.take_object("input_audio")?;
    let (data, format) = (inner.take_string("data")?, inner.take_string("format")?);
    let mime = if format == "mp3" { "audio/mpeg".to_owned() } else { format!("audio/{format}") };
    (inner.is_empty() && audio_format(&mime) == format).then_some(Source::Inline { mime, data })
}

fn audio_format(mime: &str) -> &str {
    match mime.strip_prefix("audio/").unwrap_or(mime) {
        "mpeg" | "mp3" => "mp3",
        "x-wav" | "wave" => "wav",
        other => other,
    }
}

/// A base64 data URL (RFC 2397). Others are addresses.
fn inline(url: &str) -> Option<Source> {
    let (head, data) = url.strip_prefix("data:")?.split_once(',')?;
    let mime = head.strip_suffix(";base64")?;
    Some(Source::Inline { mime: mime.to_owned(), data: data.to_owned() })
}

/// Writes a medium of a request, or tells why not.
pub(super) fn write(media: &Media, extras: &Extras, path: &str, context: &mut Context) -> Option<String> {
    let mut out = String::new();
    let mut object = Writer::object(&mut out);
    let written = match media.kind {
        MediaKind::Image => write_image(&mut object, media),
        MediaKind::Audio => write_audio(&mut object, media),
        MediaKind::Document => write_file(&mut object, media, extras),
        MediaKind::Video => None,
    };
    object.all(extras.of(HOME));
    object.end();
    if written.is_none() {
        let word = match media.source {
            Source::Inline { .. } | Source::Text(_) => words::data(context.from),
            Source::Url { .. } | Source::File { .. } => words::file(context.from),
        };
        let word = spelt(word, extras);
        context.losses.meaning(format!("{path}.{word}"), "the provider cannot take this kind of medium");
        return None;
    }
    tell(media, extras, path, context);
    Some(out)
}

fn write_image(object: &mut Writer<'_>, media: &Media) -> Option<()> {
    object.string("type", "input_image");
    match &media.source {
        Source::Url { url, .. } => object.string("image_url", url),
        Source::Inline { mime, data } => object.string("image_url", &data_url(mime, data)),
        Source::File { dialect: HOME, id } => object.string("file_id", id),
        Source::Text(_) | Source::File { .. } => return None,
    };
    object.string_if("detail", media.detail.as_deref());
    Some(())
}

fn write_audio(object: &mut Writer<'_>, media: &Media) -> Option<()> {
    let Source::Inline { mime, data } = &media.source else { return None };
    object.string("type", "input_audio").nested("input_audio", |audio| {
        audio.string("data", data).string("format", audio_format(mime));
    });
    Some(())
}

fn write_file(object: &mut Writer<'_>, media: &Media, extras: &Extras) -> Option<()> {
    let mut name = media.name.as_deref();
    match &media.source {
        Source::Text(text) => {
            object.string("type", "input_text").string("text", text);
            return Some(());
        }
        Source::Url { url, .. } => object.string("type", "input_file").string("file_url", url),
        Source::File { dialect: HOME, id } => object.string("type", "input_file").string("file_id", id),
        Source::File { .. } => return None,
        Source::Inline { data, .. } if extras.notes(HOME, notes::BARE_DATA) => {
            object.string("type", "input_file").string("file_data", data)
        }
        Source::Inline { mime, data } => {
            // Data without a name is refused.
            if !is_home(extras) {
                name = name.or(Some("document"));
            }
            object.string("type", "input_file").string("file_data", &data_url(mime, data))
        }
    };
    object.string_if("filename", name);
    Some(())
}

fn data_url(mime: &str, data: &str) -> String {
    format!("data:{mime};base64,{data}")
}

fn tell(media: &Media, extras: &Extras, path: &str, context: &mut Context) {
    let keeps_name = media.kind == MediaKind::Document && !matches!(media.source, Source::Text(_));
    if media.name.is_some() && !keeps_name {
        let word = spelt(words::title(context.from), extras);
        context.losses.hint(format!("{path}.{word}"), "only files have a name");
    }
    if media.detail.is_some() && media.kind != MediaKind::Image {
        context.losses.hint(format!("{path}.detail"), "only images have a detail");
    }
    if let Source::Url { mime: Some(_), .. } = media.source {
        let word = spelt(words::mime(context.from), extras);
        context.losses.hint(format!("{path}.{word}"), "the provider finds the type by itself");
    }
}
