//! Our file while it is made, and how it is written.

use crate::yaml::{self, Node};
use std::collections::BTreeMap;

/// A whole file.
#[derive(Default)]
pub(crate) struct Gateway {
    pub(crate) providers: Vec<Provider>,
    pub(crate) routes: Vec<Route>,
    pub(crate) defaults: Policy,
    /// Names and keys, the latter as references.
    pub(crate) callers: Vec<(String, String)>,
    pub(crate) direct: bool,
}

/// One provider. What may be a secret holds references, never secrets.
#[derive(Default)]
pub(crate) struct Provider {
    pub(crate) name: String,
    pub(crate) kind: &'static str,
    pub(crate) base_url: Option<String>,
    pub(crate) api_key: Option<String>,
    pub(crate) access_key_id: Option<String>,
    pub(crate) secret_access_key: Option<String>,
    pub(crate) session_token: Option<String>,
    pub(crate) apis: Vec<&'static str>,
    pub(crate) api_version: Option<String>,
    pub(crate) project: Option<String>,
    /// The location, of kind vertex.
    pub(crate) region: Option<String>,
    /// The path of a file.
    pub(crate) credentials: Option<String>,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) models: BTreeMap<String, Model>,
}

/// What is said of one model.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Model {
    /// Dollars for a million tokens of the question, and of the answer.
    pub(crate) price: Option<(f64, f64)>,
    pub(crate) cached_input: Option<f64>,
    pub(crate) cache_write: Option<f64>,
    pub(crate) context_window: Option<u64>,
    pub(crate) max_output_tokens: Option<u64>,
    pub(crate) max_concurrency: Option<u64>,
}

/// One route.
#[derive(Clone, Default)]
pub(crate) struct Route {
    pub(crate) name: String,
    pub(crate) aliases: Vec<String>,
    pub(crate) targets: Vec<Target>,
    pub(crate) policy: Policy,
}

/// One target of a route; `model` may be `*`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Target {
    pub(crate) provider: String,
    pub(crate) model: String,
    pub(crate) weight: u64,
    pub(crate) priority: u64,
}

/// How calls are made; what is absent is not written. Times in milliseconds.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Policy {
    pub(crate) balance: Option<&'static str>,
    pub(crate) total: Option<u64>,
    pub(crate) first_token: Option<u64>,
    pub(crate) max_attempts: Option<u64>,
    pub(crate) consecutive: Option<u64>,
    pub(crate) open: Option<u64>,
    pub(crate) failover_on_refusal: bool,
}

/// The longest rest of a breaker that holds where a file says nothing, in milliseconds.
const MAX_OPEN: u64 = 300_000;
/// The time for a call that holds where a file says nothing, in milliseconds.
const TOTAL: u64 = 600_000;

impl Gateway {
    /// The file.
    pub(crate) fn write(self) -> String {
        let providers = self.providers.into_iter().map(|provider| (provider.name.clone(), provider.node()));
        let total = self.defaults.total;
        let routes = self.routes.into_iter().map(|route| (route.name.clone(), route.within(total).node()));
        let callers = self.callers.into_iter();
        let callers =
            callers.map(|(name, key)| Node::map([("name", Some(Node::text(name))), ("key", Some(Node::text(key)))]));
        let sections = [
            ("providers", Some(Node::Map(providers.collect()))),
            ("routes", Node::Map(routes.collect()).filled()),
            ("direct", self.direct.then_some(Node::Flag(true))),
            ("defaults", Node::Map(self.defaults.entries()).filled()),
            ("callers", Node::List(callers.collect()).filled()),
        ];
        let there = sections.into_iter().filter_map(|(key, node)| Some((key.to_owned(), node?)));
        yaml::document(&there.collect::<Vec<_>>())
    }
}

