//! Faults between a client and the server, by request. The first rule that matches decides.

use std::time::Duration;

use http::Method;

use super::disturbances::Disturbance;
use super::journal;
use super::random::Random;

/// What goes wrong.
#[derive(Debug, Clone, PartialEq)]
pub enum Fault {
    /// The answer comes late; the request is executed at once.
    Late(Duration),
    /// The request is executed late.
    Delayed(Duration),
    /// The request is executed once the server is healed.
    Held,
    /// An error in place of an answer; nothing is executed.
    Error {
        /// The HTTP status.
        status: u16,
        /// The `reason` of the `Status`.
        reason: &'static str,
        /// Its `message`.
        message: &'static str,
        /// The header `Retry-After`, in seconds.
        retry_after: Option<u64>,
    },
    /// Something else in place of the answer, with this HTTP status, as a proxy or a plugin that fails gives it; the
    /// request is executed all the same, or it is not.
    Replaced {
        /// The HTTP status.
        status: u16,
        /// What comes instead.
        page: Page,
        /// Whether the request is executed before.
        is_executed: bool,
    },
    /// The answer comes with a warning for people (the header `Warning`).
    Warned(&'static str),
    /// A read of one object is answered with another one of its kind and namespace, if there is one.
    Other,
    /// The connection breaks and nothing was executed.
    CutBefore,
    /// A body that never ends, with this HTTP status: a beginning, and then the same again and again.
    Endless {
        /// The HTTP status.
        status: u16,
        /// How the body begins.
        beginning: &'static str,
        /// What then comes again and again.
        piece: &'static str,
    },
    /// The request is executed, then the connection breaks: the answer is lost.
    CutAfter,
    /// The body breaks after so many bytes.
    CutBody(usize),
    /// The body ends after so many bytes, as if that were its end: nothing says how long it should have been.
    EndBody(usize),
    /// Nothing is ever answered.
    Hang,
    /// A read is executed twice, as a proxy does that repeats what is idempotent; the second answer counts.
    Twice,
    /// A read that allows it (`resourceVersion=0`, or "not older than") is answered from so many writes ago.
    Stale(u64),
    /// Something happens right before the request is executed.
    Meanwhile(Disturbance),
    /// A watch tells of every change this much later.
    Lag(Duration),
    /// A watch tells of every change twice.
    EventsTwice,
    /// A watch that tells of two objects at once tells of the later change first.
    EventsSwapped,
    /// A watch that tells of an object's deletion and of its successor at once tells of the deletion last.
    DeletedLate,
    /// A watch ends in peace after this long.
    EndWatch(Duration),
    /// The link to the kubelet breaks when the client has received so many bytes.
    CutDown(usize),
    /// The link to the kubelet breaks when the client has sent so many bytes.
    CutUp(usize),
}

/// What stands in place of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Page {
    /// A `Status` that speaks of a failure.
    Status,
    /// A page for people.
    Html,
    /// A JSON object that is of no kind at all.
    Object,
}

/// Which requests, and how often.
#[derive(Debug, Clone)]
#[must_use]
pub struct Rule {
    method: Option<Method>,
    path: String,
    query: String,
    writes: bool,
    skip: u32,
    times: u32,
    per_mille: u64,
    fault: Fault,
}

impl Rule {
    /// A rule for every request.
    pub fn new(fault: Fault) -> Self {
        let (path, query) = (String::new(), String::new());
        Self {
            method: None,
            path,
            query,
            writes: false,
            skip: 0,
            times: u32::MAX,
            per_mille: 1000,
            fault,
        }
    }

    /// Only this method.
    pub fn method(mut self, method: Method) -> Self {
        self.method = Some(method);
        self
    }

    /// Only paths that contain this text.
    pub fn path(mut self, part: &str) -> Self {
        part.clone_into(&mut self.path);
        self
    }

    /// Only queries that contain this text (`watch=true`).
    pub fn query(mut self, part: &str) -> Self {
        part.clone_into(&mut self.query);
        self
    }

    /// Only requests that could change something ([`Request::is_write`](crate::Request::is_write)).
    pub fn writes(mut self) -> Self {
        self.writes = true;
        self
    }

    /// Lets the first requests pass.
    pub fn after(mut self, requests: u32) -> Self {
        self.skip = requests;
        self
    }

    /// Only so many times.
    pub fn times(mut self, times: u32) -> Self {
        self.times = times;
        self
    }

    /// Only for some requests, drawn by the server's seed.
    pub fn per_mille(mut self, per_mille: u64) -> Self {
        self.per_mille = per_mille;
        self
    }

    fn matches(&self, method: &Method, path: &str, query: &str) -> bool {
        self.method.as_ref().is_none_or(|wanted| wanted == method)
            && path.contains(&self.path)
            && query.contains(&self.query)
            && (!self.writes || journal::is_write(method, path, query))
    }
}

/// All rules.
#[derive(Debug)]
pub(crate) struct Faults {
    rules: Vec<Rule>,
    random: Random,
}

impl Faults {
    /// No faults; later ones are drawn by the seed.
    pub(crate) fn seeded(seed: u64) -> Self {
        Self {
            rules: Vec::new(),
            random: Random::seeded(seed ^ 0xfa17),
        }
    }

    /// Adds a rule.
    pub(crate) fn add(&mut self, rule: Rule) {
        self.rules.push(rule);
    }

    /// Forgets all rules.
    pub(crate) fn clear(&mut self) {
        self.rules.clear();
    }

    /// The fault of a request.
    pub(crate) fn strike(&mut self, method: &Method, path: &str, query: &str) -> Option<Fault> {
        for rule in &mut self.rules {
            if !rule.matches(method, path, query) || rule.times == 0 {
                continue;
            }
            if rule.skip > 0 {
                rule.skip -= 1;
                continue;
            }
            if self.random.number() % 1000 >= rule.per_mille {
                continue;
            }
            rule.times -= 1;
            return Some(rule.fault.clone());
        }
        None
    }
}
