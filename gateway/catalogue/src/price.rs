//! What a model costs: rates by meter, service tier and length of the prompt. No float: a rate is whole
//! atto-dollars (10^-18 US dollars) for one unit, since tokens cost less than a nano-dollar and some prices are
//! fractions of that. The gateway's `cost` multiplies and rounds, once for each call. `prices.rs` has the table.

use std::str::FromStr;

/// US dollars × 10^-18, for one unit. At most 18.4 dollars.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rate(u64);

/// Why a text is no rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RateError {
    /// Signs, exponents and blanks are not taken.
    #[error("is not a decimal number: write it as 2.50")]
    NotDecimal,
    /// It would be rounded.
    #[error("has more than {0} decimals")]
    TooFine(usize),
    /// A unit may cost up to 18 dollars.
    #[error("is more than 18 dollars for one unit")]
    TooMuch,
}

impl Rate {
    /// Costs nothing.
    pub const ZERO: Self = Self(0);

    /// From dollars for a million units, in decimal digits.
    ///
    /// # Errors
    /// [`RateError`]; more than 12 decimals are too fine.
    pub fn per_million(dollars: &str) -> Result<Self, RateError> {
        scaled(dollars, 12).map(Self)
    }

    /// From dollars for one unit, in decimal digits.
    ///
    /// # Errors
    /// [`RateError`]; more than 18 decimals are too fine.
    pub fn per_unit(dollars: &str) -> Result<Self, RateError> {
        scaled(dollars, 18).map(Self)
    }

    /// From what [`Self::atto_dollars`] gives.
    #[must_use]
    pub fn from_atto_dollars(atto: u64) -> Self {
        Self(atto)
    }

    /// US dollars × 10^-18, for one unit.
    #[must_use]
    pub fn atto_dollars(self) -> u64 {
        self.0
    }
}

/// `text` × 10^`places`.
fn scaled(text: &str, places: usize) -> Result<u64, RateError> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let is_number = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || text.ends_with('.') || !is_number(whole) || !is_number(fraction) {
        return Err(RateError::NotDecimal);
    }
    if fraction.len() > places {
        return Err(RateError::TooFine(places));
    }
    let digits = format!("{whole}{fraction:0<places$}");
    let digits = digits.trim_start_matches('0');
    if digits.is_empty() { Ok(0) } else { digits.parse().map_err(|_| RateError::TooMuch) }
}

/// What is counted. The unit is one of it: a token, a search, a millisecond.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Meter {
    /// Tokens that the provider had to read.
    Input,
    /// Tokens that it had in its cache.
    CachedInput,
    /// Tokens that it wrote to its cache, to be kept for minutes.
    CacheWrite,
    /// The same, to be kept for an hour.
    CacheWriteHour,
    /// Tokens of sound.
    AudioInput,
    /// Tokens of sound that were in the cache.
    CachedAudio,
    /// Tokens of pictures.
    ImageInput,
    /// Tokens of films.
    VideoInput,
    /// Tokens that the client sees.
    Output,
    /// Tokens that were thought.
    Reasoning,
    /// Tokens of sound that was made.
    AudioOutput,
    /// Tokens of pictures that were made.
    ImageOutput,
    /// Tokens of films that were made.
    VideoOutput,
    /// Tokens of what an answer cites.
    Citation,
    /// Calls.
    Request,
    /// Questions of a rerank or a search.
    Query,
    /// Searches in the web that the provider did for an answer.
    Search,
    /// Answers for which it searched, however often.
    Grounding,
    /// Sandboxes for code that an answer used.
    Session,
    /// Pages read.
    Page,
    /// Pages read and annotated.
    AnnotatedPage,
    /// Characters read.
    CharacterInput,
    /// Characters written.
    CharacterOutput,
    /// Pictures looked at.
    PictureInput,
    /// Pictures made.
    PictureOutput,
    /// Pixels looked at.
    PixelInput,
    /// Pixels made.
    PixelOutput,
    /// Milliseconds of what was sent.
    MillisecondInput,
    /// Milliseconds of what was made.
    MillisecondOutput,
    /// Milliseconds of sound that was sent beside other things.
    AudioMillisecondInput,
    /// Milliseconds of film that was sent beside other things.
    VideoMillisecondInput,
    /// Milliseconds of film that was made.
    VideoMillisecondOutput,
}

