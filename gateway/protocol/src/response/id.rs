//! Ids of responses as clients see them. A provider's own id leads back to nowhere once there are two deployments, so
//! it is wrapped with the name of the one that keeps the response.

use crate::base64;

/// Names a deployment in an id. It must be the same for as long as the deployment keeps its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Tag(pub [u8; 8]);

/// What an id tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ResponseId {
    /// A deployment keeps it.
    Placed {
        /// Which.
        tag: Tag,
        /// The provider's own id.
        own: String,
    },
    /// One of LiteLLM's, from before a migration.
    Litellm {
        /// What LiteLLM called the deployment.
        model_id: String,
        /// The provider's own id.
        own: String,
    },
    /// A gateway made it.
    Own,
    /// A provider's own.
    Bare,
}

/// All ids of this API begin so.
const PREFIX: &str = "resp_";

/// Of the wrapped form. As its first byte it makes the first letter an `A`, which OpenAI's ids never have there.
const VERSION: u8 = 1;

/// What LiteLLM wraps: `litellm:custom_llm_provider:<p>;model_id:<m>;response_id:<id>`, in base64 after the prefix.
/// Observed at its release 1.109.1.
const LITELLM: &str = "litellm:";

impl Tag {
    /// The client's id of a response that this deployment keeps as `own`.
    #[must_use]
    pub fn place(self, own: &str) -> String {
        let mut bytes = vec![VERSION];
        bytes.extend_from_slice(&self.0);
        bytes.extend_from_slice(own.as_bytes());
        PREFIX.to_owned() + &base64::encoded_for_urls(&bytes)
    }
}

/// The id of a response that a gateway makes. `seed` is a UUID of version 7 without its hyphens.
#[must_use]
pub fn own_id(seed: &str) -> String {
    PREFIX.to_owned() + seed
}

impl ResponseId {
    /// Reads the id that a client sends.
    #[must_use]
    pub fn read(id: &str) -> Self {
        let Some(rest) = id.strip_prefix(PREFIX) else { return Self::Bare };
        if is_own(rest) {
            return Self::Own;
        }
        base64::decode(rest).and_then(wrapped).unwrap_or(Self::Bare)
    }
}

fn is_own(rest: &str) -> bool {
    let is_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    rest.len() == 32 && rest.bytes().all(is_hex) && rest.as_bytes().get(12) == Some(&b'7')
}

fn wrapped(bytes: Vec<u8>) -> Option<ResponseId> {
    if let Some((&VERSION, rest)) = bytes.split_first() {
        let (tag, own) = rest.split_first_chunk()?;
        let own = String::from_utf8(own.to_vec()).ok().filter(|own| !own.is_empty())?;
        return Some(ResponseId::Placed { tag: Tag(*tag), own });
    }
    litellm(&String::from_utf8(bytes).ok()?)
}

fn litellm(text: &str) -> Option<ResponseId> {
    // The provider's id comes last, so it may have any letter.
    let (head, own) = text.strip_prefix(LITELLM)?.split_once(";response_id:")?;
    let model_id = head.split(';').find_map(|field| field.strip_prefix("model_id:")).unwrap_or_default();
    Some(ResponseId::Litellm { model_id: model_id.to_owned(), own: own.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_placed_id_leads_back_and_looks_like_one() {
        let (tag, own) = (Tag(*b"\0\xff234567"), "resp_67ccd2bed1ec8190b14f964abc054267");
        let id = tag.place(own);
        assert!(
            id.starts_with("resp_A")
                && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
        );
        assert_eq!(ResponseId::read(&id), ResponseId::Placed { tag, own: own.into() });
        let nested = Tag([7; 8]).place(&id);
        assert_eq!(ResponseId::read(&nested), ResponseId::Placed { tag: Tag([7; 8]), own: id });
    }

    #[test]
    fn litellms_form_is_read() {
        let theirs = "resp_bGl0ZWxsbTpjdXN0b21fbGxtX3Byb3ZpZGVyOm9wZW5haTttb2RlbF9pZDphaS9ncHQ7cmVzcG9uc2VfaWQ6cmVzcF8x";
        let read = ResponseId::Litellm { model_id: "ai/gpt".into(), own: "resp_1".into() };
        assert_eq!(ResponseId::read(theirs), read);
        assert_eq!(ResponseId::read(&format!("{theirs}=")), read, "padded, too");
    }

    #[test]
    fn what_providers_make_stays_bare_and_what_a_gateway_makes_is_known() {
        for bare in [
            "resp_67ccd2bed1ec8190b14f964abc0542670bb6a6b452d3795b",
            "resp_0a0cc8227e90b719016a585a7ada54819a9d3b18aedb5e2658",
            "0d7b2a4e-7d07-4d52-9d3c-1f6f5e3c8a11",
            "resp_1",
            "resp_",
            "resp_AQ",
            "",
        ] {
            assert_eq!(ResponseId::read(bare), ResponseId::Bare, "{bare}");
        }
        assert_eq!(ResponseId::read(&own_id("019ab3f0c2d17e6fa3b1c9d2e4f50617")), ResponseId::Own);
        assert_eq!(
            ResponseId::read("resp_019ab3f0c2d14e6fa3b1c9d2e4f50617"),
            ResponseId::Bare,
            "of version 4"
        );
    }
}
