//! One row of the table.

use std::time::Duration;

use super::identity::Identity;
use super::plugin::Call;
use super::process::Place;

/// Far more than any run takes; what takes longer, hangs.
const LIMIT: Duration = Duration::from_secs(30);

/// What has to happen.
#[derive(Debug, Clone)]
pub(crate) enum Expected {
    /// All requests come from these identities, in this order.
    Reaches(Vec<Identity>),
    /// No request is sent, and the program under test says these words.
    Refused(Vec<&'static str>),
}

/// A file or a folder.
pub(crate) struct File {
    pub(crate) path: &'static str,
    pub(crate) content: Content,
    pub(crate) mode: u32,
}

/// What is in a file.
pub(crate) enum Content {
    Folder,
    /// With the names of [`super::stage::Stage::fill`].
    Text(String),
}

/// One row of the table.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) files: Vec<File>,
    pub(crate) arguments: Vec<String>,
    pub(crate) environment: Vec<(&'static str, String)>,
    pub(crate) unauthorized: usize,
    pub(crate) limit: Duration,
    /// Where it runs.
    pub(crate) place: Place,
    pub(crate) expected: Expected,
    pub(crate) difference: Option<(&'static str, Expected)>,
    pub(crate) namespace: Option<&'static str>,
    pub(crate) call: Option<Call>,
    /// How often a plugin is started.
    pub(crate) calls: Option<usize>,
    pub(crate) said: Vec<&'static str>,
    pub(crate) token_request: Option<Vec<&'static str>>,
    pub(crate) written: Option<(&'static str, Vec<&'static str>)>,
    pub(crate) without_kubectl: bool,
    /// Files that are not there, neither before a run nor, if it is refused, after it.
    pub(crate) absent: Vec<&'static str>,
    /// Files with the number of a process that is to be over.
    pub(crate) children: Vec<&'static str>,
}

impl Case {
    /// A case without any file, which reaches nobody in particular.
    pub(crate) fn new(name: &'static str) -> Self {
        Self {
            name,
            files: Vec::new(),
            arguments: Vec::new(),
            environment: Vec::new(),
            unauthorized: 0,
            limit: LIMIT,
            place: Place::Plain,
            expected: Expected::Reaches(vec![Identity::anonymous()]),
            difference: None,
            namespace: None,
            call: None,
            calls: None,
            said: Vec::new(),
            token_request: None,
            written: None,
            without_kubectl: false,
            absent: Vec::new(),
            children: Vec::new(),
        }
    }

    /// The one file that `KUBECONFIG` names.
    pub(crate) fn kubeconfig(self, text: impl Into<String>) -> Self {
        self.file("config", text)
            .environment("KUBECONFIG", "@folder@/config")
    }

    /// A file in the case's folder.
    pub(crate) fn file(mut self, path: &'static str, text: impl Into<String>) -> Self {
        self.files.push(File {
            path,
            content: Content::Text(text.into()),
            mode: 0o600,
        });
        self
    }

    /// A folder where others expect a file.
    pub(crate) fn folder(mut self, path: &'static str) -> Self {
        self.files.push(File {
            path,
            content: Content::Folder,
            mode: 0o700,
        });
        self
    }

    /// An executable file.
    pub(crate) fn program(mut self, path: &'static str, text: impl Into<String>) -> Self {
        self.files.push(File {
            path,
            content: Content::Text(text.into()),
            mode: 0o700,
        });
        self
    }

    /// Arguments, separated by spaces.
    pub(crate) fn arguments(mut self, arguments: &str) -> Self {
        self.arguments
            .extend(arguments.split_whitespace().map(str::to_owned));
        self
    }

    /// A variable.
    pub(crate) fn environment(mut self, name: &'static str, value: &str) -> Self {
        self.environment.push((name, value.to_owned()));
        self
    }

    /// Inside a pod whose service account's files are the case's folder `pod`; only root can do that.
    pub(crate) fn in_a_pod(mut self) -> Self {
        self.place = Place::Pod;
        self
    }

    /// Standard input and output are a terminal.
    pub(crate) fn on_a_terminal(mut self) -> Self {
        self.place = Place::Terminal;
        self
    }

    /// The first requests are answered with 401.
    pub(crate) fn unauthorized(mut self, times: usize) -> Self {
        self.unauthorized = times;
        self
    }

    /// All requests come from this identity.
    pub(crate) fn reaches(mut self, identity: Identity) -> Self {
        self.expected = Expected::Reaches(vec![identity]);
        self
    }

    /// The requests come from these identities, in this order.
    pub(crate) fn reaches_in_turn(mut self, identities: Vec<Identity>) -> Self {
        self.expected = Expected::Reaches(identities);
        self
    }

    /// Nothing is sent, and the program under test says these words.
    pub(crate) fn refused(mut self, words: &[&'static str]) -> Self {
        self.expected = Expected::Refused(words.to_owned());
        self
    }

    /// The program under test is to differ from kubectl, and why.
    pub(crate) fn but_ours(mut self, reason: &'static str, expected: Expected) -> Self {
        self.difference = Some((reason, expected));
        self
    }

    /// It is to refuse where kubectl does not, and why.
    pub(crate) fn but_ours_refuses(self, reason: &'static str, words: &[&'static str]) -> Self {
        self.but_ours(reason, Expected::Refused(words.to_owned()))
    }

    /// The namespace that is asked about.
    pub(crate) fn namespace(mut self, namespace: &'static str) -> Self {
        self.namespace = Some(namespace);
        self
    }

    /// What a credential plugin is given, which is started once.
    pub(crate) fn call(mut self, call: Call) -> Self {
        self.call = Some(call);
        self.calls(1)
    }

    /// How often a credential plugin is started.
    pub(crate) fn calls(mut self, times: usize) -> Self {
        self.calls = Some(times);
        self
    }

    /// What the program under test says although it is not refused.
    pub(crate) fn says(mut self, words: &[&'static str]) -> Self {
        words.clone_into(&mut self.said);
        self
    }

    /// What the one request for a token contains.
    pub(crate) fn token_request(mut self, words: &[&'static str]) -> Self {
        self.token_request = Some(words.to_owned());
        self
    }

    /// The one file of the case that is changed, and what is in it afterwards.
    pub(crate) fn writes(mut self, path: &'static str, words: &[&'static str]) -> Self {
        self.written = Some((path, words.to_owned()));
        self
    }

    /// There is nothing to compare with, because kubectl would never end.
    pub(crate) fn without_kubectl(mut self) -> Self {
        self.without_kubectl = true;
        self
    }

    /// A file that is taken away before each run, and that no refused run makes.
    pub(crate) fn absent(mut self, path: &'static str) -> Self {
        self.absent.push(path);
        self
    }

    /// Nothing is left of the process whose number stands in this file.
    pub(crate) fn ends_process(mut self, path: &'static str) -> Self {
        self.children.push(path);
        self
    }

    /// Kills it after this time.
    pub(crate) fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }
}
