//! What all of OpenAI's languages hold their requests to.

use catalogue::Dialect;

use crate::hub::Request;
use crate::loss::Losses;

/// The most characters of a name for the person who asks. Claude Code sends more than twice as many.
/// Source: the API's answer as quoted in github.com/looplj/axonhub/issues/1669, and learn.microsoft.com/dotnet/api/
/// azure.ai.agentserver.responses.models.responseobject.safetyidentifier, read 2026-11-25.
const LONGEST_USER: usize = 64;

/// Who asks, as far as OpenAI takes it. What its own clients send is theirs.
pub(super) fn user<'r>(request: &'r Request, losses: &mut Losses) -> Option<&'r str> {
    let user = request.user.as_deref()?;
    let is_home = matches!(
        request.extras.dialect,
        Some(Dialect::OpenaiChat | Dialect::OpenaiResponses | Dialect::OpenaiCompletions)
    );
    if is_home || user.chars().count() <= LONGEST_USER {
        return Some(user);
    }
    losses.hint("metadata.user_id", "left out: OpenAI takes at most 64 characters");
    None
}
