//! Gemini's clients spell a field in two ways, `fileUri` and `file_uri`. A loss names it as the client did.

use catalogue::Dialect;

use crate::hub::Extras;

/// `path` with each name as the client of Gemini spelt it, which its decoder has noted in `extras`.
pub(super) fn spelt(path: &str, extras: &Extras) -> String {
    let spell = |name: &str| {
        let snake = snake(name);
        if extras.notes(Dialect::Gemini, &snake) { snake } else { name.to_owned() }
    };
    path.split('.').map(spell).collect::<Vec<_>>().join(".")
}

fn snake(name: &str) -> String {
    let mut out = String::with_capacity(name.len() + 2);
    for letter in name.chars() {
        if letter.is_ascii_uppercase() {
            out.push('_');
        }
        out.push(letter.to_ascii_lowercase());
    }
    out
}
