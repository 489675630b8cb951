//! Tokens, files with tokens, and passwords.

use super::user;
use crate::kubeconfigs::{Case, Identity};

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = tokens();
    cases.extend(token_files());
    cases.extend(passwords());
    cases
}

fn tokens() -> Vec<Case> {
    vec![
        Case::new("a token")
            .kubeconfig(user("token: s3cret-token"))
            .reaches(Identity::bearer("s3cret-token")),
        Case::new("a token with a line's end")
            .kubeconfig(user(r#"token: "s3cret-token\n""#))
            .refused(&["token"]),
        // There is nothing to renew a token with: once refused, it is not sent again and again.
        Case::new("a token that is not accepted")
            .kubeconfig(user("token: s3cret-token"))
            .unauthorized(100)
            .reaches(Identity::bearer("s3cret-token")),
        Case::new("a token with a space")
            .kubeconfig(user("token: 's3cret token'"))
            .reaches(Identity::bearer("s3cret token")),
    ]
}

fn token_files() -> Vec<Case> {
    vec![
        Case::new("a file with a token")
            .kubeconfig(user("tokenFile: '@folder@/token'"))
            .file("token", "s3cret-token")
            .reaches(Identity::bearer("s3cret-token")),
        Case::new("a file with a token and space around it")
            .kubeconfig(user("tokenFile: '@folder@/token'"))
            .file("token", "  s3cret-token \n\n")
            .reaches(Identity::bearer("s3cret-token")),
        Case::new("a token and a file with one")
            .kubeconfig(user("token: s3cret-token, tokenFile: '@folder@/token'"))
            .file("token", "s3cret-file")
            .reaches(Identity::bearer("s3cret-file")),
        Case::new("a token and a file that is missing")
            .kubeconfig(user("token: s3cret-token, tokenFile: '@folder@/absent'"))
            .reaches(Identity::bearer("s3cret-token")),
        Case::new("a file with a token that is missing")
            .kubeconfig(user("tokenFile: '@folder@/absent'"))
            .refused(&["@folder@/absent"]),
        Case::new("a file with a token that is empty")
            .kubeconfig(user("tokenFile: '@folder@/token'"))
            .file("token", "")
            .refused(&["@folder@/token"]),
        Case::new("a file with a token that holds a line's end only")
            .kubeconfig(user("tokenFile: '@folder@/token'"))
            .file("token", "\n")
            .refused(&["@folder@/token"]),
        Case::new("a folder in the place of a file with a token")
            .kubeconfig(user("tokenFile: '@folder@/token'"))
            .folder("token")
            .refused(&["@folder@/token"]),
    ]
}

fn passwords() -> Vec<Case> {
    vec![
        Case::new("a name and a password")
            .kubeconfig(user("username: olga, password: s3cret-password"))
            .reaches(Identity::basic("olga", "s3cret-password")),
        Case::new("a password with a colon and an umlaut")
            .kubeconfig(user("username: olga, password: 's3cret:pässword'"))
            .reaches(Identity::basic("olga", "s3cret:pässword")),
        Case::new("a name without a password")
            .kubeconfig(user("username: olga"))
            .reaches(Identity::basic("olga", "")),
        Case::new("a password without a name")
            .kubeconfig(user("password: s3cret-password"))
            .refused(&["username"]),
        Case::new("a token and a password")
            .kubeconfig(user(
                "token: s3cret-token, username: olga, password: s3cret-password",
            ))
            .refused(&["token", "password"]),
        Case::new("a file with a token and a password")
            .kubeconfig(user(
                "tokenFile: '@folder@/token', username: olga, password: s3cret-password",
            ))
            .file("token", "s3cret-token")
            .refused(&["token", "password"]),
    ]
}
