//! What becomes of an object that exists: by the dry runs of its apply and of what happens before it.

use serde_json::Value;

use super::dry_run::Rules;
use super::elsewhere;
use super::undeclared::{self, Removal};
use crate::cluster::ClusterError;
use crate::fields::{Former, Migration, UndeclaredField, merge};
use crate::ops::Context;
use crate::plan::Target;

/// What becomes of an object.
pub(crate) struct Prediction {
    /// The object in the end.
    pub(crate) planned: Value,
    /// How fields move from former managers.
    pub(crate) migration: Migration,
    /// Undeclared fields that are taken away.
    pub(crate) reverted: Vec<UndeclaredField>,
    /// Undeclared fields, if anybody asks for them.
    pub(crate) undeclared: Vec<UndeclaredField>,
}

/// What moves and what goes.
struct Moving {
    migration: Migration,
    reverted: Vec<UndeclaredField>,
    undeclared: Vec<UndeclaredField>,
    /// Everything that goes.
    leaving: Vec<UndeclaredField>,
}

impl Moving {
    fn new(subject: Subject<'_>, former: &Former, mut undeclared: Vec<UndeclaredField>) -> Self {
        let Subject {
            target,
            live,
            rules,
            ..
        } = subject;
        let migration = former.migration(live, &target.body, &mut undeclared);
        let reverted = undeclared::named(target, &undeclared, rules.choices);
        let leaving = migration.removed().chain(&reverted).cloned().collect();
        Self {
            migration,
            reverted,
            undeclared,
            leaving,
        }
    }

    fn prediction(self, planned: Value) -> Prediction {
        Prediction {
            planned,
            migration: self.migration,
            reverted: self.reverted,
            undeclared: self.undeclared,
        }
    }
}

/// An object, and who looks at it.
#[derive(Clone, Copy)]
pub(crate) struct Subject<'a> {
    pub(crate) context: &'a Context,
    pub(crate) target: &'a Target,
    pub(crate) live: &'a Value,
    pub(crate) rules: Rules<'a>,
}

impl Subject<'_> {
    /// Predicts it from the dry run of the apply alone, which knows nothing of what happens before.
    ///
    /// # Errors
    /// A refusal.
    pub(crate) async fn predict(
        self,
        applied: Result<Value, ClusterError>,
        former: Option<&Former>,
    ) -> Result<Prediction, ClusterError> {
        if let Some(former) = former {
            return self.predict_move(applied, former).await;
        }
        let mut planned = applied?;
        let mut undeclared = Vec::new();
        if self.rules.looks_for_undeclared() {
            undeclared = undeclared::find(self.context, self.target, self.live).await;
        }
        let reverted = undeclared::named(self.target, &undeclared, self.rules.choices);
        if !reverted.is_empty() {
            let removed = self.patched(&reverted, &[]).await?;
            planned = undeclared::without(planned, &removed, &reverted);
        }
        Ok(Prediction {
            planned,
            migration: Migration::default(),
            reverted,
            undeclared,
        })
    }

    /// The same where fields move first: what moves may be what the apply is refused for. What the API
    /// server does not let go stays.
    async fn predict_move(
        self,
        applied: Result<Value, ClusterError>,
        former: &Former,
    ) -> Result<Prediction, ClusterError> {
        let mut found = undeclared::find(self.context, self.target, self.live).await;
        let moving = Moving::new(self, former, found.clone());
        let accepted = applied.as_ref().ok().cloned();
        let error = match self.after(applied, &moving).await {
            Ok(planned) => return Ok(moving.prediction(planned)),
            Err(error) => error,
        };
        let stuck = self.stuck(&moving.migration, &error).await;
        if stuck.is_empty() {
            return Err(error);
        }
        found.retain(|field| !stuck.contains(field));
        let moving = Moving::new(self, former, found);
        let planned = self.after(accepted.ok_or(error), &moving).await?;
        Ok(moving.prediction(planned))
    }

    /// The object after the apply and what happens before it.
    async fn after(
        self,
        applied: Result<Value, ClusterError>,
        moving: &Moving,
    ) -> Result<Value, ClusterError> {
        let Moving {
            migration, leaving, ..
        } = moving;
        let refused = match applied {
            Err(error) => error,
            Ok(planned) => match self.patched(leaving, &migration.operations).await {
                Ok(removed) => return Ok(undeclared::without(planned, &removed, leaving)),
                Err(error) => error,
            },
        };
        if !refused.is_about_fields() {
            return Err(refused);
        }
        self.merged(leaving).await.ok_or(refused)
    }

    /// The object with the values of the manifest and without fields, in one step; `None` if the API server
    /// refuses that.
    async fn merged(self, leaving: &[UndeclaredField]) -> Option<Value> {
        let fresh = elsewhere::fresh(self.context, self.target).await?;
        let operations = merge(self.live, &self.target.body, &fresh, leaving);
        self.patched(&[], &operations).await.ok()
    }

    /// Of the fields that would go with a former manager, those that the API server does not let go, such as
    /// the storage class of a claim.
    async fn stuck(self, migration: &Migration, error: &ClusterError) -> Vec<UndeclaredField> {
        let mut stuck = Vec::new();
        if !error.is_about_fields() {
            return stuck;
        }
        for field in migration.removed() {
            let alone = self.patched(std::slice::from_ref(field), &[]).await;
            if alone.is_err_and(|error| error.is_about_fields()) {
                self.context.warn(format!(
                    "`{}` keeps `{}`: the API server does not let it be removed; declare it, or nobody owns it",
                    self.target.reference, field.field
                ));
                stuck.push(field.clone());
            }
        }
        stuck
    }

    /// The object without fields and after operations, in a dry run.
    pub(crate) async fn patched(
        self,
        leaving: &[UndeclaredField],
        operations: &[Value],
    ) -> Result<Value, ClusterError> {
        let Self {
            context,
            target,
            live,
            ..
        } = self;
        undeclared::remove(context, target, live, leaving, operations, Removal::DryRun).await
    }
}
