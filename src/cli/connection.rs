//! kubectl's connection flags, by kubectl's names.

use std::path::PathBuf;

use clap::{Args, ValueHint};
use kubectl_config::Secret;

/// The flags that override the kubeconfig. Not `Debug`, because URLs may contain passwords.
#[derive(Args)]
#[command(next_help_heading = "Connection options")]
pub struct ConnectionArgs {
    /// Cluster of the kubeconfig to use
    #[arg(long, global = true, value_name = "NAME", hide_short_help = true)]
    pub cluster: Option<String>,
    /// User of the kubeconfig to use
    #[arg(long, global = true, value_name = "NAME", hide_short_help = true)]
    pub user: Option<String>,
    /// Address of the API server
    #[arg(short, long, global = true, value_name = "URL", hide_short_help = true)]
    pub server: Option<String>,
    /// Name to expect in the API server's certificate
    #[arg(long, global = true, value_name = "NAME", hide_short_help = true)]
    pub tls_server_name: Option<String>,
    /// Certificates to trust, in a PEM file
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath, value_parser = super::parsing::path(), hide_short_help = true)]
    pub certificate_authority: Option<PathBuf>,
    /// Do not verify the API server's certificate: the connection can be intercepted
    #[arg(long, global = true, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", hide_short_help = true)]
    pub insecure_skip_tls_verify: Option<bool>,
    /// Proxy to the API server
    #[arg(long, global = true, value_name = "URL", hide_short_help = true)]
    pub proxy_url: Option<String>,
    /// Client certificate, in a PEM file
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath, value_parser = super::parsing::path(), hide_short_help = true)]
    pub client_certificate: Option<PathBuf>,
    /// Key of the client certificate, in a PEM file
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath, value_parser = super::parsing::path(), hide_short_help = true)]
    pub client_key: Option<PathBuf>,
    /// Bearer token; other users of this machine can see it in the process list
    #[arg(long, global = true, value_name = "TOKEN", hide_short_help = true)]
    pub token: Option<Secret>,
    /// User name for basic authentication
    #[arg(long, global = true, value_name = "NAME", hide_short_help = true)]
    pub username: Option<String>,
    /// Password for basic authentication; also visible in the process list
    #[arg(long, global = true, value_name = "PASSWORD", hide_short_help = true)]
    pub password: Option<Secret>,
    /// User to impersonate
    #[arg(
        long = "as",
        global = true,
        value_name = "USER",
        hide_short_help = true
    )]
    pub impersonate_user: Option<String>,
    /// UID to impersonate
    #[arg(
        long = "as-uid",
        global = true,
        value_name = "UID",
        hide_short_help = true
    )]
    pub impersonate_uid: Option<String>,
    /// Group to impersonate; repeatable
    #[arg(
        long = "as-group",
        global = true,
        value_name = "GROUP",
        hide_short_help = true
    )]
    pub impersonate_groups: Vec<String>,
    /// Extra field to impersonate; repeatable
    #[arg(long = "as-user-extra", global = true, value_name = "KEY=VALUE", value_parser = pair, hide_short_help = true)]
    pub impersonate_extra: Vec<(String, String)>,
    /// Accepted for compatibility with kubectl; answers are never compressed
    #[arg(long, global = true, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", hide_short_help = true)]
    pub disable_compression: Option<bool>,
}

fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("expected KEY=VALUE".to_owned()),
    }
}
