//! `OpenID` Connect (`plugin/pkg/client/auth/oidc/oidc.go`).

use super::user;
use crate::kubeconfigs::encoding::web_token;
use crate::kubeconfigs::recorder::FRESH;
use crate::kubeconfigs::{Case, Identity};

/// In the year 2001.
const STALE: i64 = 1_000_000_000;

fn oidc(fields: &str) -> String {
    user(&format!(
        "auth-provider: {{name: oidc, config: {{{fields}}}}}"
    ))
}

fn issued(fields: &str) -> String {
    oidc(&format!(
        "idp-issuer-url: '@https@/issuer', idp-certificate-authority: '@authority@', \
         client-id: client, client-secret: s3cret-client, {fields}"
    ))
}

pub(crate) fn cases() -> Vec<Case> {
    let (fresh, stale) = (web_token(FRESH), web_token(STALE));
    let leaked: &'static str = fresh.clone().leak();
    vec![
        Case::new("a token that is valid")
            .kubeconfig(issued(&format!("id-token: {fresh}")))
            .reaches(Identity::bearer(&fresh)),
        Case::new("a token that is over, without another to renew it with")
            .kubeconfig(issued(&format!("id-token: {stale}")))
            .refused(&["id-token", "refresh-token"]),
        Case::new("no token")
            .kubeconfig(issued("extra-scopes: groups"))
            .refused(&["id-token", "refresh-token"]),
        Case::new("a token that is none")
            .kubeconfig(issued("id-token: s3cret"))
            .refused(&["id-token"]),
        Case::new("a token that is over is renewed, and both new ones are written down")
            .kubeconfig(issued(&format!("id-token: {stale}, refresh-token: s3cret-refresh")))
            .token_request(&["grant_type=refresh_token", "refresh_token=s3cret-refresh"])
            .writes("config", &[leaked, "refresh-token: s3cret-next"])
            .reaches(Identity::bearer(&fresh)),
        Case::new("new tokens are written to the file that the old ones stand in")
            .file("first", "current-context: here\nusers: [{name: other, user: {token: s3cret-other}}]\n")
            .file(
                "second",
                issued(&format!("id-token: {stale}, refresh-token: s3cret-refresh")),
            )
            .environment("KUBECONFIG", "@folder@/first:@folder@/second")
            .writes("second", &[leaked, "refresh-token: s3cret-next"])
            .reaches(Identity::bearer(&fresh)),
        Case::new("an issuer that does not know the token any more")
            .kubeconfig(issued(&format!("id-token: {stale}, refresh-token: s3cret-revoked")))
            .refused(&["refresh"]),
        Case::new("without a token, one is asked for")
            .kubeconfig(issued("refresh-token: s3cret-refresh"))
            .token_request(&["grant_type=refresh_token", "refresh_token=s3cret-refresh"])
            .writes("config", &[leaked, "refresh-token: s3cret-next"])
            .reaches(Identity::bearer(&fresh)),
        Case::new("without an issuer")
            .kubeconfig(oidc(&format!("client-id: client, id-token: {fresh}")))
            .refused(&["idp-issuer-url"]),
        Case::new("without a client")
            .kubeconfig(oidc(&format!("idp-issuer-url: '@https@/issuer', id-token: {fresh}")))
            .refused(&["client-id"]),
        Case::new("an issuer whose certificate is not trusted")
            .kubeconfig(oidc(
                "idp-issuer-url: '@https@/issuer', client-id: client, refresh-token: s3cret-refresh",
            ))
            .refused(&["issuer"]),
        Case::new("a provider and a token of its own")
            .kubeconfig(user(&format!(
                "token: s3cret-token, auth-provider: {{name: oidc, config: {{idp-issuer-url: \
                 '@https@/issuer', client-id: client, id-token: {fresh}}}}}"
            )))
            .reaches(Identity::bearer("s3cret-token")),
    ]
}
