//! What every handler may use, and the namespace that a request is about.

use crate::{ApiOptions, codes, problem::Refusal};
use axum::extract::State;
use consort_artifacts::Artifacts;
use consort_node::Node;
use consort_runtime_process::Sources;
use consort_types::Name;
use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{SystemTime, UNIX_EPOCH},
};

/// How handlers get at the context.
pub type Api = State<Arc<Context>>;

/// What every handler may use.
pub struct Context {
    pub node: Arc<Node>,
    pub artifacts: Arc<Artifacts>,
    pub sources: Sources,
    pub address: SocketAddr,
    pub version: &'static str,
    /// Tells the events of this server's life apart from those of an earlier one.
    pub epoch: String,
    calls: AtomicU64,
}

impl Context {
    pub fn new(options: ApiOptions) -> Self {
        let ApiOptions { node, artifacts, sources, local_address, version } = options;
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let (epoch, calls) = (format!("{:x}", since.as_millis()), AtomicU64::new(0));
        Self { node, artifacts, sources, address: local_address, version, epoch, calls }
    }

    /// `http://HOST:PORT` of this server, as programs on this machine reach it.
    pub fn url(&self) -> String {
        let ip = match self.address.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
            IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
            ip => ip,
        };
        format!("http://{}", SocketAddr::new(ip, self.address.port()))
    }

    /// A key that no other direct call has, for callers that bring none.
    pub fn call_key(&self) -> String {
        format!("call-{}-{}", self.epoch, self.calls.fetch_add(1, Ordering::Relaxed))
    }

    /// The namespace of a request: the one that is named, else the only one there is.
    ///
    /// # Errors
    /// When there is no such namespace, or several and none was named.
    pub fn namespace(&self, asked: Option<&str>) -> Result<Name, Refusal> {
        self.namespace_if_any(asked)?.ok_or_else(|| {
            Refusal::new(codes::E_NOT_FOUND, "nothing is deployed here yet: `consort apply` a project first")
        })
    }

    /// The same for lists, which are empty where nothing is deployed yet.
    ///
    /// # Errors
    /// As [`Context::namespace`].
    pub fn namespace_if_any(&self, asked: Option<&str>) -> Result<Option<Name>, Refusal> {
        let all = self.node.namespaces();
        let listed = || all.iter().map(Name::as_str).collect::<Vec<_>>().join(", ");
        match (asked, all.as_slice()) {
            (Some(asked), _) => {
                let found = all.iter().find(|name| name.as_str() == asked).cloned();
                let there = if all.is_empty() { "none yet".to_owned() } else { listed() };
                let detail = format!("there is no namespace {asked:?}; there is: {there}");
                found.map(Some).ok_or_else(|| Refusal::new(codes::E_NOT_FOUND, detail))
            }
            (None, []) => Ok(None),
            (None, [only]) => Ok(Some(only.clone())),
            (None, _) => {
                let detail = format!("say which with ?namespace= (or -n): {}", listed());
                Err(Refusal::new(codes::E_NAMESPACE_AMBIGUOUS, detail))
            }
        }
    }
}
