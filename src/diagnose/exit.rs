//! How a container ended, in words.

use k8s_openapi::api::core::v1::ContainerStateTerminated;

/// The kubelet's reason, the exit code, and what the code usually means.
///
/// A process that a signal ended has the exit code 128 plus the signal's number (POSIX, `sh`).
pub(crate) fn words(ended: &ContainerStateTerminated) -> String {
    let code = ended.exit_code;
    match ended.reason.as_deref() {
        Some("OOMKilled") => {
            format!("OOMKilled, exit code {code}: it used more memory than its limit")
        }
        Some(reason) if !reason.is_empty() && !matches!(reason, "Error" | "Completed") => {
            format!("{reason}, exit code {code}")
        }
        _ => match meaning(ended.signal.unwrap_or(code - 128), code) {
            Some(meaning) => format!("exit code {code}: {meaning}"),
            None => format!("exit code {code}"),
        },
    }
}

fn meaning(signal: i32, code: i32) -> Option<&'static str> {
    Some(match (signal, code) {
        (_, 126) => "the command cannot be executed",
        (_, 127) => "command not found",
        (1, _) => "SIGHUP",
        (2, _) => "SIGINT",
        (3, _) => "SIGQUIT",
        (4, _) => "SIGILL, an illegal instruction",
        (6, _) => "SIGABRT, it aborted itself",
        (7, _) => "SIGBUS",
        (8, _) => "SIGFPE",
        (9, _) => "SIGKILL, it was killed",
        (11, _) => "SIGSEGV, an invalid memory access",
        (13, _) => "SIGPIPE",
        (15, _) => "SIGTERM, it was told to stop",
        (31, _) => "SIGSYS, a forbidden system call",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(code: i32, reason: &str) -> String {
        words(&ContainerStateTerminated {
            exit_code: code,
            reason: Some(reason.to_owned()),
            ..ContainerStateTerminated::default()
        })
    }

    #[test]
    fn a_kill_for_memory_is_told_from_any_other() {
        assert!(ended(137, "OOMKilled").contains("more memory than its limit"));
        let killed = ended(137, "Error");
        assert!(killed.contains("exit code 137: SIGKILL"), "{killed}");
        assert!(!killed.contains("memory"), "{killed}");
    }

    #[test]
    fn signals_have_their_names_and_plain_codes_none() {
        for (code, expected) in [
            (143, "exit code 143: SIGTERM"),
            (139, "exit code 139: SIGSEGV"),
            (134, "exit code 134: SIGABRT"),
            (127, "command not found"),
        ] {
            assert!(ended(code, "Error").contains(expected), "{code}");
        }
        assert_eq!(ended(1, "Error"), "exit code 1");
        assert_eq!(ended(0, "Completed"), "exit code 0");
        assert_eq!(ended(128, "StartError"), "StartError, exit code 128");
    }
}
