//! What has to be known to find a cluster: flags and environment, nothing read yet. Without `Debug`, since URLs may
//! carry passwords.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;
use std::{env, io};

use http::HeaderValue;

use crate::secret::Secret;

/// How to find the cluster; the default is what no flag and no variable says.
#[derive(Clone)]
pub struct Settings {
    /// `--kubeconfig`.
    pub kubeconfig: Option<PathBuf>,
    /// What the flags say over the kubeconfig.
    pub overrides: Overrides,
    /// What the environment says.
    pub environment: Environment,
    /// How long one connection may take to be made.
    pub connect_timeout: Duration,
    /// How long a login may take, a person's answers included.
    pub login_time: Duration,
    /// What the API server's audit log shows: the tool, its version and the command.
    pub user_agent: HeaderValue,
    /// Whether a credential plugin may ask a person: standard input is a terminal, and nothing else
    /// reads it.
    pub interactive: bool,
    /// Asked before every read from a connection, whatever it carries; an error ends the connection. A
    /// process that bounds its memory refuses here.
    pub before_read: fn() -> io::Result<()>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            kubeconfig: None,
            overrides: Overrides::default(),
            environment: Environment::default(),
            connect_timeout: Duration::from_secs(10),
            login_time: Duration::from_mins(5),
            user_agent: HeaderValue::from_static("kubectl-config"),
            interactive: false,
            before_read: || Ok(()),
        }
    }
}

/// The variables that kubectl reads.
#[derive(Clone, Default)]
pub struct Environment {
    /// `KUBECONFIG`: a list of paths.
    pub kubeconfig_list: Option<OsString>,
    /// Where kubectl's preferences are.
    pub kuberc: Kuberc,
    /// The home directory.
    pub home: Option<PathBuf>,
    /// `KUBERNETES_SERVICE_HOST` and `KUBERNETES_SERVICE_PORT`, which every pod has.
    pub service: Option<(String, String)>,
    /// `POD_NAMESPACE`.
    pub pod_namespace: Option<String>,
    /// `HTTP_PROXY`; this and the next two also exist in lower case.
    pub http_proxy: Option<String>,
    /// `HTTPS_PROXY`.
    pub https_proxy: Option<String>,
    /// `NO_PROXY`.
    pub no_proxy: Option<String>,
}

impl Environment {
    /// What the variables of this process say.
    #[must_use]
    pub fn of_process() -> Self {
        let text = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
        let either = |name: &str| text(name).or_else(|| text(&name.to_lowercase()));
        Self {
            kubeconfig_list: env::var_os("KUBECONFIG"),
            kuberc: Kuberc::of_process(),
            home: env::var_os("HOME").map(PathBuf::from),
            service: text("KUBERNETES_SERVICE_HOST").zip(text("KUBERNETES_SERVICE_PORT")),
            pod_namespace: text("POD_NAMESPACE"),
            http_proxy: either("HTTP_PROXY"),
            https_proxy: either("HTTPS_PROXY"),
            no_proxy: either("NO_PROXY"),
        }
    }
}

/// Where kubectl's preferences are, which say which credential plugins may run.
#[derive(Debug, Clone, Default)]
pub enum Kuberc {
    /// In the home directory, if there are any.
    #[default]
    AtHome,
    /// In this file, which must be there (`KUBERC`).
    File(PathBuf),
    /// Nowhere (`KUBERC=off`, `KUBECTL_KUBERC=false`).
    Off,
}

impl Kuberc {
    fn of_process() -> Self {
        let is_off = env::var("KUBECTL_KUBERC").is_ok_and(|value| value == "false");
        match env::var_os("KUBERC") {
            _ if is_off => Self::Off,
            Some(path) if path == "off" => Self::Off,
            Some(path) if !path.is_empty() => Self::File(path.into()),
            _ => Self::AtHome,
        }
    }
}

/// kubectl's connection flags; what is not given stays as the kubeconfig has it.
#[derive(Clone, Default)]
pub struct Overrides {
    /// `--context`.
    pub context: Option<String>,
    /// `--cluster`: the name of the kubeconfig's cluster.
    pub cluster: Option<String>,
    /// `--user`: the name of the kubeconfig's user.
    pub user: Option<String>,
    /// `--server`.
    pub server: Option<String>,
    /// `--tls-server-name`.
    pub tls_server_name: Option<String>,
    /// `--certificate-authority`.
    pub certificate_authority: Option<PathBuf>,
    /// `--insecure-skip-tls-verify`.
    pub insecure_skip_tls_verify: bool,
    /// `--proxy-url`.
    pub proxy_url: Option<String>,
    /// `--client-certificate`.
    pub client_certificate: Option<PathBuf>,
    /// `--client-key`.
    pub client_key: Option<PathBuf>,
    /// `--token`.
    pub token: Option<Secret>,
    /// `--username`.
    pub username: Option<String>,
    /// `--password`.
    pub password: Option<Secret>,
    /// `--as` and its companions.
    pub impersonation: Impersonation,
}

/// As whom to act.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Impersonation {
    /// `--as`.
    pub user: Option<String>,
    /// `--as-uid`.
    pub uid: Option<String>,
    /// `--as-group`.
    pub groups: Vec<String>,
    /// `--as-user-extra`: a key and one of its values.
    pub extra: Vec<(String, String)>,
}
