//! Flags, environment, configuration and defaults, resolved once into plain settings. Flags
//! override the configuration file, and the file overrides defaults.
//!
//! The name of every environment variable that this program reads is here, but for those that kubectl reads
//! too: what connects knows them.

mod chaos;
mod older_run;
mod readiness_probe;
mod reading;
mod verify;

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub use self::chaos::experiment;
pub use self::older_run::older_run;
pub use self::reading::in_time;
pub use self::verify::verification;

use http::HeaderValue;
use kubectl_config::{Impersonation, Overrides, Secret, Settings};

use crate::address::Address;
use crate::cli::{Cli, Command, EditArgs, FieldArgs, GlobalArgs, InventoryArgs, SetArgs};
use crate::cluster::TimeLimits;
use crate::config::{self, Config};
use crate::error::CommandError;
use crate::fields::{Choice, FieldChoices};
use crate::manifest::{self, Edits, Options, Source};
use crate::memory;
use crate::ops::{NamedInventory, Set};
use crate::render::terminal::{Circumstances, Display};
use crate::ui::{Environment, Ui};

/// The logged-in user; this and the next one only tell others who runs an experiment.
const USER: &str = "USER";
/// The same, under another name.
const LOGNAME: &str = "LOGNAME";
/// Set to anything: no colour (<https://no-color.org>).
const NO_COLOR: &str = "NO_COLOR";
/// The capabilities of the terminal.
const TERM: &str = "TERM";
/// Set by build services.
const CI: &str = "CI";

/// This machine's name (`proc_sys_kernel(5)`).
const HOST_NAME: &str = "/proc/sys/kernel/hostname";

/// How long a connection may take to be made, however long a request may.
const LONGEST_CONNECT: Duration = Duration::from_secs(10);

/// How long an API server that has answered before may be unreachable before the command ends.
const LONGEST_PATIENCE: Duration = Duration::from_mins(2);

/// The user and process of this run, in words for others; `chance` distinguishes runs.
#[must_use]
pub fn identity(chance: u64) -> String {
    let named = |variable: &&str| std::env::var(variable).ok().filter(|name| !name.is_empty());
    let user = [USER, LOGNAME].iter().find_map(named);
    let user = user.unwrap_or_else(|| "somebody".to_owned());
    let host = std::fs::read_to_string(HOST_NAME).unwrap_or_default();
    let host = Some(host.trim())
        .filter(|host| !host.is_empty())
        .unwrap_or("somewhere");
    let process = std::process::id();
    format!(
        "{user}@{host} (process {process}, run {:08x})",
        chance & 0xffff_ffff
    )
}

/// How to connect to the cluster; `person` says whether a user at a terminal can be asked.
#[must_use]
pub fn connection(cli: &Cli, command: &str, person: bool) -> Settings {
    let global = &cli.global;
    let reads_standard_input = cli.command.set().is_some_and(SetArgs::reads_standard_input);
    let user_agent = format!("cryptoctl/{} ({command})", env!("CARGO_PKG_VERSION"));
    Settings {
        kubeconfig: global
            .kubeconfig
            .clone()
            .filter(|path| !path.as_os_str().is_empty()),
        overrides: overrides(global),
        environment: kubectl_config::Environment::of_process(),
        connect_timeout: global.request_timeout.min(LONGEST_CONNECT),
        login_time: global.timeout,
        user_agent: HeaderValue::from_str(&user_agent)
            .unwrap_or(HeaderValue::from_static("cryptoctl")),
        interactive: person && !reads_standard_input,
        before_read: memory::check,
    }
}

/// How long the API server may take.
#[must_use]
pub fn limits(global: &GlobalArgs) -> TimeLimits {
    TimeLimits {
        request: global.request_timeout,
        patience: global.timeout.min(LONGEST_PATIENCE),
    }
}

