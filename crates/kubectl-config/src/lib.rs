#![doc = include_str!("../README.md")]

mod connection;
pub mod failure;
pub mod file;
mod identity;
mod kubeconfig;
mod login;
mod secret;
mod server_url;
mod settings;
mod transport;

pub use self::connection::{Connection, ConnectionError};
pub use self::identity::IdentityError;
pub use self::kubeconfig::KubeconfigError;
pub use self::secret::{Secret, concealed};
pub use self::settings::{Environment, Impersonation, Kuberc, Overrides, Settings};
pub use self::transport::{ProxyError, Transport};