impl Provider {
    fn node(self) -> Node {
        let headers = self.headers.into_iter().map(|(name, value)| (name, Node::Text(value)));
        let models = self.models.into_iter().filter_map(|(name, model)| Some((name, model.node().filled()?)));
        Node::map([
            ("kind", Some(Node::text(self.kind))),
            ("base_url", self.base_url.map(Node::Text)),
            ("api_key", self.api_key.map(Node::Text)),
            ("access_key_id", self.access_key_id.map(Node::Text)),
            ("secret_access_key", self.secret_access_key.map(Node::Text)),
            ("session_token", self.session_token.map(Node::Text)),
            ("apis", Node::List(self.apis.into_iter().map(Node::text).collect()).filled()),
            ("api_version", self.api_version.map(Node::Text)),
            ("project", self.project.map(Node::Text)),
            (where_it_runs(self.kind), self.region.map(Node::Text)),
            ("credentials", self.credentials.map(Node::Text)),
            ("headers", Node::Map(headers.collect()).filled()),
            ("models", Node::Map(models.collect()).filled()),
        ])
    }
}

impl Model {
    fn node(self) -> Node {
        let price = self.price.map(|(input, output)| {
            Node::map([
                ("input", Some(Node::Number(input))),
                ("output", Some(Node::Number(output))),
                ("cached_input", self.cached_input.map(Node::Number)),
                ("cache_write", self.cache_write.map(Node::Number)),
            ])
        });
        Node::map([
            ("price", price),
            ("context_window", self.context_window.map(Node::Count)),
            ("max_output_tokens", self.max_output_tokens.map(Node::Count)),
            ("max_concurrency", self.max_concurrency.map(Node::Count)),
        ])
    }
}

impl Route {
    /// This, with a wait for first content that fits into all there is.
    fn within(mut self, total: Option<u64>) -> Self {
        let total = self.policy.total.or(total).unwrap_or(TOTAL);
        self.policy.first_token = self.policy.first_token.map(|wait| wait.min(total));
        self
    }

    fn node(self) -> Node {
        let aliases = self.aliases.into_iter().map(Node::Text).collect();
        let targets = self.targets.into_iter().map(Target::node).collect();
        let mut entries =
            vec![("aliases".to_owned(), Node::List(aliases)), ("targets".to_owned(), Node::List(targets))];
        entries.retain(|(_, list)| *list != Node::List(Vec::new()));
        entries.extend(self.policy.entries());
        Node::Map(entries)
    }
}

impl Target {
    /// As a target is written.
    pub(crate) fn name(&self) -> String {
        format!("{}/{}", self.provider, self.model)
    }

    fn node(self) -> Node {
        Node::map([
            ("target", Some(Node::Text(self.name()))),
            ("priority", Some(Node::Count(self.priority))),
            ("weight", (self.weight != 1).then_some(Node::Count(self.weight))),
        ])
    }
}

impl Policy {
    fn entries(self) -> Vec<(String, Node)> {
        let span = |millis: u64| {
            Node::text(if millis.is_multiple_of(1000) { format!("{}s", millis / 1000) } else { format!("{millis}ms") })
        };
        // A route's own wait for first content must fit into its total.
        let first_token = self.first_token.map(|wait| self.total.map_or(wait, |total| wait.min(total)));
        let max_open = self.open.filter(|open| *open > MAX_OPEN);
        let node = Node::map([
            ("balance", self.balance.map(Node::text)),
            ("timeouts", Node::map([("first_token", first_token.map(span)), ("total", self.total.map(span))]).filled()),
            ("retry", self.max_attempts.map(|most| Node::map([("max_attempts", Some(Node::Count(most)))]))),
            (
                "breaker",
                Node::map([
                    ("consecutive", self.consecutive.map(Node::Count)),
                    ("open", self.open.map(span)),
                    ("max_open", max_open.map(span)),
                ])
                .filled(),
            ),
            ("on_refusal", self.failover_on_refusal.then_some(Node::text("failover"))),
        ]);
        match node {
            Node::Map(entries) => entries,
            _ => Vec::new(),
        }
    }
}

/// The key that says where a provider of this kind runs.
pub(crate) fn where_it_runs(kind: &str) -> &'static str {
    if kind == "vertex" { "location" } else { "region" }
}
