//! The test cases of a verification: one for each replica and endpoint, and one for their agreement.

use super::{Case, CaseResult, of_answer};
use crate::exit::Outcome;
use crate::report::{FindingKind, VerifyReport};

/// The cases.
pub(super) fn cases(report: &VerifyReport) -> Vec<Case> {
    let mut cases: Vec<Case> = report
        .replicas
        .iter()
        .map(|answer| of_answer("answers", answer))
        .collect();
    let findings: Vec<String> = report
        .findings
        .iter()
        .filter(|finding| finding.kind != FindingKind::Replica)
        .map(|finding| finding.message.clone())
        .collect();
    let result = if findings.is_empty() && report.groups.is_empty() {
        CaseResult::Skipped("no replica gave a right answer to compare".to_owned())
    } else if findings.is_empty() {
        CaseResult::Passed
    } else {
        // A success has no findings about all replicas.
        match report.verdict {
            Outcome::Unhealthy => CaseResult::Failed(findings),
            _ => CaseResult::Undecided(findings),
        }
    };
    cases.push(Case::new("agreement", "all right answers agree", result));
    cases
}
