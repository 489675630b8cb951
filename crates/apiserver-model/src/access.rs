//! Who may do what: tokens, and denials by verb and resource.

use std::collections::{BTreeMap, BTreeSet};

use http::{HeaderMap, StatusCode, header};

use super::failure::Failure;
use super::requests::Target;

/// The token of the kubeconfig that the server writes.
pub(crate) const ADMIN_TOKEN: &str = "admin-token";

/// Tokens and denials.
#[derive(Debug)]
pub(crate) struct Access {
    users: BTreeMap<String, String>,
    denials: Vec<Denial>,
    /// Users who may do nothing but this: verbs and resources.
    roles: BTreeMap<String, BTreeSet<(String, String)>>,
}

#[derive(Debug)]
struct Denial {
    verb: String,
    resource: String,
}

impl Default for Access {
    fn default() -> Self {
        let users = [(ADMIN_TOKEN.to_owned(), "kubernetes-admin".to_owned())].into();
        Self {
            users,
            denials: Vec::new(),
            roles: BTreeMap::new(),
        }
    }
}

impl Access {
    /// Accepts a token.
    pub(crate) fn add_user(&mut self, token: &str, user: &str) {
        self.users.insert(token.to_owned(), user.to_owned());
    }

    /// Denies a verb on a resource (`pods/portforward`, `statefulsets.apps`; `*` for all) to everyone.
    pub(crate) fn deny(&mut self, verb: &str, resource: &str) {
        self.denials.push(Denial {
            verb: verb.to_owned(),
            resource: resource.to_owned(),
        });
    }

    /// Lets a user do these verbs with these resources, and from now on nothing else.
    pub(crate) fn confine(&mut self, user: &str, role: BTreeSet<(String, String)>) {
        self.roles.insert(user.to_owned(), role);
    }

    /// Forgets all denials.
    pub(crate) fn allow_all(&mut self) {
        self.denials.clear();
    }

    /// The user behind a request.
    pub(crate) fn authenticate(&self, headers: &HeaderMap) -> Result<String, Failure> {
        let header = headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok());
        let token = header
            .and_then(|value| value.strip_prefix("Bearer "))
            .unwrap_or_default();
        let user = self.users.get(token).ok_or_else(Failure::unauthorized)?;
        let impersonated = headers
            .get("impersonate-user")
            .and_then(|value| value.to_str().ok());
        Ok(impersonated.unwrap_or(user).to_owned())
    }

    /// Whether a user may do something.
    pub(crate) fn allows(
        &self,
        user: &str,
        verb: &str,
        group: &str,
        resource: &str,
        subresource: &str,
    ) -> bool {
        let mut name = resource.to_owned();
        if !group.is_empty() {
            name = format!("{name}.{group}");
        }
        if !subresource.is_empty() {
            name = format!("{name}/{subresource}");
        }
        let asked = (verb.to_owned(), name.clone());
        let is_granted = |role: &BTreeSet<_>| role.contains(&asked);
        if !self.roles.get(user).is_none_or(is_granted) {
            return false;
        }
        !self.denials.iter().any(|denial| {
            (denial.verb == "*" || denial.verb == verb)
                && (denial.resource == "*" || denial.resource == name)
        })
    }

    /// Refuses a request as apiserver's endpoints/handlers/responsewriters/errors.go words it.
    pub(crate) fn authorize(&self, user: &str, verb: &str, target: &Target) -> Result<(), Failure> {
        if self.allows(
            user,
            verb,
            &target.kind.group,
            &target.kind.resource,
            &target.subresource,
        ) {
            return Ok(());
        }
        let kind = &target.kind;
        let resource = match target.subresource.as_str() {
            "" => kind.resource.clone(),
            subresource => format!("{}/{subresource}", kind.resource),
        };
        let scope = match target.namespace.as_str() {
            "" => "at the cluster scope".to_owned(),
            namespace => format!("in the namespace {namespace:?}"),
        };
        let subject = match target.name.as_str() {
            "" => kind.qualified(),
            name => format!("{} {name:?}", kind.qualified()),
        };
        let message = format!(
            "{subject} is forbidden: User {user:?} cannot {verb} resource {resource:?} in API group {:?} {scope}",
            kind.group
        );
        Err(Failure::new(
            StatusCode::FORBIDDEN,
            "Forbidden",
            message,
            kind.details(&target.name),
        ))
    }
}
