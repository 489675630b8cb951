//! What is known before the first write and may keep pods from their data. A person can accept each by
//! name, with `--allow`.

use std::fmt;

use crate::object::ObjectRef;

/// A kind of risk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RiskKind {
    /// Several replicas share a claim that only one node can mount.
    SharedClaim,
    /// Several replicas share a claim that only one pod can mount.
    SinglePodClaim,
    /// Nothing makes a volume for a claim, and no volume fits it.
    NoVolume,
    /// A quota or a limit range will refuse pods or claims.
    Quota,
    /// The StatefulSet deletes claims by itself.
    ClaimDeletion,
    /// A selector of the set matches pods of a workload outside of it.
    ForeignPods,
}

impl RiskKind {
    /// Every kind.
    pub const ALL: [Self; 6] = [
        Self::SharedClaim,
        Self::SinglePodClaim,
        Self::NoVolume,
        Self::Quota,
        Self::ClaimDeletion,
        Self::ForeignPods,
    ];

    /// Its name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::SharedClaim => "shared-claim",
            Self::SinglePodClaim => "single-pod-claim",
            Self::NoVolume => "no-volume",
            Self::Quota => "quota",
            Self::ClaimDeletion => "claim-deletion",
            Self::ForeignPods => "foreign-pods",
        }
    }

    /// What goes on in spite of it, for the help.
    #[must_use]
    pub fn help(self) -> &'static str {
        match self {
            Self::SharedClaim => "Replicas on several nodes share a ReadWriteOnce claim",
            Self::SinglePodClaim => "Several replicas share a ReadWriteOncePod claim",
            Self::NoVolume => "No volume fits a claim, and nothing makes one",
            Self::Quota => "A quota or limit range refuses pods",
            Self::ForeignPods => "A selector matches pods of a workload outside of the set",
            Self::ClaimDeletion => "The StatefulSet's retention policy deletes claims",
        }
    }
}

impl fmt::Display for RiskKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// A risk of one object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Risk {
    /// Its kind.
    pub kind: RiskKind,
    /// The object.
    pub object: ObjectRef,
    /// What will happen and why, as a clause.
    pub reason: String,
    /// What removes it, as an imperative.
    pub remedy: String,
}
