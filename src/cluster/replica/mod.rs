//! What a replica answers: through a port-forward, or through the API server's pod proxy.

pub(crate) mod conversation;
pub(crate) mod forward;
pub(crate) mod pod_proxy;
mod reading;
mod wire;