/// The flags for printed commands. Secrets are left out: the user who gave one on the command line knows
/// it.
#[must_use]
pub fn address(cli: &Cli) -> Address {
    let (global, edits) = (&cli.global, cli.command.edits());
    let text = |value: &dyn ToString| Cow::from(value.to_string());
    let files = cli.command.set().map(|set| set.filename.as_slice());
    let files = files.unwrap_or_default().iter();
    let files = files.map(|file| ("--filename", text(&file.display())));
    let is_recursive = cli.command.set().is_some_and(|set| set.recursive);
    let namespace = global.namespace.iter();
    let flags = files
        .chain(is_recursive.then_some(("--recursive", Cow::from(""))))
        .chain(namespace.map(|name| ("--namespace", text(name))))
        .chain(
            global
                .config
                .iter()
                .map(|file| ("--config", text(&file.display()))),
        );
    let edited = edits.into_iter().flat_map(|edits| {
        let images = edits.image.iter().map(|image| ("--image", text(image)));
        let replicas = edits.replicas.iter();
        let class = edits.storage_class.iter();
        let rolls = edits.roll_on_config_change.iter();
        images
            .chain(replicas.map(|number| ("--replicas", text(number))))
            .chain(class.map(|name| ("--storage-class", text(name))))
            .chain(rolls.map(|rolls| ("--roll-on-config-change", text(rolls))))
    });
    let fields = cli.command.fields().into_iter().flat_map(|fields| {
        let patterns = [
            (Choice::Take, &fields.take),
            (Choice::Yield, &fields.yielded),
            (Choice::RevertUndeclared, &fields.revert_undeclared),
        ];
        let patterns = patterns.into_iter().flat_map(move |(choice, patterns)| {
            patterns
                .iter()
                .map(move |pattern| (choice.flag(), text(pattern)))
        });
        let managers = fields.take_over.iter();
        patterns.chain(managers.map(move |manager| ("--take-over", text(manager))))
    });
    let inventory = cli.command.inventory().into_iter();
    let inventory = inventory.map(|name| ("--inventory", Cow::from(name)));
    let prunes = cli.command.prunes().then_some(("--prune", Cow::from("")));
    let replaced = cli.command.replaced().iter();
    let replaced = replaced.map(|name| ("--replace", text(name)));
    let allowed = cli.command.allowed().iter();
    let allowed = allowed.map(|risk| ("--allow", text(risk)));
    cluster_address(global).on_set(
        flags
            .chain(edited)
            .chain(fields)
            .chain(inventory)
            .chain(prunes)
            .chain(replaced)
            .chain(allowed),
    )
}

/// The flags of the cluster for printed commands.
fn cluster_address(global: &GlobalArgs) -> Address {
    let given = &global.connection;
    let path = |path: &Option<PathBuf>| {
        path.as_ref()
            .map(|path| path.to_string_lossy().into_owned())
    };
    let flags = [
        ("--kubeconfig", path(&global.kubeconfig)),
        ("--context", global.context.clone()),
        ("--cluster", given.cluster.clone()),
        ("--user", given.user.clone()),
        ("--server", given.server.clone()),
        ("--tls-server-name", given.tls_server_name.clone()),
        (
            "--certificate-authority",
            path(&given.certificate_authority),
        ),
        (
            "--insecure-skip-tls-verify",
            given.insecure_skip_tls_verify.map(|skip| skip.to_string()),
        ),
        ("--proxy-url", given.proxy_url.clone()),
        ("--as", given.impersonate_user.clone()),
    ];
    let groups = given.impersonate_groups.iter().cloned();
    let groups = groups.map(|group| ("--as-group", Some(group)));
    Address::of(flags.into_iter().chain(groups).filter_map(|(flag, value)| {
        let value = value.filter(|value| !value.is_empty())?;
        Some((flag, value.into()))
    }))
}

