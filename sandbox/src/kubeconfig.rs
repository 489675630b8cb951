//! Kubeconfigs: one for users and tests, and one for every component that accesses the API server.

use std::path::Path;

use crate::certificates::AUTHORITY;
use crate::files::{self, FileError};
use crate::instance::Instance;

/// How the bearer of a kubeconfig authenticates.
enum Credential<'a> {
    Token(&'a str),
    Certificate {
        certificate: &'a Path,
        key: &'a Path,
    },
}

/// Writes the kubeconfig for users and tests.
pub(crate) fn write_administrator(instance: &Instance) -> Result<(), FileError> {
    let credential = Credential::Token(&instance.settings.token);
    files::write_private(&instance.kubeconfig(), render(instance, &credential))
}

/// The kubeconfig of a component that authenticates with its certificate.
pub(crate) fn of_component(instance: &Instance, component: &str) -> String {
    let certificate = instance.certificate_file(&format!("{component}.crt"));
    let key = instance.certificate_file(&format!("{component}.key"));
    render(
        instance,
        &Credential::Certificate {
            certificate: &certificate,
            key: &key,
        },
    )
}

fn render(instance: &Instance, credential: &Credential) -> String {
    let context = format!("cryptoctl-sandbox-{}", instance.name);
    let server = instance.api_server_url();
    let authority = instance.certificate_file(AUTHORITY);
    let user = match credential {
        Credential::Token(token) => format!("token: {token}"),
        Credential::Certificate { certificate, key } => format!(
            "client-certificate: {}\n    client-key: {}",
            certificate.display(),
            key.display()
        ),
    };
    format!(
        "\
apiVersion: v1
kind: Config
clusters:
- name: {context}
  cluster:
    server: {server}
    certificate-authority: {}
users:
- name: {context}
  user:
    {user}
contexts:
- name: {context}
  context:
    cluster: {context}
    user: {context}
current-context: {context}
",
        authority.display()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_come_with_a_token_and_components_with_a_certificate() {
        let instance = Instance::example();
        let administrator = render(&instance, &Credential::Token("secret"));
        assert!(administrator.contains("current-context: cryptoctl-sandbox-example\n"));
        assert!(administrator.contains("\n    token: secret\n"));
        assert!(administrator.contains(&format!("server: {}\n", instance.api_server_url())));

        let component = of_component(&instance, "kubelet");
        let folder = "/instances/example/certificates";
        assert!(component.contains(&format!("\n    client-certificate: {folder}/kubelet.crt\n")));
        assert!(component.contains(&format!("\n    client-key: {folder}/kubelet.key\n")));
        assert!(!component.contains("token"));
    }
}
