//! Which identity a kubeconfig, a flag or a variable gives on the wire: a table of cases.
//!
//! Every case is a folder of files, arguments and an environment, and says what has to happen: requests
//! under one identity, or a refusal before anything is sent. The tests here hold a program of this crate against
//! the table; the end-to-end tests hold kubectl against it as well, so the table cannot be wrong about
//! kubectl. Where ours is to differ, the case says why.
//!
//! Everything that must never be printed contains [`SECRET`].

mod case;
mod certificates;
mod encoding;
mod identity;
mod plugin;
mod process;
mod recorder;
mod socks;
mod stage;
mod stream;
mod verdict;

pub(crate) mod cases;

pub(crate) use case::Case;
pub(crate) use identity::Identity;
pub(crate) use process::Program;
pub(crate) use verdict::check;

/// What marks a text as a secret: no output of the program under test may contain it.
pub(crate) const SECRET: &str = "s3cret";

/// Makes one test of every group of the table.
macro_rules! test_each_group {
    ($programs:expr) => {
        $crate::kubeconfigs::test_each_group!($programs, files context token certificate exec plugin_answers
            oidc legacy proxy tls server impersonation flags in_cluster kuberc);
    };
    ($programs:expr, $($group:ident)*) => {
        $(
            #[test]
            fn $group() {
                $crate::kubeconfigs::check(&$programs, &$crate::kubeconfigs::cases::$group::cases());
            }
        )*
    };
}
pub(crate) use test_each_group;
