//! Lists the pods of a namespace, as `kubectl get pods` does, and takes kubectl's connection flags:
//! `cargo run --example pods -- --context NAME`.
#![expect(
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "this is a program, and its streams are its own"
)]

use std::error::Error;
use std::io::{IsTerminal, stdin};
use std::process::ExitCode;
use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use kube::{Api, ResourceExt};
use kubectl_config::{Connection, Environment, Secret, Settings, concealed};

type Failure = Box<dyn Error + Send + Sync>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match list().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let mut text = format!("error: {error}");
            let mut source = error.source();
            while let Some(error) = source {
                text = format!("{text}: {error}");
                source = error.source();
            }
            eprintln!("{}", concealed(text));
            ExitCode::FAILURE
        }
    }
}

async fn list() -> Result<(), Failure> {
    let (settings, namespace) = settings(std::env::args().skip(1))?;
    let connection = Connection::open(&settings).await?;
    let namespace = namespace.as_ref().unwrap_or(&connection.namespace);
    let pods: Api<Pod> = Api::namespaced(connection.client(), namespace);
    let listed = pods.list(&kube::api::ListParams::default()).await;
    let listed = listed.map_err(|error| Unlisted {
        server: connection.server.to_string(),
        error,
    })?;
    for pod in listed {
        println!("{}", pod.name_any());
    }
    Ok(())
}

#[derive(Debug, thiserror::Error)]
#[error("cannot list the pods at `{server}`")]
struct Unlisted {
    server: String,
    #[source]
    error: kube::Error,
}

/// Reads kubectl's flags, that of the namespace too; one with an empty value is as good as none, as it is to
/// kubectl.
fn settings(
    mut arguments: impl Iterator<Item = String>,
) -> Result<(Settings, Option<String>), Failure> {
    let mut namespace = None;
    let mut settings = Settings {
        environment: Environment::of_process(),
        interactive: stdin().is_terminal(),
        ..Settings::default()
    };
    while let Some(argument) = arguments.next() {
        let (flag, value) = match argument.split_once('=') {
            Some((flag, value)) => (flag, Some(value.to_owned())),
            None => (argument.as_str(), None),
        };
        if flag == "--insecure-skip-tls-verify" {
            settings.overrides.insecure_skip_tls_verify = value.is_none_or(|value| value == "true");
            continue;
        }
        let value = value.or_else(|| arguments.next());
        let value = value.ok_or_else(|| format!("{flag} needs a value"))?;
        match flag {
            _ if value.is_empty() => {}
            "-n" | "--namespace" => namespace = Some(value),
            _ => set(&mut settings, flag, value)?,
        }
    }
    Ok((settings, namespace))
}

fn set(settings: &mut Settings, flag: &str, value: String) -> Result<(), Failure> {
    let overrides = &mut settings.overrides;
    let impersonation = &mut overrides.impersonation;
    match flag {
        "--kubeconfig" => settings.kubeconfig = Some(value.into()),
        "--context" => overrides.context = Some(value),
        "--cluster" => overrides.cluster = Some(value),
        "--user" => overrides.user = Some(value),
        "-s" | "--server" => overrides.server = Some(value),
        "--tls-server-name" => overrides.tls_server_name = Some(value),
        "--certificate-authority" => overrides.certificate_authority = Some(value.into()),
        "--proxy-url" => overrides.proxy_url = Some(value),
        "--client-certificate" => overrides.client_certificate = Some(value.into()),
        "--client-key" => overrides.client_key = Some(value.into()),
        "--token" => overrides.token = Some(Secret::new(value)),
        "--username" => overrides.username = Some(value),
        "--password" => overrides.password = Some(Secret::new(value)),
        "--as" => impersonation.user = Some(value),
        "--as-uid" => impersonation.uid = Some(value),
        "--as-group" => impersonation.groups.push(value),
        "--as-user-extra" => match value.split_once('=') {
            Some((key, value)) if !key.is_empty() => {
                impersonation.extra.push((key.to_owned(), value.to_owned()));
            }
            _ => return Err(format!("{flag} is KEY=VALUE").into()),
        },
        "--timeout" => {
            let seconds = value.trim_end_matches('s').parse()?;
            settings.login_time = Duration::from_secs(seconds);
        }
        _ => return Err(format!("there is no flag {flag}").into()),
    }
    Ok(())
}
