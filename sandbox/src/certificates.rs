//! The instance's certificate authority and one certificate for every component.

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose,
};

use crate::files::{self, FileError};
use crate::instance::Instance;

/// The node's name and address: kubelet's certificate contains both.
pub(crate) const NODE: &str = "127.0.0.1";

/// The file of the authority's certificate.
pub(crate) const AUTHORITY: &str = "authority.crt";
/// The private half of the key that signs service accounts' tokens.
pub(crate) const SERVICE_ACCOUNT_KEY: &str = "service-account.key";
/// The public half of the key that signs service accounts' tokens.
pub(crate) const SERVICE_ACCOUNT_PUBLIC_KEY: &str = "service-account.pub";
/// The identity that the sandbox itself uses for requests to the components.
pub(crate) const ADMINISTRATOR: &str = "administrator";

/// Certificates could not be created.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CertificateError {
    /// A file could not be written.
    #[error(transparent)]
    File(#[from] FileError),
    /// A certificate could not be signed.
    #[error("cannot create the certificate of `{subject}`")]
    Sign {
        subject: &'static str,
        source: rcgen::Error,
    },
}

/// The subject of a certificate: the user and the group that Kubernetes reads from it.
struct Identity {
    file: &'static str,
    user: String,
    group: Option<&'static str>,
}

fn identities() -> [Identity; 7] {
    const ALL_POWERFUL: Option<&str> = Some("system:masters");
    [
        Identity {
            file: ADMINISTRATOR,
            user: "sandbox".into(),
            group: ALL_POWERFUL,
        },
        Identity {
            file: "etcd",
            user: "etcd".into(),
            group: None,
        },
        // The API server needs every permission at the kubelet.
        Identity {
            file: "kube-apiserver",
            user: "kube-apiserver".into(),
            group: ALL_POWERFUL,
        },
        Identity {
            file: "kube-controller-manager",
            user: "system:kube-controller-manager".into(),
            group: None,
        },
        Identity {
            file: "kube-scheduler",
            user: "system:kube-scheduler".into(),
            group: None,
        },
        Identity {
            file: "kubelet",
            user: format!("system:node:{NODE}"),
            group: Some("system:nodes"),
        },
        // kwok acts as several nodes at once; the permissions of a single node are not enough.
        Identity {
            file: "kwok",
            user: "kwok".into(),
            group: ALL_POWERFUL,
        },
    ]
}

/// Creates all keys and certificates of an instance, unless they exist.
///
/// The authority's own key is discarded afterwards, so nobody can issue another certificate.
///
/// # Errors
/// When one cannot be signed or written.
pub(crate) fn ensure(instance: &Instance) -> Result<(), CertificateError> {
    // Written last: if it exists, all others exist.
    let authority_file = instance.certificate_file(AUTHORITY);
    if authority_file.exists() {
        return Ok(());
    }
    files::create_private_folder(&instance.folder.join("certificates"))?;

    let (certificate, issuer) = authority()?;
    for identity in identities() {
        let (signed, key) = sign(&identity, &issuer)?;
        files::write_private(
            &instance.certificate_file(&format!("{}.crt", identity.file)),
            signed,
        )?;
        files::write_private(
            &instance.certificate_file(&format!("{}.key", identity.file)),
            key,
        )?;
    }
    let service_account = key_pair("service account")?;
    let private = instance.certificate_file(SERVICE_ACCOUNT_KEY);
    files::write_private(&private, service_account.serialize_pem())?;
    let public = instance.certificate_file(SERVICE_ACCOUNT_PUBLIC_KEY);
    files::write_private(&public, service_account.public_key_pem())?;
    Ok(files::write_private(&authority_file, certificate)?)
}

fn authority() -> Result<(String, Issuer<'static, KeyPair>), CertificateError> {
    const SUBJECT: &str = "cryptoctl-sandbox";
    let key = key_pair(SUBJECT)?;
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name = distinguished_name(SUBJECT, None);
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    parameters.key_usages = vec![
        KeyUsagePurpose::KeyCertSign,
        KeyUsagePurpose::DigitalSignature,
    ];
    let certificate = parameters
        .self_signed(&key)
        .map_err(|source| CertificateError::Sign {
            subject: SUBJECT,
            source,
        })?;
    Ok((certificate.pem(), Issuer::new(parameters, key)))
}

/// A certificate that serves on loopback and identifies its owner to other components.
fn sign(
    identity: &Identity,
    issuer: &Issuer<'static, KeyPair>,
) -> Result<(String, String), CertificateError> {
    let failed = |source| CertificateError::Sign {
        subject: identity.file,
        source,
    };
    let key = key_pair(identity.file)?;
    let mut parameters =
        CertificateParams::new(["127.0.0.1".to_owned(), "localhost".to_owned()]).map_err(failed)?;
    parameters.distinguished_name = distinguished_name(&identity.user, identity.group);
    parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    parameters.extended_key_usages = vec![
        ExtendedKeyUsagePurpose::ServerAuth,
        ExtendedKeyUsagePurpose::ClientAuth,
    ];
    let certificate = parameters.signed_by(&key, issuer).map_err(failed)?;
    Ok((certificate.pem(), key.serialize_pem()))
}

fn key_pair(subject: &'static str) -> Result<KeyPair, CertificateError> {
    KeyPair::generate().map_err(|source| CertificateError::Sign { subject, source })
}

fn distinguished_name(user: &str, group: Option<&str>) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    if let Some(group) = group {
        name.push(DnType::OrganizationName, group);
    }
    name.push(DnType::CommonName, user);
    name
}
