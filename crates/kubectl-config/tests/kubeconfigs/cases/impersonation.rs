//! Being somebody else (`--as` and its relatives, in the kubeconfig and as flags).

use super::user;
use crate::kubeconfigs::{Case, Identity};

fn somebody() -> Identity {
    Identity::bearer("s3cret-token")
}

fn in_kubeconfig(name: &'static str, fields: &str) -> Case {
    Case::new(name).kubeconfig(user(&format!("token: s3cret-token, {fields}")))
}

fn by_flags(name: &'static str, arguments: &str) -> Case {
    Case::new(name)
        .kubeconfig(user("token: s3cret-token"))
        .arguments(arguments)
}

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = kubeconfigs();
    cases.extend(flags());
    cases.extend(both());
    cases
}

fn kubeconfigs() -> Vec<Case> {
    vec![
        in_kubeconfig("a user", "as: olga").reaches(somebody().impersonates("User", "olga")),
        in_kubeconfig("everything", "as: olga, as-uid: '7', as-groups: [b, a], as-user-extra: {scopes: [view, edit], Reason: [x]}")
            .reaches(
                somebody()
                    .impersonates("User", "olga")
                    .impersonates("Uid", "7")
                    .impersonates("Group", "a")
                    .impersonates("Group", "b")
                    .impersonates("Extra-Scopes", "view")
                    .impersonates("Extra-Scopes", "edit")
                    .impersonates("Extra-Reason", "x"),
            ),
        in_kubeconfig("an extra whose name no header can have", "as: olga, as-user-extra: {'example.com/ü%': [x]}")
            .reaches(
                somebody()
                    .impersonates("User", "olga")
                    .impersonates("Extra-Example.com%2f%C3%BC%25", "x"),
            ),
        in_kubeconfig("groups without a user", "as-groups: [a]").refused(&["as-groups"]),
        in_kubeconfig("an identifier without a user", "as-uid: '7'").refused(&["as-uid"]),
        in_kubeconfig("an extra without a user", "as-user-extra: {a: [b]}").refused(&["as-user-extra"]),
    ]
}

fn flags() -> Vec<Case> {
    vec![
        by_flags("--as", "--as olga").reaches(somebody().impersonates("User", "olga")),
        by_flags("--as-group twice", "--as olga --as-group b --as-group a").reaches(
            somebody()
                .impersonates("User", "olga")
                .impersonates("Group", "a")
                .impersonates("Group", "b"),
        ),
        by_flags("--as-group with a comma", "--as olga --as-group a,b").reaches(
            somebody()
                .impersonates("User", "olga")
                .impersonates("Group", "a,b"),
        ),
        by_flags("--as-uid", "--as olga --as-uid 7")
            .reaches(somebody().impersonates("User", "olga").impersonates("Uid", "7")),
        by_flags("--as-user-extra", "--as olga --as-user-extra scopes=view --as-user-extra scopes=edit --as-user-extra a=b=c")
            .reaches(
                somebody()
                    .impersonates("User", "olga")
                    .impersonates("Extra-Scopes", "view")
                    .impersonates("Extra-Scopes", "edit")
                    .impersonates("Extra-A", "b=c"),
            ),
        by_flags("--as-user-extra without a value", "--as olga --as-user-extra scopes=").reaches(
            somebody()
                .impersonates("User", "olga")
                .impersonates("Extra-Scopes", ""),
        ),
        by_flags("--as-user-extra without a sign", "--as olga --as-user-extra scopes")
            .reaches(somebody().impersonates("User", "olga"))
            .but_ours_refuses(
                "kubectl leaves the extra out, and so comes as somebody else than was asked for",
                &["as-user-extra"],
            ),
        by_flags("--as-user-extra without a key", "--as olga --as-user-extra =view")
            .reaches(
                somebody()
                    .impersonates("User", "olga")
                    .impersonates("Extra-", "view"),
            )
            .but_ours_refuses(
                "an extra without a name is a typing error that means nothing to the server",
                &["as-user-extra"],
            ),
        by_flags("--as-group without a user", "--as-group a").refused(&["--as"]),
        by_flags("--as-uid without a user", "--as-uid 7").refused(&["--as"]),
        by_flags("--as-user-extra without a user", "--as-user-extra a=b").refused(&["--as"]),
    ]
}

fn both() -> Vec<Case> {
    vec![
        in_kubeconfig("--as above a user", "as: olga")
            .arguments("--as piet")
            .reaches(somebody().impersonates("User", "piet")),
        in_kubeconfig(
            "--as above a user with groups",
            "as: olga, as-uid: '7', as-groups: [a], as-user-extra: {c: [d]}",
        )
        .arguments("--as piet")
        .reaches(
            somebody()
                .impersonates("User", "piet")
                .impersonates("Uid", "7")
                .impersonates("Group", "a")
                .impersonates("Extra-C", "d"),
        ),
        in_kubeconfig("--as-group above groups", "as: olga, as-groups: [a, b]")
            .arguments("--as-group c")
            .reaches(
                somebody()
                    .impersonates("User", "olga")
                    .impersonates("Group", "c"),
            ),
        in_kubeconfig(
            "--as-user-extra above extras",
            "as: olga, as-user-extra: {a: [b], c: [d]}",
        )
        .arguments("--as-user-extra a=e")
        .reaches(
            somebody()
                .impersonates("User", "olga")
                .impersonates("Extra-A", "e")
                .impersonates("Extra-C", "d"),
        ),
    ]
}
