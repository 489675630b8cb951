//! Flags, environment and defaults, resolved once into plain settings.
//!
//! The name of every environment variable that this program reads stands here.

use std::path::PathBuf;
use std::time::Duration;

use crate::cli::{
    Cli, ColorChoice, EditArgs, GlobalArgs, OutputFormat, ProgressChoice, QuestionArgs, SetArgs,
};
use crate::cluster::{self, ConnectionSettings, Impersonation, Kuberc, Overrides, TimeLimits};
use crate::error::CommandError;
use crate::expectation::Expectation;
use crate::manifest::{self, Edits, Options, Source};
use crate::ops::{Set, Verification};
use crate::render::{self, Circumstances, Display, Progress};
use crate::secret::Secret;
use crate::ui::{self, Environment, Ui};

/// A list of kubeconfig files, as kubectl reads it.
const KUBECONFIG: &str = "KUBECONFIG";
/// The file with kubectl's preferences, or `off`: which credential plugins may run.
const KUBERC: &str = "KUBERC";
/// `false` for no preferences at all.
const KUBECTL_KUBERC: &str = "KUBECTL_KUBERC";
/// The API server's host, in every pod.
const KUBERNETES_SERVICE_HOST: &str = "KUBERNETES_SERVICE_HOST";
/// The API server's port, in every pod.
const KUBERNETES_SERVICE_PORT: &str = "KUBERNETES_SERVICE_PORT";
/// The namespace to work in inside a pod.
const POD_NAMESPACE: &str = "POD_NAMESPACE";
/// The proxy for plain HTTP; like the next two, in lower case too.
const HTTP_PROXY: &str = "HTTP_PROXY";
/// The proxy for HTTPS.
const HTTPS_PROXY: &str = "HTTPS_PROXY";
/// What is reached without a proxy.
const NO_PROXY: &str = "NO_PROXY";
/// Where `.kube/config` is looked for.
const HOME: &str = "HOME";
/// Set to anything: no colour (<https://no-color.org>).
const NO_COLOR: &str = "NO_COLOR";
/// What the terminal can do.
const TERM: &str = "TERM";
/// Set by build services.
const CI: &str = "CI";

/// The path that every replica of the built-in workload answers alike.
const BUILT_IN_PATH: &str = "/keys";
/// The time for one replica's whole answer.
const ANSWER_TIME: Duration = Duration::from_secs(10);
/// The largest body that is read from a replica.
const LARGEST_BODY: u64 = 16 * 1024 * 1024;
/// Replicas that are asked at once.
const FORWARDS: usize = 16;
/// How long an API server that answered before may be away without ending a command.
const LONGEST_PATIENCE: Duration = Duration::from_mins(2);

/// How to find the cluster; `person` says whether somebody at a terminal can be asked.
#[must_use]
pub fn connection(cli: &Cli, command: &str, person: bool) -> ConnectionSettings {
    let global = &cli.global;
    let reads_standard_input = cli.command.set().is_some_and(SetArgs::reads_standard_input);
    ConnectionSettings {
        kubeconfig: global
            .kubeconfig
            .clone()
            .filter(|path| !path.as_os_str().is_empty()),
        overrides: overrides(global),
        environment: environment(),
        limits: TimeLimits {
            request: global.request_timeout.unsigned_abs(),
            patience: global.timeout.unsigned_abs().min(LONGEST_PATIENCE),
        },
        login_time: global.timeout.unsigned_abs(),
        user_agent: format!("cryptoctl/{} ({command})", env!("CARGO_PKG_VERSION")),
        interactive: person && !reads_standard_input,
    }
}

fn overrides(global: &GlobalArgs) -> Overrides {
    let given = &global.connection;
    // To kubectl a flag with an empty value is as good as none.
    let text = |flag: &Option<String>| flag.clone().filter(|text| !text.is_empty());
    let path = |flag: &Option<PathBuf>| flag.clone().filter(|path| !path.as_os_str().is_empty());
    let secret = |flag: &Option<Secret>| flag.clone().filter(|secret| !secret.is_empty());
    Overrides {
        context: text(&global.context),
        cluster: text(&given.cluster),
        user: text(&given.user),
        server: text(&given.server),
        tls_server_name: text(&given.tls_server_name),
        certificate_authority: path(&given.certificate_authority),
        insecure_skip_tls_verify: given.insecure_skip_tls_verify.unwrap_or_default(),
        proxy_url: text(&given.proxy_url),
        client_certificate: path(&given.client_certificate),
        client_key: path(&given.client_key),
        token: secret(&given.token),
        username: text(&given.username),
        password: secret(&given.password),
        impersonation: Impersonation {
            user: text(&given.impersonate_user),
            uid: text(&given.impersonate_uid),
            groups: given.impersonate_groups.clone(),
            extra: given.impersonate_extra.clone(),
        },
    }
}

fn environment() -> cluster::Environment {
    let text = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let either = |name: &str| text(name).or_else(|| text(&name.to_lowercase()));
    cluster::Environment {
        kubeconfig_list: std::env::var_os(KUBECONFIG),
        kuberc: kuberc(),
        home: std::env::var_os(HOME).map(PathBuf::from),
        service: text(KUBERNETES_SERVICE_HOST).zip(text(KUBERNETES_SERVICE_PORT)),
        pod_namespace: text(POD_NAMESPACE),
        http_proxy: either(HTTP_PROXY),
        https_proxy: either(HTTPS_PROXY),
        no_proxy: either(NO_PROXY),
    }
}

