//! What a server says when it refuses, as it may be shown.

use kube::core::Status;
use kubectl_config::concealed;

/// What a refusal says, without the credentials that it was sent: some servers repeat the request.
pub(crate) fn without_credentials(mut status: Status) -> Status {
    let texts = [&mut status.message, &mut status.reason];
    let causes = status
        .details
        .iter_mut()
        .flat_map(|details| &mut details.causes);
    let of_causes = causes.flat_map(|cause| [&mut cause.message, &mut cause.field]);
    for text in texts.into_iter().chain(of_causes) {
        *text = concealed(std::mem::take(text));
    }
    status
}