impl Meter {
    /// All of them, with their words in the table.
    pub const ALL: [(Self, &'static str); 32] = [
        (Self::Input, "input"),
        (Self::CachedInput, "cached"),
        (Self::CacheWrite, "write"),
        (Self::CacheWriteHour, "write-hour"),
        (Self::AudioInput, "audio-in"),
        (Self::CachedAudio, "audio-cached"),
        (Self::ImageInput, "image-in"),
        (Self::VideoInput, "video-in"),
        (Self::Output, "output"),
        (Self::Reasoning, "reasoning"),
        (Self::AudioOutput, "audio-out"),
        (Self::ImageOutput, "image-out"),
        (Self::VideoOutput, "video-out"),
        (Self::Citation, "citation"),
        (Self::Request, "request"),
        (Self::Query, "query"),
        (Self::Search, "search"),
        (Self::Grounding, "grounding"),
        (Self::Session, "session"),
        (Self::Page, "page"),
        (Self::AnnotatedPage, "note-page"),
        (Self::CharacterInput, "character-in"),
        (Self::CharacterOutput, "character-out"),
        (Self::PictureInput, "picture-in"),
        (Self::PictureOutput, "picture-out"),
        (Self::PixelInput, "pixel-in"),
        (Self::PixelOutput, "pixel-out"),
        (Self::MillisecondInput, "ms-in"),
        (Self::MillisecondOutput, "ms-out"),
        (Self::AudioMillisecondInput, "audio-ms-in"),
        (Self::VideoMillisecondInput, "video-ms-in"),
        (Self::VideoMillisecondOutput, "video-ms-out"),
    ];

    /// What these are, where they have no rate of their own: a provider without a price for cached tokens bills
    /// them as read. What is nothing else is free then.
    #[must_use]
    pub fn otherwise(self) -> Option<Self> {
        match self {
            Self::CachedInput | Self::CacheWrite | Self::AudioInput | Self::ImageInput | Self::VideoInput => {
                Some(Self::Input)
            }
            Self::CacheWriteHour => Some(Self::CacheWrite),
            Self::CachedAudio => Some(Self::CachedInput),
            Self::Reasoning | Self::AudioOutput | Self::ImageOutput | Self::VideoOutput => Some(Self::Output),
            _ => None,
        }
    }
}

impl FromStr for Meter {
    type Err = ();

    fn from_str(word: &str) -> Result<Self, ()> {
        Self::ALL.iter().find(|(_, known)| *known == word).map(|(meter, _)| *meter).ok_or(())
    }
}

/// How fast a provider was asked, or chose, to answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tier {
    /// As usual.
    #[default]
    Standard,
    /// Before others.
    Priority,
    /// When there is room.
    Flex,
    /// Within a day.
    Batch,
    /// Between flex and standard.
    Balanced,
    /// Before those with priority.
    Ultrafast,
}

impl Tier {
    /// All of them, with their words in the table.
    pub const ALL: [(Self, &'static str); 6] = [
        (Self::Standard, "standard"),
        (Self::Priority, "priority"),
        (Self::Flex, "flex"),
        (Self::Batch, "batch"),
        (Self::Balanced, "balanced"),
        (Self::Ultrafast, "ultrafast"),
    ];
}

impl FromStr for Tier {
    type Err = ();

    fn from_str(word: &str) -> Result<Self, ()> {
        Self::ALL.iter().find(|(_, known)| *known == word).map(|(tier, _)| *tier).ok_or(())
    }
}

/// All rates of one model.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Price(Vec<Entry>);

/// One rate and where it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Of what.
    pub meter: Meter,
    /// In which tier.
    pub tier: Tier,
    /// For prompts of more tokens than this.
    pub above: u64,
    /// For one unit.
    pub rate: Rate,
}

impl Price {
    /// With these rates and no other.
    #[must_use]
    pub fn new(entries: Vec<Entry>) -> Self {
        Self(entries)
    }