fn kuberc() -> Kuberc {
    let is_off = std::env::var(KUBECTL_KUBERC).is_ok_and(|value| value == "false");
    match std::env::var_os(KUBERC) {
        _ if is_off => Kuberc::Off,
        Some(path) if path == "off" => Kuberc::Off,
        Some(path) if !path.is_empty() => Kuberc::File(path.into()),
        _ => Kuberc::AtHome,
    }
}

/// Refuses a namespace that no cluster can have.
///
/// # Errors
/// A usage error.
fn check_namespace(namespace: Option<&str>) -> Result<(), CommandError> {
    match namespace.and_then(|name| Some((name, manifest::namespace_problem(name)?))) {
        None => Ok(()),
        Some((name, problem)) => Err(CommandError::usage(
            format!("the namespace `{name}` {problem}"),
            "name another one with `-n`",
        )),
    }
}

/// Reads the manifests and makes the changes that the flags ask for.
///
/// The built-in set goes wherever `-n` says; with `-f`, an object that says otherwise is an error,
/// which only shows once the kinds are known.
///
/// # Errors
/// Everything that is wrong with the manifests or the flags; nothing has been sent.
pub async fn set(
    arguments: &SetArgs,
    edits: Option<&EditArgs>,
    namespace: Option<&str>,
) -> Result<Set, CommandError> {
    check_namespace(namespace)?;
    let is_built_in = arguments.filename.is_empty();
    let sources: Vec<Source> = if is_built_in {
        crate::built_in::sources()
    } else {
        arguments
            .filename
            .iter()
            .cloned()
            .map(Source::from)
            .collect()
    };
    let options = Options {
        recursive: arguments.recursive,
    };
    // On a thread of its own: standard input may never end, and Ctrl-C is to be heard meanwhile.
    let loading = tokio::task::spawn_blocking(move || manifest::load(&sources, options));
    let mut manifests = match loading.await {
        Ok(loaded) => loaded?,
        Err(panic) => std::panic::resume_unwind(panic.into_panic()),
    };
    if let (true, Some(namespace)) = (is_built_in, namespace) {
        manifests.retarget(namespace);
    }
    if let Some(edits) = edits {
        manifests.edit(&Edits {
            images: edits.image.clone(),
            replicas: edits.replicas,
            storage_class: edits.storage_class.clone(),
        })?;
    }
    Ok(Set {
        manifests,
        is_built_in,
    })
}

/// What every replica is asked, and within which bounds.
///
/// # Errors
/// A usage error when no path is given and the workload is not the built-in one: a path that every
/// replica answers alike cannot be guessed.
pub fn verification(
    arguments: &QuestionArgs,
    set: &Set,
    named: Option<&str>,
) -> Result<Verification, CommandError> {
    let of_set = |name: &str| {
        set.manifests.manifests().iter().any(|manifest| {
            manifest.reference.is("apps", "StatefulSet") && manifest.reference.name == name
        })
    };
    let is_built_in = set.is_built_in && named.is_none_or(of_set);
    let path = match &arguments.path {
        Some(path) if path.starts_with('/') => path.clone(),
        Some(path) => format!("/{path}"),
        None if is_built_in => BUILT_IN_PATH.to_owned(),
        None => {
            return Err(CommandError::usage(
                "`--path` is required here: which path every replica answers alike cannot be guessed",
                "name it, for example with `--path /keys`",
            ));
        }
    };
    if path.parse::<http::Uri>().is_err() {
        return Err(CommandError::usage(
            format!("`{path}` is not a path that can be requested"),
            "write special characters percent-encoded, such as `%20` for a space",
        ));
    }
    let mut expectation = Expectation::of_path(path);
    expectation.port = arguments.port;
    Ok(Verification {
        expectations: vec![expectation],
        answer_time: ANSWER_TIME,
        largest_body: LARGEST_BODY,
        concurrency: FORWARDS,
    })
}

/// How to colour, in the terminal's words.
#[must_use]
pub fn color(global: &GlobalArgs) -> ui::ColorChoice {
    match global.color {
        ColorChoice::Auto => ui::ColorChoice::Auto,
        ColorChoice::Always => ui::ColorChoice::Always,
        ColorChoice::Never => ui::ColorChoice::Never,
    }
}

/// What the environment says about the terminal.
#[must_use]
pub fn terminal() -> Environment {
    Environment {
        no_color: std::env::var_os(NO_COLOR),
        term: std::env::var_os(TERM),
        ci: std::env::var_os(CI),
    }
}

/// Who draws what.
#[must_use]
pub fn display(global: &GlobalArgs, ui: &Ui) -> Display {
    let output = match global.output {
        OutputFormat::Text => render::OutputFormat::Text,
        OutputFormat::Json => render::OutputFormat::Json,
    };
    let progress = match global.progress {
        ProgressChoice::Auto => Progress::Auto,
        ProgressChoice::Bars => Progress::Bars,
        ProgressChoice::Plain => Progress::Plain,
        ProgressChoice::None => Progress::None,
    };
    Display::decide(&Circumstances::new(output, progress, global.quiet, ui))
}
