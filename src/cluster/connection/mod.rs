//! To which server, and as whom: flags, kubeconfig, credentials and transport, as kubectl has them.

pub(crate) mod identity;
pub(crate) mod kubeconfig;
pub(crate) mod login;
pub(crate) mod server_url;
pub(crate) mod settings;
pub(crate) mod transport;