fn overrides(global: &GlobalArgs) -> Overrides {
    let given = &global.connection;
    // Like kubectl, treat a flag with an empty value as absent.
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

/// Refuses an invalid namespace.
///
/// # Errors
/// A usage error.
fn check_namespace(namespace: Option<&str>) -> Result<(), CommandError> {
    match namespace.and_then(|name| Some((name, kubectl_manifest::namespace_problem(name)?))) {
        None => Ok(()),
        Some((name, problem)) => Err(CommandError::usage(
            format!("the namespace `{name}` {problem}"),
            "name another one with `-n`",
        )),
    }
}

/// Reads the manifests and makes the edits that the flags request.
///
/// The built-in set uses the namespace of `-n`. With `-f`, an object with another namespace is an
/// error, which shows only once the kinds are known.
///
/// # Errors
/// All problems of the manifests and flags; nothing has been sent.
pub async fn set(
    cli: &Cli,
    arguments: &SetArgs,
    edits: Option<&EditArgs>,
) -> Result<Set, CommandError> {
    let namespace = cli.global.namespace.as_deref();
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
    let load = move || manifest::load(&sources, options);
    let loaded = in_time(cli.global.timeout, load).await?;
    let mut manifests = loaded.map_err(|errors| {
        let flags = namespace
            .map(|name| format!(" -n {name}"))
            .unwrap_or_default();
        let asks = matches!(cli.command, Command::Chaos(_) | Command::Down(_));
        CommandError::of_manifests(&errors, cli.command.words(), &flags, asks)
    })?;
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
        choices: FieldChoices::default(),
        replaced: Vec::new(),
        inventory: None,
        rolls: false,
    })
}

/// What to do about fields that other managers own: what the flags and the configuration say together.
#[must_use]
pub fn field_choices(arguments: &FieldArgs, config: &Config) -> FieldChoices {
    FieldChoices {
        taken: arguments.take.clone(),
        always_taken: config.take.clone(),
        takes_all: arguments.force_conflicts,
        yielded: arguments.yielded.clone(),
        always_yielded: config.yielded.clone(),
        reverted: arguments.revert_undeclared.clone(),
        taken_over: arguments.take_over.clone(),
        always_taken_over: config.take_over.clone(),
    }
}

/// Whether pods are replaced when what they use changes: what the flag says, or what the configuration says.
#[must_use]
pub fn rolls(arguments: &EditArgs, config: &Config) -> bool {
    let rolls = arguments.roll_on_config_change;
    rolls.or(config.roll_on_config_change).unwrap_or_default()
}

/// The inventory of a set: that of the flag, or that of the configuration.
///
/// # Errors
/// A usage error if something is to be deleted without an inventory.
pub fn inventory(
    arguments: &InventoryArgs,
    prunes: bool,
    config: &Config,
) -> Result<Option<NamedInventory>, CommandError> {
    let named = arguments.inventory.as_ref();
    let named = named.or(config.inventory.as_ref());
    if prunes && named.is_none() {
        return Err(CommandError::usage(
            "`--prune` needs an inventory, which lists what the manifests contained before",
            "name one with `--inventory NAME`, or with `inventory: NAME` in `cryptoctl.yaml`",
        ));
    }
    Ok(named.map(|name| NamedInventory {
        name: name.clone(),
        prunes,
    }))
}

/// The configuration: the named file, or the one in the current folder.
///
/// # Errors
/// A usage error with all problems of the file.
pub async fn config(global: &GlobalArgs) -> Result<Config, CommandError> {
    let named = global.config.clone();
    let load = move || config::load(named.as_deref(), Path::new("."));
    Ok(in_time(global.timeout, load).await??)
}

/// The name of the StatefulSet that the command line or the configuration selects. A set given with
/// `-f` overrides the configuration, unless it contains that StatefulSet.
#[must_use]
pub fn workload<'a>(typed: Option<&'a str>, config: &'a Config, set: &Set) -> Option<&'a str> {
    let configured = config.workload.as_deref();
    let fits = |name: &&str| set.is_built_in || has_stateful_set(set, name);
    typed.or_else(|| configured.filter(fits))
}

fn has_stateful_set(set: &Set, name: &str) -> bool {
    set.manifests.manifests().iter().any(|manifest| {
        manifest.reference.is("apps", "StatefulSet") && manifest.reference.name == name
    })
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

/// The rendering and the streams that it uses.
#[must_use]
pub fn display(global: &GlobalArgs, ui: &Ui) -> Display {
    let circumstances = Circumstances::new(global.output, global.progress, global.quiet, ui);
    Display::decide(&circumstances)
}

/// The default that the documents state for a key of the configuration file.
#[cfg(test)]
fn documented_default(key: &str) -> &'static str {
    let documents = include_str!("../docs/configuration.md");
    let (_, row) = documents.split_once(&format!("| `{key}` |")).unwrap();
    let cell = row.lines().next().unwrap().trim_end_matches(" |");
    cell.rsplit_once("| ").unwrap().1.trim_matches('`')
}