    /// Whether it has no rate at all, so that nothing is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Every rate.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.0
    }

    /// What one unit of `meter` costs in `tier`, after a prompt of `prompt` tokens: the rate of the highest
    /// threshold that the prompt is above, there the tier's before the standard one.
    #[must_use]
    pub fn rate(&self, meter: Meter, tier: Tier, prompt: u64) -> Rate {
        let holds = |entry: &&Entry| {
            entry.meter == meter
                && (entry.tier == tier || entry.tier == Tier::Standard)
                && (entry.above == 0 || prompt > entry.above)
        };
        let best = self.0.iter().filter(holds).max_by_key(|entry| (entry.above, entry.tier == tier));
        let otherwise = || meter.otherwise().map(|meter| self.rate(meter, tier, prompt));
        best.map(|entry| entry.rate).or_else(otherwise).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(meter: Meter, tier: Tier, above: u64, dollars: &str) -> Entry {
        Entry { meter, tier, above, rate: Rate::per_million(dollars).unwrap() }
    }

    #[test]
    fn rates_are_read_without_rounding() {
        assert_eq!(Rate::per_million("2.5").unwrap().atto_dollars(), 2_500_000_000_000);
        assert_eq!(Rate::per_million("0.000000000001").unwrap().atto_dollars(), 1);
        assert_eq!(Rate::per_million("0.0375"), Rate::per_unit("0.0000000375"));
        assert_eq!(Rate::per_million("007"), Rate::per_million("7.000"));
        assert_eq!(Rate::per_unit("0"), Ok(Rate::ZERO));
        assert_eq!(Rate::per_million("0.0000000000001"), Err(RateError::TooFine(12)));
        assert_eq!(Rate::per_unit("18.5"), Err(RateError::TooMuch));
        for odd in ["", ".", "1.", ".5", "-1", "+1", "1e-6", " 1", "1,5", "NaN", "1.2.3"] {
            assert_eq!(Rate::per_million(odd), Err(RateError::NotDecimal), "{odd:?}");
        }
    }

    #[test]
    fn a_long_prompt_has_the_rates_of_the_highest_threshold_that_it_is_above() {
        let (input, standard) = (Meter::Input, Tier::Standard);
        let price = Price::new(vec![
            entry(input, standard, 0, "1"),
            entry(input, standard, 200_000, "3"),
            entry(input, standard, 128_000, "2"),
        ]);
        let dollars = |prompt| price.rate(input, standard, prompt).atto_dollars() / 1_000_000_000_000;
        assert_eq!([128_000, 128_001, 200_000, 200_001].map(dollars), [1, 2, 2, 3]);
    }

    #[test]
    fn a_tier_without_a_rate_has_the_standard_one() {
        let price = Price::new(vec![
            entry(Meter::Input, Tier::Standard, 0, "2"),
            entry(Meter::Input, Tier::Flex, 0, "1"),
            entry(Meter::Output, Tier::Standard, 0, "8"),
        ]);
        assert_eq!(price.rate(Meter::Input, Tier::Flex, 1), Rate::per_million("1").unwrap());
        assert_eq!(price.rate(Meter::Input, Tier::Priority, 1), Rate::per_million("2").unwrap());
        assert_eq!(price.rate(Meter::Output, Tier::Flex, 1), Rate::per_million("8").unwrap());
    }

    #[test]
    fn what_has_no_rate_costs_what_it_is_otherwise() {
        let price = Price::new(vec![
            entry(Meter::Input, Tier::Standard, 0, "2"),
            entry(Meter::Output, Tier::Standard, 0, "8"),
            entry(Meter::CacheWrite, Tier::Standard, 0, "3"),
            entry(Meter::CachedInput, Tier::Standard, 0, "0"),
        ]);
        let dollars = |meter| price.rate(meter, Tier::Standard, 1).atto_dollars() / 1_000_000_000_000;
        assert_eq!(dollars(Meter::AudioInput), 2);
        assert_eq!(dollars(Meter::CacheWriteHour), 3);
        assert_eq!(dollars(Meter::CachedAudio), 0, "free is a rate");
        assert_eq!(dollars(Meter::Reasoning), 8);
        assert_eq!(dollars(Meter::Search), 0);
    }
}
